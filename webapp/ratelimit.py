"""Limits on use: a moving window per person (or per address when signed out), kept in Redis."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from django.http import HttpRequest
from limits import parse
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from webapp.errors import UserFacingError


@cache
def _limiter(url: str) -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(storage_from_string(url))


def check_rate(request: HttpRequest, what: str) -> None:
    """Count one use of `what` (a name in settings.RATE_LIMITS).

    Raises:
        UserFacingError: `too_many_requests` (429) when the window is full.
    """
    user = getattr(request, "user", None)
    who = f"user:{user.pk}" if user and user.is_authenticated else request.META["REMOTE_ADDR"]
    limit = parse(settings.RATE_LIMITS[what])
    if not _limiter(settings.REDIS_URL).hit(limit, "rate", what, who):
        raise UserFacingError(
            "too_many_requests",
            f"That was more than {limit.amount} in {limit.multiples} {limit.GRANULARITY.name}.",
            "Wait a little, then try again.",
            status=429,
        )
