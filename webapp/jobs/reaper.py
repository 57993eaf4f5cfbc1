"""The reaper: sends again whatever the database calls queued or running and nobody holds."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from webapp.jobs.dispatch import send
from webapp.jobs.lease import unleased
from webapp.jobs.models import ACTIVE, Job, Status
from webapp.jobs.redis import client
from webapp.jobs.registry import job_models

log = structlog.get_logger(__name__)

EVERY = 1.0  # seconds between sweeps
ALIVE_KEY = "reaper:alive"
# A running job renews its lease every second, also after Redis came back empty: give it time.
RUNNING_GRACE = 3.0
# A queued job whose queue is empty may just be on its way into a worker's hands.
QUEUED_GRACE = 5.0


@dataclass
class Reaper:
    """Remembers since when each job has been without a run."""

    orphaned_since: dict[UUID, float] = field(default_factory=dict)

    def sweep(self, now: float | None = None) -> list[Job]:
        """Look once; returns the jobs that were sent again.

        Raises:
            redis.RedisError: Redis is away; then nothing can be known of leases.
        """
        now = time.monotonic() if now is None else now
        redis = client()
        redis.set(ALIVE_KEY, int(time.time()), ex=6)
        active = [
            job
            for model in job_models()
            for job in model._default_manager.filter(status__in=ACTIVE)
        ]
        orphans = unleased(job.id for job in active)
        self.orphaned_since = {i: self.orphaned_since.get(i, now) for i in orphans}
        lengths = {queue: int(redis.llen(queue)) for queue in {job.queue for job in active}}
        sent = []
        for job in active:
            if job.id in orphans and self._overdue(job, now, lengths[job.queue]):
                self.orphaned_since[job.id] = now
                log.info("sending again", job=str(job.id), kind=job.kind, status=job.status)
                send(job)
                sent.append(job)
        return sent

    def _overdue(self, job: Job, now: float, waiting: int) -> bool:
        without = now - self.orphaned_since[job.id]
        if job.status == Status.RUNNING:
            return without >= RUNNING_GRACE
        return waiting == 0 and without >= QUEUED_GRACE

    def forget(self) -> None:
        """After Redis was away: every running job gets its grace anew."""
        self.orphaned_since.clear()
