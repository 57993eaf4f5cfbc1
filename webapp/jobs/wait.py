"""Wait for a job that takes milliseconds, for an API that answers in one request."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from channels.layers import get_channel_layer

from webapp.jobs.events import group_of
from webapp.jobs.models import Job

J = TypeVar("J", bound=Job)
POLL = 0.5  # seconds; events are prompt, the row is the truth


async def start_and_wait(
    job_id: UUID, model: type[J], start: Callable[[], Awaitable[J]], *, timeout: float
) -> J:
    """Listen for the job's events, start it, and return it as soon as it is final.

    Args:
        job_id: the id that `start` will give the job, so that we listen before it runs.
        start: creates and enqueues it.
        timeout: seconds; then the job is returned as it is.
    """
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add(group_of(job_id), channel)
    try:
        job = await start()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while not job.is_final:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(layer.receive(channel), POLL)
                    job = await model._default_manager.aget(pk=job_id)
        return job
    finally:
        await layer.group_discard(group_of(job_id), channel)
