"""What a worker process does at its start and end, apart from jobs."""

from __future__ import annotations

from typing import Any

from celery.signals import worker_shutting_down
from kombu.transport.redis import Channel, QoS

from webapp.jobs.runner import shutting_down


class ForgetfulQoS(QoS):
    """Lets go of messages whose connection is gone; the reaper sends again what is lost.

    Kombu's own would put them back or acknowledge them over that connection, which ends the worker
    when Redis was away.
    """

    restore_at_shutdown = False

    def ack(self, delivery_tag: str) -> None:
        if self.channel.connection is not None:
            super().ack(delivery_tag)


Channel.QoS = ForgetfulQoS


@worker_shutting_down.connect
def leave(**_: Any) -> None:
    """SIGTERM: running jobs checkpoint at their next iteration and go back to the queue."""
    shutting_down.set()
