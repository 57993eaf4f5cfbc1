"""What runs, with how many threads, and on which address."""

from __future__ import annotations

import errno
import math
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from webapp.errors import UserFacingError
from webapp.supervisor.processes import Program
from webapp.supervisor.redis_server import RedisServer


def cores() -> int:
    """CPU cores that this process may use: its affinity, cut by a container's quota."""
    count = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return count
    return count if quota == "max" else max(1, min(count, math.ceil(int(quota) / int(period))))


@dataclass(frozen=True)
class Share:
    """How a worker uses the machine: tasks at once, and torch's threads for each."""

    concurrency: int
    threads: int


def shares(machine_cores: int, torch_threads: int = 0) -> dict[str, Share]:
    """Tasks at once and torch threads for each queue; `torch_threads` > 0 overrides the latter.

    A picture is painted by all cores: it alone keeps them busy for minutes. A face takes 0.1 s, of
    which detection, on one thread, is nine tenths: several at once serve better than threads.
    Long work on faces (training, calibrating, enrolling many) is not in a hurry.
    """
    return {
        "faces": Share(max(2, min(4, machine_cores)), torch_threads or max(1, machine_cores // 4)),
        "style": Share(1, torch_threads or machine_cores),
        "long": Share(1, torch_threads or max(1, machine_cores // 2)),
    }


def listen(host: str, port: int) -> socket.socket:
    """The web server's socket, listening.

    Raises:
        UserFacingError: `port_in_use`, `port_forbidden` or `no_such_host`, saying what to do.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _no_such_host(host) from error
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise UserFacingError(
                "port_in_use",
                f"Port {port} on {host} is in use by another program.",
                f"Stop that program, or choose another port: PORT={port + 1} make run",
                status=503,
            ) from error
        if error.errno == errno.EACCES:
            raise UserFacingError(
                "port_forbidden",
                f"Port {port} on {host} may not be opened by this user.",
                "Choose one above 1023: PORT=8000 make run",
                status=503,
            ) from error
        raise _no_such_host(host) from error
    return listener


def _no_such_host(host: str) -> UserFacingError:
    return UserFacingError(
        "no_such_host",
        f"HOST={host} is no address of this machine.",
        "Use 127.0.0.1 for this machine alone, or 0.0.0.0 for its network.",
        status=503,
    )


def address(host: str, port: int) -> str:
    """The URL at which this machine's own browser finds the server."""
    local = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    return f"http://{f'[{local}]' if ':' in local else local}:{port}"


def redis_program(server: RedisServer) -> Program:
    # What it says before it knows its log level, and a warning about saving, which it never does.
    chatter = (
        r"\d:C |Server initialized|overcommit|SIGTERM|User requested|Redis is now ready to exit"
    )
    return Program("redis", server.command, stdin=server.config, wave=1, silence=chatter)


def programs(
    *, listener: socket.socket, redis_url: str, data_dir: Path, torch_threads: int, reaper: bool
) -> list[Program]:
    """Everything but Redis, in the order of starting."""
    environment = {
        "DJANGO_SETTINGS_MODULE": "webapp.settings",
        "REDIS_URL": redis_url,
        "DATA_DIR": str(data_dir),
        "PYTHONUNBUFFERED": "1",
        # Celery warns of root since pickled messages could do anything; ours are JSON.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
    }
    descriptor = listener.fileno()
    web = Program(
        "web",
        [sys.executable, "-m", "webapp.supervisor.serve", str(descriptor)],
        environment,
        pass_fds=(descriptor,),
    )
    workers = [
        _worker(queue, share, environment)
        for queue, share in shares(cores(), torch_threads).items()
    ]
    reapers = [Program("reaper", [sys.executable, "manage.py", "reaper"], environment)]
    return [web, *workers, *(reapers if reaper else [])]


def _worker(queue: str, share: Share, environment: dict[str, str]) -> Program:
    threads = str(share.threads)
    command = [sys.executable, "-m", "celery", "--quiet", "--no-color", "-A", "webapp.celery:app"]
    command += ["--skip-checks", "worker", "--queues", queue, "--hostname", f"{queue}@%h"]
    command += [
        "--pool",
        "threads",
        "--concurrency",
        str(share.concurrency),
    ]  # torch and fork clash
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    command += ["--loglevel", "WARNING"]
    if queue != "faces":
        command = ["nice", "-n", "5", *command]  # a painting never delays a door
    ahead = {"WORKER_TAKES_AHEAD": str(int(queue == "faces"))}
    of_torch = {"TORCH_THREADS": threads, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    # Threads that spin while they wait for each other are slow where others want the cores too.
    of_torch["OMP_WAIT_POLICY"] = os.environ.get("OMP_WAIT_POLICY", "PASSIVE")
    # At its end: Celery's greeting, and libtorch where it is ended while it still loads.
    chatter = r"\A\Z|\Aworker: Warm shutdown|\Aterminate called without"
    return Program(queue, command, {**environment, **of_torch, **ahead}, silence=chatter)
