"""Small JSON events on the channel layer: a job's state, told to whoever watches."""

from __future__ import annotations

from uuid import UUID

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from webapp.jobs.models import Job

log = structlog.get_logger(__name__)


def group_of(job_id: UUID | str) -> str:
    """The channel-layer group of a job's watchers."""
    return f"job.{job_id}"


def publish_state(job: Job) -> None:
    """Tell the watchers the job's state. A lost event is no loss: on connect all is sent anew."""
    message = {"type": "job.state", "job": job.as_event()}
    try:
        async_to_sync(get_channel_layer().group_send)(group_of(job.id), message)
    except Exception:
        log.warning("event not published", job=str(job.id), exc_info=True)
