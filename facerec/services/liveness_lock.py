"""The pause after live checks that were not passed: nobody tries until a recording fits."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from facerec.models import LivenessSession, LivenessState, Purpose
from webapp.accounts.models import User
from webapp.errors import UserFacingError

FAILURES = 5
FAILURES_WITHIN = timedelta(minutes=3)
LOCKED_FOR = timedelta(minutes=5)


def locked_until(owner: User | None) -> datetime | None:
    """When this person may open live checks again; None if they may now.

    Five that were told a movement and not passed, within three minutes, lock for five from the
    last of them: also those that were broken off, else one would break off whatever goes wrong.
    Recordings do not count: nothing can be verified by them, and whoever records attacks fails.
    """
    since = timezone.now() - LOCKED_FOR - FAILURES_WITHIN
    failed = LivenessSession.objects.filter(
        owner=owner, begun__isnull=False, finished__gt=since
    ).exclude(state=LivenessState.PASSED)
    times = list(
        failed.exclude(purpose=Purpose.RECORDING)
        .order_by("-finished")
        .values_list("finished", flat=True)
    )
    for last, first in zip(times, times[FAILURES - 1 :], strict=False):
        if last and first and last - first <= FAILURES_WITHIN:
            until = last + LOCKED_FOR
            return until if until > timezone.now() else None
    return None


def check_lock(owner: User | None) -> None:
    """Raises UserFacingError: `liveness_locked` (429); its details have the seconds."""
    until = locked_until(owner)
    if until is None:
        return
    seconds = max(1, round((until - timezone.now()).total_seconds()))
    wait = f"{seconds} seconds" if seconds < 90 else f"{round(seconds / 60)} minutes"
    raise UserFacingError(
        "liveness_locked",
        "Too many live checks were not passed, so there is a pause now.",
        f"Try again in {wait}.",
        status=429,
        details={"seconds": seconds},
    )
