"""The real thing, started as a user starts it: `manage.py up` in a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from webapp.supervisor.redis_server import free_port

ROOT = Path(__file__).parents[2]


def wait_until(condition, seconds: float, what: str = "it"):
    """Poll until `condition()` is truthy and return that; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        if result := condition():
            return result
        assert time.monotonic() < deadline, f"{what} did not come about within {seconds} s"
        time.sleep(0.05)


def runs(pid: int) -> bool:
    """Whether a process lives; one that is dead and only not yet reaped does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return not Path("/proc/self").exists()


@dataclass
class Stack:
    """A running Likeness with a data folder and a port of its own."""

    data_dir: Path
    port: int = field(default_factory=free_port)
    username: str = "admin"
    password: str = ""
    extra: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lines: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Only what this stack is told: nothing of the test process's own settings."""
        ours = {"REDIS_URL", "DJANGO_SETTINGS_MODULE", "ADMIN_USERNAME", "ADMIN_PASSWORD"}
        kept = {name: value for name, value in os.environ.items() if name not in ours}
        told = {"DATA_DIR": str(self.data_dir), "PORT": str(self.port)}
        generous = {f"RATE_{what}": "1000/minute" for what in ("SIGN_IN", "FACE", "ENROL", "PAINT")}
        return {**kept, **generous, **told, **self.extra}

    def spawn(self) -> subprocess.Popen[str]:
        """Start `manage.py up` without waiting; its output gathers in `lines`."""
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True).start()
        return self.process

    def start(self, *, workers: bool = True) -> Stack:
        """Start, and wait until the page answers (and the workers are ready)."""
        self.spawn()
        self.wait_for("Likeness is ready", 60)
        if workers:
            self.wait_for("Worker faces: ready", 60)
            self.wait_for("Worker style: ready", 60)
        if told := re.search(r"with the password +(\S+)", self.output):
            self.password = told[1]
        return self

    def stop(self, seconds: float = 10) -> float:
        """SIGTERM; returns how long it took."""
        assert self.process is not None
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return time.monotonic() - began

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, text: str, seconds: float) -> None:
        def come() -> bool:
            if text in self.output:
                return True
            assert self.process is None or self.process.poll() is None, f"it ended:\n{self.output}"
            return False

        try:
            wait_until(come, seconds, text)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.output}") from None

    @property
    def pids(self) -> dict[str, int]:
        """Who runs as what: supervisor, leash, redis, web, faces, style, reaper."""
        told: dict[str, int] = json.loads((self.data_dir / "run" / "pids.json").read_text())
        return told

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a management command against this stack."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=check,
        )

    def create_user(self, username: str, role: str, password: str = "correct horse staple") -> str:
        """Make a person with a role; returns the password."""
        self.manage("create_user", username, "--role", role, "--password", password)
        return password

    def _read(self, pipe) -> None:
        with pipe:
            for line in pipe:
                self.lines.append(line.rstrip("\n"))
