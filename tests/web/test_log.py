"""The log: loggers that are in use outlive a second set-up of Django."""

from __future__ import annotations

import django
import structlog
from structlog.testing import capture_logs


def test_loggers_in_use_are_heard_after_django_is_set_up_again() -> None:
    log = structlog.get_logger("tests.log")
    log.info("bound to what is configured now")
    django.setup()  # as `webapp.asgi` does
    with capture_logs() as lines:
        log.info("heard")
    assert [line["event"] for line in lines] == ["heard"]
