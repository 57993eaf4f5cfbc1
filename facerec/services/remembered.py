"""What is remembered of the faces that were asked about: their encodings, in Redis, which keeps
nothing on a disk, for a quarter of an hour, so that a wrong answer can be corrected by more than
words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

import redis
import structlog

from webapp.jobs.redis import client

log = structlog.get_logger(__name__)

LIFE = 15 * 60  # seconds

Stored = Mapping[str, Any]
"""A face as `admission.stored_form` has it."""


def remember(attempt_id: UUID, faces: Mapping[int, Stored]) -> None:
    """Keep the faces of an attempt, by their position, for as long as LIFE. Where Redis is not to
    be had nothing is kept: the attempt's answer does not depend on it."""
    if not faces:
        return
    lines = {
        position: json.dumps({**face, "encoding": face["encoding"].hex()})
        for position, face in faces.items()
    }
    try:
        with client().pipeline() as pipe:
            pipe.hset(_key(attempt_id), mapping=cast(Any, lines))
            pipe.expire(_key(attempt_id), LIFE)
            pipe.execute()
    except redis.RedisError:
        log.info("faces not remembered", attempt=str(attempt_id))


def recall(attempt_id: UUID, position: int) -> dict[str, Any] | None:
    """A face of an attempt, or None where it is remembered no more. Raises redis.RedisError."""
    line = client().hget(_key(attempt_id), str(position))
    if not isinstance(line, bytes):
        return None
    face = json.loads(line)
    return {**face, "encoding": bytes.fromhex(face["encoding"])}


def _key(attempt_id: UUID) -> str:
    return f"faces-of:{attempt_id}"
