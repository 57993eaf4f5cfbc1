"""A finished picture, looked into: made once by a worker, kept beside the picture.

The painter does it as soon as a picture is done, while its network is warm; for older pictures it
is done when somebody asks. How far it is lies in Redis alone.
"""

from __future__ import annotations

import json
from typing import Any

from styletransfer.files import PictureFolder
from styletransfer.models import StyleJob
from webapp.celery import app
from webapp.errors import UserFacingError
from webapp.jobs.redis import client

TASK = "styletransfer.tasks.look_into"
QUEUE = "style"  # a second of torch, or ten with VGG-19, which the faces' worker must not wait for
WAITING_LIFE = 3600  # seconds in the queue: a painting may be before it
PROGRESS_LIFE = 120  # seconds without another layer

WHICH = ("style", "picture", "difference")
"""Gram(S), Gram(G), and how they differ."""

_FACTS = "insight/insight.json"


def progress_key(job: StyleJob) -> str:
    return f"insight:{job.pk}"


def stored(job: StyleJob) -> dict[str, Any] | None:
    """{extractor, version, step, layers: [{name, units, content, style, pairs: [{units: [k, k'],
    style, picture}]}]}; None where the picture was not looked into yet."""
    if not job.has_picture:
        return None
    try:
        found: dict[str, Any] = json.loads(PictureFolder(job.pk).read(_FACTS))
    except FileNotFoundError:
        return None
    return found if found["step"] == job.kept_step else None


def store(job: StyleJob, facts: dict[str, Any], pictures: dict[tuple[str, str], bytes]) -> None:
    """Keep what was seen; pictures by (layer, which), as PNG."""
    folder = PictureFolder(job.pk)
    for (layer, which), data in pictures.items():
        folder.write(_name(layer, which), data)
    folder.write(_FACTS, json.dumps(facts).encode())  # last: it says that all is there


def gram_picture(job: StyleJob, layer: str, which: str) -> bytes:
    """A PNG. Raises FileNotFoundError."""
    found = stored(job)
    if not found or which not in WHICH or layer not in [row["name"] for row in found["layers"]]:
        raise FileNotFoundError(f"{layer} {which}")
    return PictureFolder(job.pk).read(_name(layer, which))


def start_insight(*, job: StyleJob) -> None:
    """Have the picture looked into, unless that is done or on its way.

    Raises:
        UserFacingError: `no_picture_yet`.
        redis.RedisError, kombu.exceptions.OperationalError: nothing was sent.
    """
    if not (job.is_final and job.has_picture):
        raise UserFacingError(
            "no_picture_yet",
            "There is no finished picture to look into yet.",
            "Follow the job until its status is done.",
            status=404,
        )
    if stored(job):
        return
    key = progress_key(job)
    if "code" in (progress(job) or {}):
        client().delete(key)
    if client().set(key, json.dumps({"done": 0, "of": 0}), nx=True, ex=WAITING_LIFE):
        app.send_task(
            TASK,
            args=[str(job.pk)],
            queue=QUEUE,
            expires=WAITING_LIFE,
            retry=False,
            ignore_result=True,
        )


def progress(job: StyleJob) -> dict[str, Any] | None:
    """{done, of: layers; of is 0 while it waits} or {code, message, hint}; None where nobody has
    asked for it."""
    found = client().get(progress_key(job))
    return json.loads(found) if found else None


def _name(layer: str, which: str) -> str:
    return f"insight/{layer}-{which}.png"
