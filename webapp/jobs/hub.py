"""The hub: one reader a watched job and process, however many browsers watch."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import redis
import structlog

from webapp.jobs.frames import Frame, stream_of
from webapp.jobs.redis import async_client

log = structlog.get_logger(__name__)

BLOCK_MS = 5_000
RETRY_AFTER = 0.5  # seconds, while Redis is away


class _Reader:
    """Follows one job's stream and keeps its newest frame."""

    def __init__(self, job_id: UUID) -> None:
        self.key = stream_of(job_id)
        self.watchers = 0
        self.newest: Frame | None = None
        self.number = 0  # counts frames, so that a watcher knows whether it has this one
        self.news = asyncio.Condition()
        self.task = asyncio.create_task(self._follow(), name=f"frames {job_id}")

    async def _follow(self) -> None:
        last = b"0"
        client = async_client()
        try:
            while True:
                try:
                    answer: Any = await client.xread({self.key: last}, block=BLOCK_MS)
                    for _, entries in answer.items() if isinstance(answer, dict) else answer or []:
                        last, fields = entries[-1]
                        await self._show(Frame.from_entry(fields))
                except (redis.RedisError, OSError) as error:
                    log.warning("Redis is away", reader=self.key, error=type(error).__name__)
                    await asyncio.sleep(RETRY_AFTER)
        finally:
            await client.aclose()

    async def _show(self, frame: Frame) -> None:
        async with self.news:
            self.newest = frame
            self.number += 1
            self.news.notify_all()

    async def next_after(self, number: int) -> tuple[int, Frame]:
        """The newest frame, as soon as there is one that this watcher has not had."""
        async with self.news:
            await self.news.wait_for(lambda: self.number > number)
            assert self.newest is not None
            return self.number, self.newest


_readers: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[UUID, _Reader]] = WeakKeyDictionary()


@contextlib.asynccontextmanager
async def watch(job_id: UUID) -> AsyncIterator[_Reader]:
    """Share the job's reader for as long as one watches; the last to leave ends it."""
    readers = _readers.setdefault(asyncio.get_running_loop(), {})
    reader = readers.get(job_id)
    if reader is None:
        reader = readers[job_id] = _Reader(job_id)
    reader.watchers += 1
    try:
        yield reader
    finally:
        reader.watchers -= 1
        if reader.watchers == 0:
            del readers[job_id]
            reader.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader.task
