"""How a picture or a piece begins: whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from styletransfer.folders import JobFolder
from styletransfer.models import Piece, StyleJob
from styletransfer.services.limits import check_waiting
from webapp.jobs import dispatch


@contextmanager
def beginning(job: StyleJob | Piece, folder: JobFolder) -> Iterator[None]:
    """Within it the folder is filled; then the job is saved and sent to the painters' queue.

    Raises:
        UserFacingError: `too_many_jobs` (429).
    """
    check_waiting(job.owner)
    try:
        yield
        with transaction.atomic():
            check_waiting(job.owner)  # once more where nobody can come between
            job.save(force_insert=True)
            dispatch.enqueue(job)
    except BaseException:
        folder.delete()  # nothing is left half-made
        raise
