"""A question about one photo that a worker answers in milliseconds, and that leaves no trace.

Photo and answer lie in Redis alone, under the asker's own key, for a minute at most; no row and no
line in the log speaks of them. The web's side starts it and takes the answer, the worker gives it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from PIL import Image

from webapp.accounts.models import User
from webapp.celery import app
from webapp.errors import UserFacingError
from webapp.jobs.redis import client
from webapp.jobs.runner import bug
from webapp.middleware import new_reference
from webapp.uploads import from_lossless, to_lossless

log = structlog.get_logger(__name__)

LIFE = 60  # seconds
QUEUE = "faces"


@dataclass(frozen=True)
class PhotoAsk:
    """One kind of question. name: begins its keys. task: takes (user id, ask id, *arguments)."""

    name: str
    task: str

    def start(self, image: Image.Image, *arguments: str | int, by: User) -> UUID:
        """Send a photo to a worker.

        Raises:
            redis.RedisError, kombu.exceptions.OperationalError: nothing was sent.
        """
        ask = uuid.uuid4()
        client().set(self._photo(by.pk, ask), to_lossless(image), ex=LIFE)
        client().set(self._answer(by.pk, ask), b"", ex=LIFE)
        app.send_task(
            self.task,
            args=[by.pk, str(ask), *arguments],
            queue=QUEUE,
            expires=LIFE,
            retry=False,
            ignore_result=True,
        )
        return ask

    def take_answer(self, ask: UUID, *, by: User) -> dict[str, Any] | None:
        """What came of the photo, given once, or {code, message, hint}; None while a worker has
        yet to look.

        Raises:
            KeyError: there is no such photo of this person, or not any more.
            redis.RedisError: it cannot be told now.
        """
        key = self._answer(by.pk, ask)
        found = client().get(key)
        if found is None:
            raise KeyError(ask)
        if not found:
            return None
        client().delete(key)
        answer: dict[str, Any] = json.loads(found)
        return answer

    def give(self, user_id: int, ask: UUID, look: Callable[[Image.Image], dict[str, Any]]) -> None:
        """Look at the photo that waits, if it still does, and forget it.

        What `look` raises becomes the answer: a UserFacingError as it is, a bug as its reference.
        """
        waiting = client().getdel(self._photo(user_id, ask))
        if not isinstance(waiting, bytes):
            return
        try:
            answer = look(from_lossless(waiting))
        except UserFacingError as error:
            answer = error.as_dict()
        except Exception:
            reference = new_reference()
            log.exception("a photo could not be answered for", ask=self.name, reference=reference)
            answer = bug(reference)
        client().set(self._answer(user_id, ask), json.dumps(answer), ex=LIFE)

    def _photo(self, user_id: int, ask: UUID) -> str:
        return f"{self.name}:{user_id}:{ask}:photo"

    def _answer(self, user_id: int, ask: UUID) -> str:
        return f"{self.name}:{user_id}:{ask}"
