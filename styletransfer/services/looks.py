"""Where in a photo a unit fires, for whoever tries it: the web's side.

Photo and answer lie in Redis alone, under the asker's own key, for a minute at most; no row and no
line in the log speaks of them. The faces' worker looks: it takes milliseconds, and must not wait
for a painting.
"""

from __future__ import annotations

import json
import uuid
from typing import Any
from uuid import UUID

from PIL import Image

from styletransfer.services.networks import check_network
from webapp.accounts.models import User
from webapp.celery import app
from webapp.jobs.redis import client
from webapp.uploads import to_lossless

TASK = "styletransfer.tasks.look"
QUEUE = "faces"
LIFE = 60  # seconds
MAX_SIDE = 1280  # pixels: the network's own scale is smaller, a face in a photo may be small


def photo_key(user_id: int, look: UUID) -> str:
    return f"look:{user_id}:{look}:photo"


def answer_key(user_id: int, look: UUID) -> str:
    return f"look:{user_id}:{look}"


def start_look(*, image: Image.Image, network: str, layer: str, unit: int, by: User) -> UUID:
    """Send a photo to a worker, to be looked at by one unit.

    Raises:
        UserFacingError: `no_such_network`, `weights_missing`.
        redis.RedisError, kombu.exceptions.OperationalError: nothing was sent.
    """
    check_network(network)
    look = uuid.uuid4()
    client().set(photo_key(by.pk, look), to_lossless(image), ex=LIFE)
    client().set(answer_key(by.pk, look), b"", ex=LIFE)
    app.send_task(
        TASK,
        args=[by.pk, str(look), network, layer, unit],
        queue=QUEUE,
        expires=LIFE,
        retry=False,
        ignore_result=True,
    )
    return look


def take_answer(*, look: UUID, by: User) -> dict[str, Any] | None:
    """What the unit saw, given once; None while a worker has yet to look.

    {peak, row, column, box: [left, top, right, bottom], width, height, picture: JPEG in base64 as
    the network saw it, overlay: PNG in base64, strongest: [[unit, activation], …], milliseconds},
    or {code, message, hint}.

    Raises:
        KeyError: there is no such photo of this person, or not any more.
        redis.RedisError: it cannot be told now.
    """
    key = answer_key(by.pk, look)
    found = client().get(key)
    if found is None:
        raise KeyError(look)
    if not found:
        return None
    client().delete(key)
    answer: dict[str, Any] = json.loads(found)
    return answer
