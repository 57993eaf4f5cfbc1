"""Logging: structlog renders every record, ours and the libraries', in one form."""

from __future__ import annotations

import logging.config
from typing import Any

import structlog


def configure(options: dict[str, Any]) -> None:
    """Set up logging; Django calls it with `settings.LOGGING` ({level, json})."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
    ]
    renderer = (
        structlog.processors.JSONRenderer()
        if options["json"]
        else structlog.dev.ConsoleRenderer(
            colors=False,
            pad_event_to=0,
            exception_formatter=structlog.dev.plain_traceback,  # rich ones print locals
        )
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "house": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        *([structlog.processors.format_exc_info] if options["json"] else []),
                        renderer,
                    ],
                    "foreign_pre_chain": shared,
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "house"}},
            "root": {"handlers": ["stderr"], "level": options["level"]},
            "loggers": {
                "PIL": {"level": "WARNING"},
                "celery": {"level": "WARNING"},
                "django.request": {"level": "CRITICAL"},  # `server_error` logs, with a reference
                "httpx": {"level": "WARNING"},
            },
        }
    )
    if structlog.is_configured():  # Django is set up twice under ASGI: loggers in use keep theirs
        return
    structlog.configure(
        processors=[
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
