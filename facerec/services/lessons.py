"""A photo becomes its 128 numbers for whoever asks, to learn by: the web's side.

Photo and numbers lie in Redis alone, under the asker's own key, for a minute at most; no row and no
line in the log speaks of them.
"""

from __future__ import annotations

import json
import uuid
from typing import Any
from uuid import UUID

from PIL import Image

from webapp.accounts.models import User
from webapp.celery import app
from webapp.jobs.redis import client
from webapp.uploads import to_lossless

TASK = "facerec.tasks.lesson"
QUEUE = "faces"
LIFE = 60  # seconds
MAX_SIDE = 1280  # pixels: a lesson's face is seldom small


def photo_key(user_id: int, lesson: UUID) -> str:
    return f"lesson:{user_id}:{lesson}:photo"


def answer_key(user_id: int, lesson: UUID) -> str:
    return f"lesson:{user_id}:{lesson}"


def start_lesson(*, image: Image.Image, by: User) -> UUID:
    """Sends a photo to a worker, to be encoded.

    Raises:
        redis.RedisError, kombu.exceptions.OperationalError: nothing was sent.
    """
    lesson = uuid.uuid4()
    client().set(photo_key(by.pk, lesson), to_lossless(image), ex=LIFE)
    client().set(answer_key(by.pk, lesson), b"", ex=LIFE)
    app.send_task(
        TASK,
        args=[by.pk, str(lesson)],
        queue=QUEUE,
        expires=LIFE,
        retry=False,
        ignore_result=True,
    )
    return lesson


def take_answer(*, lesson: UUID, by: User) -> dict[str, Any] | None:
    """What became of the photo, given once: {encoding: 128 numbers, encoder} or {code, message,
    hint}; None while a worker has yet to look.

    Raises:
        KeyError: there is no such photo of this person, or not any more.
        redis.RedisError: it cannot be told now.
    """
    key = answer_key(by.pk, lesson)
    found = client().get(key)
    if found is None:
        raise KeyError(lesson)
    if not found:
        return None
    client().delete(key)
    answer: dict[str, Any] = json.loads(found)
    return answer
