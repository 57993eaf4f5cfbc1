"""What commands that do a job's work themselves need of the house."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from channels.layers import channel_layers
from django.conf import settings

from webapp.jobs.redis import client
from webapp.supervisor.redis_server import throwaway


@contextmanager
def redis_at_hand() -> Iterator[bool]:
    """The running house's Redis, so that the job can be watched and paused on its page (True); or,
    where it does not run, one for the duration of the block (False).

    Raises:
        UserFacingError: there is no Redis to start.
    """
    if _house_answers():
        yield True
        return
    with tempfile.TemporaryDirectory() as folder, throwaway(Path(folder)) as url:
        layer: dict[str, Any] = settings.CHANNEL_LAYERS["default"]
        host = layer["CONFIG"]["hosts"][0]
        before = settings.REDIS_URL, host["address"]
        settings.REDIS_URL = host["address"] = url
        channel_layers.backends.clear()
        try:
            yield False
        finally:
            settings.REDIS_URL, host["address"] = before
            channel_layers.backends.clear()


def _house_answers() -> bool:
    try:
        return bool(settings.REDIS_URL) and bool(client().ping())
    except (redis.RedisError, OSError):
        return False
