"""How much one painter may ask for at once."""

from __future__ import annotations

from django.conf import settings

from styletransfer.models import Piece, StyleJob
from webapp.accounts.models import User
from webapp.errors import UserFacingError
from webapp.jobs.models import ACTIVE


def check_waiting(owner: User) -> None:
    """Pictures and pieces together: they wait for the same worker.

    Raises:
        UserFacingError: `too_many_jobs` (429).
    """
    limit = settings.STYLE_JOBS_PER_USER
    waiting = sum(
        model._default_manager.filter(owner=owner, status__in=ACTIVE).count()
        for model in (StyleJob, Piece)
    )
    if waiting >= limit:
        raise UserFacingError(
            "too_many_jobs",
            f"You have {limit} pictures and pieces waiting or being made, and that is the limit.",
            "Wait until one is done, or cancel one.",
            status=429,
        )
