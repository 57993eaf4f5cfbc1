"""People: enrol, show, delete."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from ninja import File, Form, Router, Schema
from ninja import Status as Answer
from ninja.files import UploadedFile

from facerec.api.common import ERRORS, NO_PHOTOS, PATIENCE, find_subject, key_of, unanswered
from facerec.models import Enrolment, PhotoStatus, Subject
from facerec.services.enrolment import delete_subject, enrol_subject, read_photos
from webapp.accounts.models import Scope
from webapp.apikeys import AsyncKeyAuth, KeyAuth
from webapp.errors import UserFacingError
from webapp.jobs.models import Status
from webapp.jobs.wait import start_and_wait
from webapp.ratelimit import check_rate

router = Router()


class TemplateOut(Schema):
    """One template; the encoding itself never leaves the house."""

    id: int
    encoder: str
    aligner: str
    quality: dict[str, float]
    created: datetime

    @staticmethod
    def resolve_encoder(template: Any) -> str:
        return str(template.encoder_version)

    @staticmethod
    def resolve_aligner(template: Any) -> str:
        return str(template.aligner_version)


class PhotoOut(Schema):
    """How one photo of an enrolment fared: `enrolled`, or `refused` with its reason."""

    name: str
    status: str
    reason: str | None
    sentence: str


class SubjectOut(Schema):
    external_id: str
    name: str
    consent_given_at: datetime
    created: datetime
    templates: list[TemplateOut]


class EnrolledOut(SubjectOut):
    photos: list[PhotoOut]


@router.post(
    "/subjects",
    response={201: EnrolledOut, **ERRORS},
    auth=AsyncKeyAuth(Scope.SUBJECTS),
    summary="Enrol a person from one or several photos",
)
async def enrol(
    request: HttpRequest,
    external_id: Form[str],
    name: Form[str],
    consent: Form[bool] = False,
    photo: File[list[UploadedFile]] = NO_PHOTOS,
) -> Answer[dict[str, Any]]:
    """201 if at least one photo could be used; else 422 with the reason of each, and nothing of
    the person is kept. The photos themselves are kept in neither case."""
    enrolment_id = uuid.uuid4()

    @sync_to_async
    def start() -> Enrolment:
        check_rate(request, "enrol")
        return enrol_subject(
            subject=Subject(name=name.strip(), external_id=external_id.strip()),
            consent=consent,
            photos=read_photos(photo),
            by=key_of(request).user,
            provisional=True,
            enrolment_id=enrolment_id,
        )

    enrolment = await start_and_wait(enrolment_id, Enrolment, start, timeout=PATIENCE)
    return Answer(201, await sync_to_async(_enrolled)(enrolment))


def _enrolled(enrolment: Enrolment) -> dict[str, Any]:
    """What an enrolment came to; where it came to nothing, nothing of it stays.

    Raises:
        UserFacingError: `no_photo_enrolled` (422), or what kept the worker from its work.
    """
    photos = [
        {"name": p.name, "status": p.status, "reason": p.reason or None, "sentence": p.sentence}
        for p in enrolment.photos.all()
    ]
    subject = enrolment.subject
    if subject is not None and any(p["status"] == PhotoStatus.ENROLLED for p in photos):
        return {**_subject(subject), "photos": photos}
    error = enrolment.error
    refused = enrolment.status == Status.DONE
    if subject is not None:
        delete_subject(subject=subject)
    Enrolment.objects.filter(pk=enrolment.pk).delete()
    if not refused:
        raise unanswered(error)
    raise UserFacingError(
        "no_photo_enrolled",
        "None of the photos can be used: " + " ".join(str(p["sentence"]) for p in photos[:1]),
        "Send others. Nothing of this person was kept.",
        status=422,
        field="photo",
        details={"photos": photos},
    )


def _subject(subject: Subject) -> dict[str, Any]:
    return {
        "external_id": subject.external_id,
        "name": subject.name,
        "consent_given_at": subject.consent_given_at,
        "created": subject.created,
        "templates": list(subject.templates.all()),
    }


@router.get(
    "/subjects/{external_id}",
    response={200: SubjectOut, **ERRORS},
    auth=KeyAuth(Scope.SUBJECTS),
    summary="What is stored of a person",
)
def show(request: HttpRequest, external_id: str) -> dict[str, Any]:
    return _subject(find_subject(external_id))


@router.delete(
    "/subjects/{external_id}",
    response={204: None, **ERRORS},
    auth=KeyAuth(Scope.SUBJECTS),
    summary="Delete a person and all that came from them",
)
def delete(request: HttpRequest, external_id: str) -> Answer[None]:
    delete_subject(subject=find_subject(external_id))
    return Answer(204, None)
