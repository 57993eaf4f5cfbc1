"""A photo becomes its 128 numbers for whoever asks, to learn by: the web's side."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from PIL import Image

from webapp.accounts.models import User
from webapp.jobs.photo_ask import PhotoAsk

LESSON = PhotoAsk("lesson", "facerec.tasks.lesson")
MAX_SIDE = 1280  # pixels: a lesson's face is seldom small


def start_lesson(*, image: Image.Image, by: User) -> UUID:
    """Sends a photo to a worker, to be encoded. Raises as `PhotoAsk.start` does."""
    return LESSON.start(image, by=by)


def take_answer(*, lesson: UUID, by: User) -> dict[str, Any] | None:
    """{encoding: 128 numbers, encoder}, else as `PhotoAsk.take_answer` has it."""
    return LESSON.take_answer(lesson, by=by)
