"""Child processes: started, logged with their name before each line, started again, ended."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TextIO

from webapp.supervisor import leash

RUNS_WELL_AFTER = 10.0  # seconds; a child that lived this long starts again at once
LONGEST_PAUSE = 30.0
COLOURS = {"up": 1, "redis": 31, "web": 36, "faces": 32, "style": 35, "long": 34, "reaper": 33}


@dataclass(frozen=True)
class Program:
    """What to run.

    `wave` is the order of ending: 0 first, 1 for what the others lean on. Lines of its output that
    match `silence` tell nobody anything.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    stdin: str = field(default="", repr=False)
    wave: int = 0
    pass_fds: tuple[int, ...] = ()
    silence: str = r"\A(?!)"  # matches nothing


class Log:
    """Lines of several processes in one stream, each after the name of who wrote it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._colour = stream.isatty() and "NO_COLOR" not in os.environ
        self._lock = threading.Lock()

    def line(self, name: str, text: str) -> None:
        prefix = f"{name:<6} |"
        if self._colour:
            prefix = f"\x1b[{COLOURS.get(name, 0)}m{prefix}\x1b[0m"
        with self._lock:
            try:
                print(prefix, text, file=self._stream, flush=True)
            except OSError:  # nobody reads any more (a closed terminal): run on in silence
                self._stream = Path(os.devnull).open("w")  # noqa: SIM115

    def follow(self, name: str, pipe: IO[bytes], silence: str) -> None:
        """Copy a child's output until it closes, on a thread of its own."""
        unheard = re.compile(silence)

        def copy() -> None:
            with pipe:
                for line in pipe:
                    text = line.decode(errors="replace").rstrip()
                    if not unheard.search(text):
                        self.line(name, text)

        threading.Thread(target=copy, name=f"log-{name}", daemon=True).start()


@dataclass
class Child:
    program: Program
    process: subprocess.Popen[bytes]
    started: float
    failures: int = 0  # in a row, each soon after its start
    due: float | None = None  # when it starts again, once it has ended


def pause_before_restart(failures: int) -> float:
    """Seconds to wait: none at first, then doubling from a half to `LONGEST_PAUSE`."""
    return 0.0 if failures == 0 else min(0.5 * 2.0 ** (failures - 1), LONGEST_PAUSE)


class Supervisor:
    """Keeps programs running until `stop`. Not for use from several threads at once.

    `pids_file` always tells who runs as what ({name: pid}). `keep_open` are descriptors (the lock)
    that the leash holds as well, and `leftovers` the files that it removes after a crash.
    """

    def __init__(
        self,
        *,
        log: Log,
        pids_file: Path,
        leftovers: Sequence[Path] = (),
        keep_open: tuple[int, ...] = (),
    ) -> None:
        self.log = log
        self._pids_file = pids_file
        self._leftovers = (pids_file, *leftovers)
        self._keep_open = keep_open
        self._children: dict[str, Child] = {}
        self._leash = self._start_leash()

    def start(self, program: Program) -> None:
        process = self._spawn(program)
        self._children[program.name] = Child(program, process, time.monotonic())
        self._write_pids()

    def pids(self) -> dict[str, int]:
        """Who runs as what: {name: pid}, the supervisor and its leash included."""
        pids = {name: child.process.pid for name, child in list(self._children.items())}
        return pids | {"supervisor": os.getpid(), "leash": self._leash.pid}

    def tick(self) -> None:
        """Notice who has ended, start again whose time has come. Call it some times a second."""
        now = time.monotonic()
        if self._leash.poll() is not None:
            self._leash = self._start_leash()
            self._write_pids()
        for child in self._children.values():
            if child.due is None and child.process.poll() is not None:
                self._bury(child, now)
            if child.due is not None and child.due <= now:
                child.process, child.started, child.due = self._spawn(child.program), now, None
                self._write_pids()

    def stop(self) -> None:
        """End everything within 3 s: workers and web first, then what they lean on."""
        waves: list[list[int]] = [[] for _ in leash.GRACE]
        by_group = {child.process.pid: child.process for child in self._children.values()}
        for child in self._children.values():
            waves[child.program.wave].append(child.process.pid)

        def alive(group: int) -> bool:
            by_group[group].poll()  # reap it, or its group would seem to live on
            return leash.group_exists(group)

        leash.end_groups(waves, alive=alive)
        for child in self._children.values():
            self._tell_leash("-", child)
        self._children.clear()
        assert self._leash.stdin is not None
        with contextlib.suppress(OSError):
            self._leash.stdin.close()
        self._leash.wait(2)
        for path in self._leftovers:
            path.unlink(missing_ok=True)

    def _bury(self, child: Child, now: float) -> None:
        code = child.process.returncode
        leash.end_groups([[child.process.pid], []])  # whatever it had started itself
        self._tell_leash("-", child)
        if now - child.started >= RUNS_WELL_AFTER:
            child.failures = 0
        pause = pause_before_restart(child.failures)
        child.failures += 1
        child.due = now + pause
        how = (
            f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        )
        when = f"in {pause:g} s" if pause else "at once"
        self.log.line("up", f"{child.program.name} {how}; it starts again {when}")

    def _spawn(self, program: Program) -> subprocess.Popen[bytes]:
        # A group of its own: Ctrl-C reaches the supervisor alone, and all of it can be ended.
        process = subprocess.Popen(
            program.command,
            stdin=subprocess.PIPE if program.stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **program.environment},
            process_group=0,
            pass_fds=program.pass_fds,
        )
        self._send(f"+ {program.wave} {process.pid}")
        if process.stdin is not None:
            process.stdin.write(program.stdin.encode())
            process.stdin.close()
        assert process.stdout is not None
        self.log.follow(program.name, process.stdout, program.silence)
        return process

    def _start_leash(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", leash.__file__, *map(str, self._leftovers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            process_group=0,
            pass_fds=self._keep_open,
            text=True,
        )
        self._leash = process
        for child in self._children.values():
            if child.due is None:
                self._tell_leash("+", child)
        return process

    def _tell_leash(self, sign: str, child: Child) -> None:
        self._send(f"{sign} {child.program.wave} {child.process.pid}")

    def _send(self, line: str) -> None:
        assert self._leash.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it was killed: `tick` starts another
            self._leash.stdin.write(line + "\n")
            self._leash.stdin.flush()

    def _write_pids(self) -> None:
        fresh = self._pids_file.with_suffix(".new")
        fresh.write_text(json.dumps(self.pids()))
        fresh.replace(self._pids_file)
