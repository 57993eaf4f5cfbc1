"""Many people at once: send an archive, start, look how it goes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema
from ninja import Status as Answer
from pydantic import Field

from facerec.api.common import ERRORS, key_of
from facerec.models import BulkEnrolment, BulkStatus, Existing
from facerec.services.bulk import ask_bulk, start_bulk
from webapp import archives
from webapp.accounts.models import Scope
from webapp.apikeys import KeyAuth
from webapp.errors import UserFacingError
from webapp.jobs.dispatch import resume as resume_job
from webapp.jobs.models import Request
from webapp.ratelimit import check_rate

router = Router(auth=KeyAuth(Scope.SUBJECTS))
MOST_LINES = 500


class BulkIn(Schema):
    archive: str
    consent: bool = Field(False, description="each of these people agreed")
    existing: Existing = Existing.ADD
    source: str = "an archive"


class BulkOut(Schema):
    """`counts` has the photos by what came of them: enrolled, refused, confirm, skipped."""

    id: UUID
    status: str
    error: dict[str, Any] | None
    people: int
    done: int
    total: int
    rate: float
    seconds_left: int | None
    counts: dict[str, int]


class LineOut(Schema):
    path: str
    person: str
    status: str
    code: str
    sentence: str


class LinesIn(Schema):
    status: BulkStatus | None = None
    offset: int = Field(0, ge=0)
    limit: int = Field(100, ge=1, le=MOST_LINES)


@router.post(
    "/bulk-enrolments",
    response={202: BulkOut, **ERRORS, 410: ERRORS[400]},
    summary="Enrol the people of an archive",
)
def start(request: HttpRequest, body: BulkIn) -> Answer[dict[str, Any]]:
    """Its progress streams over `/ws/jobs/{id}/`, too."""
    check_rate(request, "enrol")
    by = key_of(request).user
    job = start_bulk(
        archive=archives.claim(receipt=body.archive, by=by),
        source=body.source.strip()[:200] or "an archive",
        existing=body.existing,
        consent=body.consent,
        by=by,
    )
    return Answer(202, job.as_event())


@router.get("/bulk-enrolments/{job_id}", response={200: BulkOut, **ERRORS}, summary="How it goes")
def show(request: HttpRequest, job_id: UUID) -> dict[str, Any]:
    return _job(job_id).as_event()


@router.get(
    "/bulk-enrolments/{job_id}/photos",
    response={200: list[LineOut], **ERRORS},
    summary="What came of each photo",
)
def lines(request: HttpRequest, job_id: UUID, wanted: Query[LinesIn]) -> list[Any]:
    found = _job(job_id).photos.order_by("person", "path")
    if wanted.status is not None:
        found = found.filter(status=wanted.status)
    return list(found[wanted.offset :][: wanted.limit])


@router.post(
    "/bulk-enrolments/{job_id}/{what}",
    response={200: BulkOut, **ERRORS},
    summary="Pause, resume or cancel: `what` is one of these",
)
def act(request: HttpRequest, job_id: UUID, what: str) -> dict[str, Any]:
    job = _job(job_id)
    if what == "resume":
        resume_job(job)
    elif what in (Request.PAUSE, Request.CANCEL):
        ask_bulk(job=job, request=Request(what))
    else:
        raise UserFacingError(
            "no_such_action", "A run can be paused, resumed and cancelled.", status=404
        )
    return job.as_event()


def _job(job_id: UUID) -> BulkEnrolment:
    job = BulkEnrolment.objects.filter(pk=job_id).first()
    if job is None:
        raise UserFacingError("no_such_run", "There is no such run.", "Check its id.", status=404)
    return job
