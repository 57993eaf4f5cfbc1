"""A photo becomes its 128 numbers for whoever asks, to learn by: the worker's side."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from PIL import Image

from facerec.core.errors import FaceRefused
from facerec.encoders import active, adapter_of
from facerec.services.lessons import LIFE, answer_key, photo_key
from facerec.services.work import ready_runtime
from webapp.errors import UserFacingError
from webapp.jobs.redis import client
from webapp.uploads import from_lossless


def give_lesson(user_id: int, lesson: UUID) -> None:
    """Encode the photo that waits, if it still does, and forget it."""
    waiting = client().getdel(photo_key(user_id, lesson))
    if not isinstance(waiting, bytes):
        return
    try:
        answer = _answer(from_lossless(waiting))
    except UserFacingError as error:
        answer = error.as_dict()
    client().set(answer_key(user_id, lesson), json.dumps(answer), ex=LIFE)


def _answer(photo: Image.Image) -> dict[str, Any]:
    encoder = active()
    with ready_runtime() as here:
        try:
            face = here.pipeline_of(encoder).one_face(photo)
        except FaceRefused as refused:
            raise UserFacingError(refused.reason.value, refused.reason.sentence) from None
    encoding = adapter_of(encoder)(face.encoding)
    return {"encoding": [round(float(x), 6) for x in encoding], "encoder": encoder.name}
