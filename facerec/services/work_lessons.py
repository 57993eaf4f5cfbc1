"""A photo becomes its 128 numbers for whoever asks, to learn by: the worker's side."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from PIL import Image

from facerec.core.errors import FaceRefused
from facerec.encoders import active, adapter_of
from facerec.services.lessons import LESSON
from facerec.services.work import ready_runtime
from webapp.errors import UserFacingError


def give_lesson(user_id: int, lesson: UUID) -> None:
    """Encode the photo that waits, if it still does, and forget it."""
    LESSON.give(user_id, lesson, _answer)


def _answer(photo: Image.Image) -> dict[str, Any]:
    encoder = active()
    with ready_runtime() as here:
        try:
            face = here.pipeline_of(encoder).one_face(photo)
        except FaceRefused as refused:
            raise UserFacingError(refused.reason.value, refused.reason.sentence) from None
    encoding = adapter_of(encoder)(face.encoding)
    return {"encoding": [round(float(x), 6) for x in encoding], "encoder": encoder.name}
