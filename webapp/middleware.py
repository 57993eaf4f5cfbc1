"""Errors on their way to the browser: a sentence where the user can act, a reference for bugs."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import kombu.exceptions
import redis
import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from webapp.errors import UserFacingError

log = structlog.get_logger(__name__)


def new_reference() -> str:
    """A short id that a user can read out and an engineer can find in the log."""
    return secrets.token_hex(4)


REDIS_AWAY = UserFacingError(
    "redis_away",
    "The house is just restarting a part of itself (Redis).",
    "Try again in a few seconds; nothing you made is lost.",
    status=503,
)


class UserFacingErrorMiddleware:
    """Turns a `UserFacingError` from any page into a page or, for htmx, an error summary."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, redis.RedisError | kombu.exceptions.OperationalError):
            log.warning("Redis is away", path=request.path, error=type(exception).__name__)
            exception = REDIS_AWAY
        if not isinstance(exception, UserFacingError):
            return None
        if getattr(request, "htmx", False):
            context = {"errors": [exception.as_dict()]}
            return render(
                request, "components/error_summary.html", context, status=exception.status
            )
        return render(
            request, "errors/user_facing.html", {"error": exception}, status=exception.status
        )


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: Django has logged the traceback; the reference ties the two together."""
    reference = new_reference()
    log.error("server error", reference=reference, path=request.path, exc_info=True)
    return render(request, "errors/500.html", {"reference": reference}, status=500)
