"""Pictures that were made to excite a unit most: made when first asked for, kept, shown to all.

How far one is lies in Redis alone. Whoever asks while a worker is at it only watches; what a worker
did not finish is begun anew when somebody asks again.
"""

from __future__ import annotations

import json
from typing import Any

from django.core.files.storage import Storage, default_storage

from styletransfer.folders import JobFolder
from styletransfer.services.networks import check_network
from webapp.celery import app
from webapp.jobs.redis import client

TASK = "styletransfer.tasks.excite"
QUEUE = "style"  # seconds of torch, which the faces' worker must not wait for
WAITING_LIFE = 900  # seconds in the queue
PROGRESS_LIFE = 60  # seconds without another step


class ExcitedFolder(JobFolder):
    """The pictures of one network: LAYER/UNIT.jpg, and LAYER/UNIT.json what they reach."""

    root = "excited"
    sign = "version.txt"

    def __init__(self, network: str, storage: Storage = default_storage) -> None:
        super().__init__(network, storage)

    def belong_to(self, version: str) -> None:
        """Delete what other weights had made."""
        try:
            if self.read(self.sign).decode() == version:
                return
        except FileNotFoundError:
            pass
        self.delete()
        self.write(self.sign, version.encode())

    def picture(self, layer: str, unit: int) -> bytes:
        """A JPEG. Raises FileNotFoundError."""
        return self.read(f"{layer}/{unit}.jpg")

    def facts(self, layer: str, unit: int) -> dict[str, float] | None:
        """{activation, seconds}; None where there is no picture."""
        try:
            found: dict[str, float] = json.loads(self.read(f"{layer}/{unit}.json"))
        except FileNotFoundError:
            return None
        return found


def progress_key(network: str, layer: str, unit: int) -> str:
    return f"excite:{network}:{layer}:{unit}"


def start_exciting(*, network: str, layer: str, unit: int) -> None:
    """Have the picture made, unless it is there or on its way.

    Raises:
        UserFacingError: `no_such_network`, `weights_missing`.
        redis.RedisError, kombu.exceptions.OperationalError: nothing was sent.
    """
    check_network(network)
    if ExcitedFolder(network).facts(layer, unit) is not None:
        return
    key = progress_key(network, layer, unit)
    if not _waits(client().get(key)):
        client().delete(key)
    if client().set(key, json.dumps({"step": 0, "steps": 0}), nx=True, ex=WAITING_LIFE):
        app.send_task(
            TASK,
            args=[network, layer, unit],
            queue=QUEUE,
            expires=WAITING_LIFE,
            retry=False,
            ignore_result=True,
        )


def progress(*, network: str, layer: str, unit: int) -> dict[str, Any] | None:
    """{done: true, activation} | {step, steps, picture: JPEG in base64, or none} | {code, message,
    hint}; None where nobody has asked for it."""
    if facts := ExcitedFolder(network).facts(layer, unit):
        return {"done": True, **facts}
    found = client().get(progress_key(network, layer, unit))
    if not found:
        return None
    told: dict[str, Any] = json.loads(found)
    return told


def _waits(found: Any) -> bool:
    """Whether a worker has it or will have it; not where one has failed."""
    return bool(found) and "code" not in json.loads(found)
