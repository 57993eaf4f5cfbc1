"""`/ws/jobs/{id}/`: authorise once, send the present state, then forward.

To the browser: text `{"type": "state", "job": …}`, and binary frames (see `Frame.message`).
From the browser: `{"type": "ack"}` after a frame was painted. A watcher has two credits, so a
slow one skips to the newest frame and holds nobody up.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any
from uuid import UUID

import redis
import structlog
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from uvicorn.protocols.utils import ClientDisconnected

from webapp.jobs.events import group_of
from webapp.jobs.hub import watch
from webapp.jobs.registry import find_job

CREDITS = 2
SIGN_IN, NOT_FOUND, BAD_MESSAGE, RESTART = 4401, 4404, 4400, 1012

log = structlog.get_logger(__name__)


class JobConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One browser that watches one job."""

    frames: asyncio.Task[None] | None = None
    group: str | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Where Redis goes away the browser is told to come again; nothing of us stays behind."""
        try:
            await super().__call__(scope, receive, send)
        except ClientDisconnected:
            log.info("the browser went away")
        except (redis.RedisError, OSError) as error:
            log.warning("Redis is away: a socket is closed", error=type(error).__name__)
            with contextlib.suppress(RuntimeError, OSError):  # it is closed already
                await send({"type": "websocket.close", "code": RESTART})
        finally:
            if self.frames is not None:
                self.frames.cancel()
                await asyncio.gather(self.frames, return_exceptions=True)

    async def connect(self) -> None:
        job_id: UUID = self.scope["url_route"]["kwargs"]["job_id"]
        await self.accept()  # a refusal after accepting carries its code to the browser
        if not self.scope["user"].is_authenticated:
            await self.close(code=SIGN_IN)
            return
        if await self._event(job_id) is None:
            await self.close(code=NOT_FOUND)
            return
        self.credits = asyncio.Semaphore(CREDITS)
        self.unacked = 0
        self.group = group_of(job_id)
        await self.channel_layer.group_add(self.group, self.channel_name)
        event = await self._event(job_id)  # with what changed before we joined the group
        if event is None:
            await self.close(code=NOT_FOUND)
            return
        await self._send_state(event)
        self.frames = asyncio.create_task(self._forward_frames(job_id))

    async def disconnect(self, code: int) -> None:
        if self.group is not None:
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            message = json.loads(text_data or "")
            kind = message["type"]
        except (ValueError, TypeError, KeyError):
            await self.close(code=BAD_MESSAGE)
            return
        if kind == "ack" and self.unacked > 0:
            self.unacked -= 1
            self.credits.release()

    async def job_state(self, event: dict[str, Any]) -> None:
        """A state event from the channel layer."""
        await self._send_state(event["job"])

    async def _send_state(self, job: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps({"type": "state", "job": job}))

    async def _forward_frames(self, job_id: UUID) -> None:
        number, points = 0, 0
        async with watch(job_id) as reader:
            while True:
                await self.credits.acquire()
                number, frame = await reader.next_after(number)
                if frame.points < points:  # the job went back to a checkpoint
                    points = 0
                self.unacked += 1
                await self.send(bytes_data=frame.message(points))
                points = frame.points

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def _event(self, job_id: UUID) -> dict[str, Any] | None:
        """The job's state, which may need queries; None where this person or key may not see it."""
        job, key = find_job(job_id), self.scope.get("api_key")
        if job is None or not job.visible_to(self.scope["user"]):
            return None
        return job.as_event() if key is None or key.allows(job.scope) else None
