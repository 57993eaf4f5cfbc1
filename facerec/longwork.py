"""What the worker of queue `long` runs on: the faces worker's runtime, loaded with its first job,
since many houses never train or calibrate and need not hold a second net in memory."""

from __future__ import annotations

from typing import Any


def describe() -> dict[str, Any]:
    """{device, torch, threads, models} once it is loaded, else {status}; loads nothing itself."""
    from facerec import runtime

    if runtime.is_loaded():
        return runtime.describe()
    return {"status": "loads torch with its first job"}
