"""One supervisor for one data folder."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from webapp.errors import UserFacingError
from webapp.supervisor.leash import GRACE


def take(path: Path) -> int:
    """Lock `path` for this process and write its id there; returns the open descriptor.

    Where the holder was killed, its leash still holds the lock while it clears up: wait for that.

    Raises:
        UserFacingError: `already_running`, naming the process that holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + sum(GRACE) + 2
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode().strip()
            if (holder.isdigit() and _alive(int(holder))) or time.monotonic() > deadline:
                os.close(descriptor)
                raise UserFacingError(
                    "already_running",
                    f"Likeness is already running on {path.parent.parent} (process {holder}).",
                    "Use that one, stop it first, or start a second one with a folder and a port "
                    "of its own: DATA_DIR=... PORT=... make run",
                    status=503,
                ) from None
        time.sleep(0.1)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
