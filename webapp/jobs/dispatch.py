"""Send a job to its queue, and ask things of it."""

from __future__ import annotations

import redis
import structlog
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from webapp.celery import app
from webapp.jobs.events import publish_state
from webapp.jobs.models import ACTIVE, Job, Request, Status
from webapp.jobs.redis import client

log = structlog.get_logger(__name__)


def flag_of(job_id: object) -> str:
    """The Redis key by which a running job hears at once what is asked of it."""
    return f"asked:{job_id}"


def enqueue(job: Job) -> None:
    """Send the job's id to its queue when the transaction is committed."""
    transaction.on_commit(lambda: send(job))


def send(job: Job) -> None:
    """Send now. Where Redis is away the job stays queued, and the reaper sends it later."""
    try:
        app.send_task(
            job.task,
            args=[str(job.id)],
            queue=job.queue,
            retry=False,
            ignore_result=True,
        )
    except (OperationalError, OSError) as error:
        log.warning("not sent, the reaper will", job=str(job.id), error=type(error).__name__)


def ask(job: Job, request: Request) -> None:
    """Ask a job to cancel or pause. One that waits is settled here, one that runs hears it."""
    rows = type(job)._default_manager.filter(pk=job.pk)
    if request is Request.CANCEL:
        idle = rows.filter(status__in=[Status.QUEUED, Status.PAUSED])
        settled = idle.update(status=Status.CANCELLED, requested="", finished=timezone.now())
    else:
        settled = rows.filter(status=Status.QUEUED).update(status=Status.PAUSED, requested="")
    if not settled:
        running = rows.filter(status__in=ACTIVE)
        if running.update(requested=request):
            try:
                client().set(flag_of(job.pk), request.value, ex=600)
            except redis.RedisError:
                log.info("flag not set; the run reads the row within a second", job=str(job.pk))
    job.refresh_from_db()
    publish_state(job)


def resume(job: Job) -> None:
    """Send a paused job on its way again."""
    paused = type(job)._default_manager.filter(pk=job.pk, status=Status.PAUSED)
    if paused.update(status=Status.QUEUED, requested="", crashes=0):
        job.refresh_from_db()
        publish_state(job)
        enqueue(job)
