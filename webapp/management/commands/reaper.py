"""`manage.py reaper`: sends lost jobs again, until told to stop. `manage.py up` starts it."""

from __future__ import annotations

import signal
import threading
from typing import Any

import redis
import structlog
from django.core.management.base import BaseCommand
from django.db import Error as DatabaseError
from django.db import close_old_connections

from webapp.jobs.reaper import EVERY, Reaper

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Send again whatever the database calls queued or running and no worker holds."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        reaper = Reaper()
        while not stop.wait(EVERY):
            close_old_connections()
            try:
                reaper.sweep()
            except redis.RedisError as error:
                log.warning("Redis is away", error=type(error).__name__)
                reaper.forget()
            except DatabaseError:
                log.exception("the database did not answer")
