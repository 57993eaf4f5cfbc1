"""Secrets that are made once and kept in a file for the owner's eyes alone."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """What the file holds; where there is none, what `make` gives, written with mode 0600."""
    if not path.exists():
        fresh = path.with_suffix(f".{os.getpid()}")
        with open(fresh, "x", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
            file.write(make())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)  # whole or not at all: two processes may start at once
        fresh.unlink()
    return path.read_text().strip()
