"""What a painter may ask of a picture or a piece that is in the making."""

from __future__ import annotations

from typing import TypeVar

from django.db import transaction

from styletransfer.models import Piece, StyleJob
from styletransfer.services.leftovers import discard
from styletransfer.services.limits import check_waiting
from webapp.jobs import dispatch
from webapp.jobs.models import Request, Status

J = TypeVar("J", bound=StyleJob | Piece)


def cancel_job(*, job: J) -> J:
    """Stop for good; the newest that was made stays. A finished job is left as it is."""
    dispatch.ask(job, Request.CANCEL)
    if job.status == Status.CANCELLED:
        job.checkpoint_path.unlink(missing_ok=True)
    return job


def pause_job(*, job: J) -> J:
    """Stop until `resume_job`; nothing that was made is lost."""
    dispatch.ask(job, Request.PAUSE)
    return job


def resume_job(*, job: J) -> J:
    """Go on with a paused job.

    Raises:
        UserFacingError: `too_many_jobs` (429).
    """
    check_waiting(job.owner)
    with transaction.atomic():
        dispatch.resume(job)
    job.refresh_from_db()
    return job


def delete_job(*, job: StyleJob | Piece) -> None:
    """The job and all that came of it. A run that still works on it notices and stops."""
    job_id = job.pk
    dispatch.ask(job, Request.CANCEL)
    job.delete()
    discard(job_id)
