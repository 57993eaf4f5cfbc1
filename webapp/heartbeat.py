"""What each worker runs on, told every two seconds to whoever asks (doctor, the status page, up).

A beat is the Redis key `worker:<queue>:<host>:<pid>` with a short life, so that a dead worker is
gone from the list without anybody having to clear up.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import redis
import structlog
from celery.signals import worker_ready
from django.conf import settings

from webapp.supervisor.redis_server import connect

log = structlog.get_logger(__name__)

EVERY = 2.0  # seconds
LIFE = 6  # seconds until a worker that fell silent counts as gone
DESCRIBE_EVERY = 30.0  # facts change rarely (weights that a job has just downloaded)
RUNTIMES = {
    "faces": "facerec.runtime",
    "style": "styletransfer.runtime",
    "long": "facerec.longwork",
}


def describe(queue: str) -> dict[str, Any]:
    """What this process would run a queue's tasks on: {device, torch, threads, models}.

    Loads torch: call it in workers and from the command line only.
    """
    name = RUNTIMES[queue]
    if find_spec(name) is None:
        return {"problem": f"{name} is not there"}
    try:
        facts: dict[str, Any] = import_module(name).describe()
    except Exception as error:
        log.exception("the runtime could not be described", queue=queue)
        return {"problem": type(error).__name__}
    return facts


@dataclass
class Heartbeat:
    """One worker process's beat; `state` is `loading` until its runtime has told the facts."""

    queue: str
    concurrency: int
    started: float = field(default_factory=time.time)
    facts: dict[str, Any] = field(default_factory=dict)
    state: str = "loading"
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def key(self) -> str:
        return f"worker:{self.queue}:{socket.gethostname()}:{os.getpid()}"

    def message(self) -> bytes:
        return json.dumps(
            {
                "queue": self.queue,
                "pid": os.getpid(),
                "host": socket.gethostname(),
                "started": self.started,
                "concurrency": self.concurrency,
                "state": self.state,
                **self.facts,
            },
            default=str,
        ).encode()

    def start(self) -> None:
        """Beat from daemon threads, for as long as the process lives or until `ended` is set."""
        for work in (self._learn, self._beat):
            threading.Thread(target=work, name=f"heartbeat{work.__name__}", daemon=True).start()

    def _learn(self) -> None:
        while not self.ended.is_set():
            self.facts = describe(self.queue)
            self.state = "ready"
            self.ended.wait(DESCRIBE_EVERY)

    def _beat(self) -> None:
        client = connect(settings.REDIS_URL)
        told = ""
        while not self.ended.is_set():
            try:
                client.set(self.key, self.message(), ex=LIFE)
                told = ""
            except redis.RedisError as error:
                if not told:  # once an outage
                    told = type(error).__name__
                    log.warning("Redis does not hear the heartbeat", error=told)
            self.ended.wait(EVERY if self.state == "ready" else EVERY / 4)


def alive(client: redis.Redis) -> list[dict[str, Any]]:
    """The last beat of every worker alive, sorted by queue.

    Raises:
        redis.RedisError: Redis is away.
    """
    keys = list(client.scan_iter("worker:*", count=1000))
    beats = client.mget(keys) if keys else []
    return sorted(
        (json.loads(beat) for beat in beats if beat), key=lambda b: (b["queue"], b["pid"])
    )


@worker_ready.connect
def begin(sender: Any, **_: Any) -> None:
    """A Celery worker has started: beat for each queue that it serves."""
    pool = getattr(sender, "pool", None)
    for queue in sender.app.amqp.queues.consume_from:
        if queue in RUNTIMES:
            Heartbeat(queue, getattr(pool, "limit", 1)).start()
