"""A tiny process that ends the supervisor's children when the supervisor itself was killed.

The supervisor writes one line to its standard input for each process group that it starts or has
seen end. However the supervisor goes, the kernel then closes that pipe: what is still on the list
is ended, first by SIGTERM, then by SIGKILL. (Linux's PR_SET_PDEATHSIG would do for Linux alone.)

It also holds the supervisor's lock file open, so that nobody starts anew on the same data folder
before the old processes are gone. It imports the standard library only and starts in 20 ms.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

GRACE = (1.8, 0.4)  # seconds between SIGTERM and SIGKILL, per wave: workers and web, then Redis


def group_exists(group: int) -> bool:
    """Whether any process of the group is left (a dead one that nobody has reaped counts)."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):  # macOS refuses where only zombies are left
        return False
    return True


def end_groups(
    waves: Sequence[Iterable[int]], *, alive: Callable[[int], bool] = group_exists
) -> None:
    """End process groups wave by wave: SIGTERM, a grace, SIGKILL. Takes 3 s at the most."""
    for groups, grace in zip(waves, GRACE, strict=True):
        left = [group for group in groups if _send(group, signal.SIGTERM)]
        left = _wait(left, grace, alive)
        for group in left:
            _send(group, signal.SIGKILL)
        _wait(left, 0.2, alive)


def _send(group: int, number: signal.Signals) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _wait(groups: list[int], seconds: float, alive: Callable[[int], bool]) -> list[int]:
    deadline = time.monotonic() + seconds
    while (groups := [group for group in groups if alive(group)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return groups


def main(leftovers: Sequence[str]) -> None:
    """Follow standard input to its end; then end what is left and remove the files `leftovers`.

    A line is `+ <wave> <process group>` or `- <wave> <process group>`.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    waves: list[set[int]] = [set() for _ in GRACE]
    for line in sys.stdin:
        sign, wave, group = line.split()
        (waves[int(wave)].add if sign == "+" else waves[int(wave)].discard)(int(group))
    if any(waves):
        end_groups(waves)
        for name in leftovers:
            Path(name).unlink(missing_ok=True)


if __name__ == "__main__":
    main(sys.argv[1:])
