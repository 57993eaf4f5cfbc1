"""Where photos wait for a worker, and how they go.

An enrolment photo is a file of this user alone, gone as soon as it was judged. A probe never
touches a disk: it waits in Redis, which keeps nothing on one either, for a minute at most.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import redis
import structlog
from django.conf import settings
from django.utils import timezone
from PIL import Image

from facerec.models import Enrolment, EnrolmentPhoto, PhotoStatus
from facerec.photosets import MAX_SIDE as MAX_SIDE
from facerec.reasons import INTERRUPTED
from webapp.jobs.models import FINAL
from webapp.jobs.redis import client
from webapp.uploads import from_lossless, to_lossless

log = structlog.get_logger(__name__)

PROBE_LIFE = 60  # seconds in Redis
ROWLESS_LIFE = 600  # seconds: a file is written before the row that names it is committed
SUFFIX = ".ppm"


def path_of(file: UUID) -> Path:
    return settings.ENROLMENT_DIR / f"{file}{SUFFIX}"


def keep_photo(file: UUID, image: Image.Image) -> None:
    """Write an enrolment photo for the worker to read."""
    with open(path_of(file), "xb", opener=_private) as target:
        target.write(to_lossless(image))


def read_photo(file: UUID) -> Image.Image | None:
    """The photo, or None where it is gone."""
    try:
        return from_lossless(path_of(file).read_bytes())
    except FileNotFoundError:
        return None


def discard_photos(files: Iterable[UUID]) -> None:
    """Delete photos; those that are gone already are no error."""
    for file in files:
        path_of(file).unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def discard_leftovers() -> None:
    """Delete every photo that nobody will judge: of jobs that ended early, or of no job at all.
    Several workers may do this at once."""
    Enrolment.objects.filter(
        subject=None, finished__lt=timezone.now() - timedelta(seconds=ROWLESS_LIFE)
    ).delete()  # refused whole, and whoever sent it has long had the answer
    abandoned = EnrolmentPhoto.objects.filter(
        status=PhotoStatus.WAITING, enrolment__status__in=FINAL
    )
    abandoned.update(status=PhotoStatus.REFUSED, reason=INTERRUPTED)
    status_of = {
        path_of(file): status
        for file, status in EnrolmentPhoto.objects.values_list("file", "status")
    }
    for path in settings.ENROLMENT_DIR.glob(f"*{SUFFIX}"):
        status = status_of.get(path)
        if status == PhotoStatus.WAITING:
            continue
        try:
            age = time.time() - path.stat().st_mtime
        except FileNotFoundError:
            continue
        if status is not None or age > ROWLESS_LIFE:
            path.unlink(missing_ok=True)
            log.info("deleted a leftover enrolment photo", age=round(age))


def probe_key(attempt_id: UUID) -> str:
    return f"probe:{attempt_id}"


def keep_probe(attempt_id: UUID, image: Image.Image) -> None:
    """Lay a probe ready for the worker. Raises redis.RedisError."""
    client().set(probe_key(attempt_id), to_lossless(image), ex=PROBE_LIFE)


def read_probe(attempt_id: UUID) -> Image.Image | None:
    """The probe, or None where it is gone (Redis restarted, or nobody came for a minute)."""
    data = client().get(probe_key(attempt_id))
    return from_lossless(data) if isinstance(data, bytes) else None


def discard_probe(attempt_id: UUID) -> None:
    try:
        client().delete(probe_key(attempt_id))
    except redis.RedisError:
        log.info("probe left to expire", attempt=str(attempt_id))
