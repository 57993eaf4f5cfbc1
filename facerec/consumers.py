"""`/ws/liveness/{id}/`: a live check's frames go to the worker, its progress to the browser.

The socket shows the nonce first (`begin`), then sends binary frames: 8 bytes big-endian float64,
the browser's clock in milliseconds, and a JPEG. At most CREDITS of them are under way at once;
every progress says how many were judged. docs/websocket.md has the whole of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import struct
import time
from collections import deque
from datetime import timedelta
from typing import Any
from uuid import UUID

import kombu.exceptions
import redis
import structlog
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils import timezone

from facerec import wording
from facerec.models import LivenessSession
from facerec.services import liveness_store as store
from facerec.services.liveness import (
    CREDITS,
    FPS,
    GRACE,
    JUDGED,
    MAX_BYTES,
    Begun,
    NotBegun,
    Refusal,
    abandon,
    begin,
    find_session,
    give_up,
    settle,
    wake_worker,
)
from webapp.accounts.models import Scope
from webapp.accounts.roles import Role, has_role
from webapp.errors import UserFacingError
from webapp.jobs.redis import async_client

BAD_MESSAGE, SIGN_IN, WRONG_NONCE, NOT_FOUND = 4400, 4401, 4403, 4404
IN_USE, OVER, TOO_LARGE, TOO_FAST, RESTART, BUG = 4409, 4410, 4413, 4429, 1012, 1011
CODES = {
    Refusal.WRONG_NONCE: WRONG_NONCE,
    Refusal.IN_USE: IN_USE,
    Refusal.OVER: OVER,
}

MOST_A_SECOND = FPS + 5
SPARE = 1  # a frame may cross its credit on the way
BEGIN_WITHIN = 10.0  # seconds in which a socket must show its nonce
BEAT = 1.0  # seconds without a word from the worker after which we look what is the matter
SILENCE = 1.5  # seconds without a frame, though there is credit: the connection is as good as lost
PATIENCE = 7.0  # seconds that frames may wait for a worker; then it is said that none judges
STAMP = struct.Struct(">d")
JPEG = b"\xff\xd8\xff"

log = structlog.get_logger(__name__)


class LivenessConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """The one socket that a live check has at a time."""

    begun: Begun | None = None
    over = False  # closed, or about to be
    hourglass: asyncio.Task[None] | None = None
    listener: asyncio.Task[None] | None = None
    redis: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Where Redis goes away the browser is told to come again; nothing of us stays behind."""
        try:
            await super().__call__(scope, receive, send)
        except (redis.RedisError, kombu.exceptions.OperationalError, OSError) as error:
            log.warning("Redis is away: a live check's socket is closed", error=_name(error))
            with contextlib.suppress(RuntimeError, OSError):  # it is closed already
                await send({"type": "websocket.close", "code": RESTART})
        finally:
            for task in (self.hourglass, self.listener):
                if task is not None:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
            if self.redis is not None:
                await self.redis.aclose()

    async def connect(self) -> None:
        self.session_id: UUID = self.scope["url_route"]["kwargs"]["session_id"]
        self.sent = self.judged = 0
        self.waiting_since = 0.0
        self.times: deque[float] = deque(maxlen=MOST_A_SECOND + 1)
        await self.accept()  # a refusal after accepting carries its code to the browser
        if not self.scope["user"].is_authenticated:
            await self.close(code=SIGN_IN)
        elif await self._session() is None:
            await self.close(code=NOT_FOUND)
        else:
            self.hourglass = asyncio.create_task(self._wait_for_begin())

    async def _wait_for_begin(self) -> None:
        await asyncio.sleep(BEGIN_WITHIN)
        if self.begun is None:
            await self.close(code=BAD_MESSAGE)

    async def disconnect(self, code: int) -> None:
        if self.begun is not None:
            with contextlib.suppress(redis.RedisError):  # then it runs out
                await sync_to_async(store.release)(self.session_id, self.channel_name)

    async def close(self, code: int | None = None, reason: str | None = None) -> None:
        if not self.over:
            self.over = True
            await super().close(code=code or 1000, reason=reason)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.over:
            return
        if bytes_data is not None:
            await self._take(bytes_data)
            return
        try:
            message = json.loads(text_data or "")
            kind, nonce = message["type"], message.get("nonce", "")
        except (ValueError, TypeError, KeyError, AttributeError):
            await self.close(code=BAD_MESSAGE)
            return
        if kind == "begin" and self.begun is None and isinstance(nonce, str):
            await self._begin(nonce)
        elif kind == "cancel" and self.begun is not None:
            await database_sync_to_async(abandon)(self.begun.session)
            await self.close()
        else:
            await self.close(code=BAD_MESSAGE)

    async def _begin(self, nonce: str) -> None:
        session = await self._session()
        if session is None:
            await self.close(code=NOT_FOUND)
            return
        try:
            self.begun = await database_sync_to_async(begin)(
                session=session, nonce=nonce, holder=self.channel_name
            )
        except NotBegun as refused:
            session = await self._session()
            if refused.why is Refusal.OVER and session is not None and session.state in JUDGED:
                await self._send_verdict(session)  # it was lost with the connection
                return
            await self.close(code=CODES[refused.why])
            return
        self.redis = async_client()
        session = self.begun.session
        await self._send(
            type="session",
            state=session.state,
            done=self.begun.done,
            steps=len(session.challenge),
            expires_in=round(_seconds_left(session), 1),
            credits=CREDITS,
            resumed=self.begun.connection > 0,
        )
        self.listener = asyncio.create_task(self._listen(self.begun))

    async def _take(self, data: bytes) -> None:
        """A frame, to the worker."""
        refused = self._refusal(data)
        if refused is not None or self.begun is None:
            await self.close(code=refused or BAD_MESSAGE)
            return
        if self.sent == self.judged:
            self.waiting_since = time.monotonic()
        self.sent += 1
        (taken,) = STAMP.unpack_from(data)
        frame = (taken / 1000, self.sent, self.begun.connection, data[STAMP.size :])
        await self._submit(frame)

    def _refusal(self, data: bytes) -> int | None:
        now = time.monotonic()
        self.times.append(now)
        if len(data) > STAMP.size + MAX_BYTES:
            return TOO_LARGE
        crowded = len(self.times) > MOST_A_SECOND and now - self.times[0] < 1.0
        if crowded or self.sent - self.judged >= CREDITS + SPARE:
            return TOO_FAST
        if data[STAMP.size :][: len(JPEG)] != JPEG:
            return BAD_MESSAGE
        (taken,) = STAMP.unpack_from(data)
        return None if math.isfinite(taken) else BAD_MESSAGE

    async def _submit(
        self, frame: tuple[float, int, int, bytes] | None = None, *, wake: bool = True
    ) -> None:
        """Lay a frame down, or say that we are here; a worker is woken where none is awake."""
        try:
            token = await store.submit(
                self.redis, self.session_id, self.channel_name, frame=frame, wake=wake
            )
        except store.Superseded:
            await self.close(code=IN_USE)
            return
        if token is not None:
            await sync_to_async(wake_worker, thread_sensitive=False)(self.session_id, token)

    async def _listen(self, begun: Begun) -> None:
        """Pass on what the worker says, until its verdict."""
        try:
            while not self.over:
                said = await store.next_told(
                    self.redis, self.session_id, begun.connection, wait=BEAT
                )
                if said is not None:
                    await self._pass_on(said)
                else:
                    await self._beat(begun)
        except (redis.RedisError, kombu.exceptions.OperationalError, OSError) as error:
            log.warning("Redis is away: a live check's socket is closed", error=_name(error))
            await self.close(code=RESTART)
        except Exception:
            log.exception("a live check's socket errored")
            await self.close(code=BUG)

    async def _beat(self, begun: Begun) -> None:
        """Nothing was said for a while: whose turn is it?"""
        over = timezone.now() - begun.session.expires
        if over > GRACE:
            await database_sync_to_async(settle)(begun.session)
            await self._end()
        elif self.sent > self.judged and time.monotonic() - self.waiting_since > PATIENCE:
            await database_sync_to_async(give_up)(begun.session, "faces_busy")
            await self._end()
        elif self.sent > self.judged or over > timedelta(0):
            await self._submit()  # the worker's: it may have been killed
        elif self.sent and time.monotonic() - self.times[-1] > SILENCE:
            # The network may have failed without a word. Who was told a movement and takes their
            # time over it comes again to another one.
            await self.close(code=RESTART)
        else:
            await self._submit(wake=False)

    async def _pass_on(self, said: dict[str, Any]) -> None:
        if said["type"] == "over":
            await self._end()
        elif said["type"] == "bad":
            await self.close(code=BAD_MESSAGE)
        else:
            self.judged, self.waiting_since = said["frame"], time.monotonic()
            await self._send(**said)

    async def _end(self) -> None:
        session = await self._session()
        if session is None:
            await self.close(code=NOT_FOUND)
        elif session.state in JUDGED:
            await self._send_verdict(session)
        else:
            await self.close(code=OVER)

    async def _send_verdict(self, session: LivenessSession) -> None:
        said = wording.live_check_result(session)
        await self._send(
            type="verdict", outcome=session.state, title=said.title, advice=said.sentence
        )
        await self.close()

    async def _send(self, **message: Any) -> None:
        await self.send(text_data=json.dumps(message))

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def _session(self) -> LivenessSession | None:
        """The session, settled; None where this person or key has no such session."""
        user, key = self.scope["user"], self.scope.get("api_key")
        may = has_role(user, Role.OPERATOR) and (key is None or key.allows(Scope.RECOGNISE))
        try:
            return find_session(session_id=self.session_id, by=user) if may else None
        except UserFacingError:
            return None


def _seconds_left(session: LivenessSession) -> float:
    return (session.expires - timezone.now()).total_seconds()


def _name(error: Exception) -> str:
    return type(error).__name__
