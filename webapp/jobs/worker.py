"""What a worker process does at its start and end, apart from jobs."""

from __future__ import annotations

from typing import Any

from celery.signals import worker_shutting_down
from kombu.transport.redis import QoS

from webapp.jobs.runner import shutting_down

# Kombu would put unacknowledged messages back when its connection closes, which crashes the worker
# when Redis is away; the reaper sends again what is lost.
QoS.restore_at_shutdown = False


@worker_shutting_down.connect
def leave(**_: Any) -> None:
    """SIGTERM: running jobs checkpoint at their next iteration and go back to the queue."""
    shutting_down.set()
