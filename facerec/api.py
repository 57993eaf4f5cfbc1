"""`/api/v1`: people, verification, identification."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from ninja import File, Form, Router, Schema
from ninja import Status as Answer
from ninja.files import UploadedFile

from facerec.models import Attempt, Enrolment, PhotoStatus, Subject
from facerec.reasons import INTERRUPTED, sentence_of
from facerec.services.attempts import start_identification, start_verification
from facerec.services.enrolment import delete_subject, enrol_subject, read_photos
from facerec.services.photos import MAX_SIDE
from webapp.accounts.models import ApiKey, Scope
from webapp.apikeys import AsyncKeyAuth, ErrorBody, KeyAuth
from webapp.errors import UserFacingError
from webapp.jobs.models import Job, Status
from webapp.jobs.wait import start_and_wait
from webapp.ratelimit import check_rate
from webapp.uploads import read_picture

router = Router()
J = TypeVar("J", bound=Job)

NO_PHOTOS: list[UploadedFile] = []
PATIENCE = 20.0  # seconds that a request waits for its worker
ERRORS = dict.fromkeys((400, 401, 403, 404, 409, 413, 415, 422, 429, 503), ErrorBody)


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


class VerificationOut(Schema):
    """`distance` is squared L2; null where nothing was compared, and then `reason` says why."""

    outcome: str
    distance: float | None
    threshold: float
    reason: str | None
    encoder: str


class FaceOut(Schema):
    """`box` is x, y, width, height in pixels of the upright photo, the largest face first."""

    box: list[int]
    outcome: str
    external_id: str | None
    distance: float | None
    threshold: float
    reason: str | None


class IdentificationOut(Schema):
    faces: list[FaceOut]


def _key(request: HttpRequest) -> ApiKey:
    """The key that the request was let in with."""
    key: ApiKey = request.auth  # type: ignore[attr-defined]
    return key


# --- people --------------------------------------------------------------------------------------
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
            by=_key(request).user,
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
        raise _unanswered(error)
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
    return _subject(_find(external_id))


@router.delete(
    "/subjects/{external_id}",
    response={204: None, **ERRORS},
    auth=KeyAuth(Scope.SUBJECTS),
    summary="Delete a person and all that came from them",
)
def delete(request: HttpRequest, external_id: str) -> Answer[None]:
    delete_subject(subject=_find(external_id))
    return Answer(204, None)


def _find(external_id: str) -> Subject:
    subject = Subject.objects.filter(external_id=external_id).first()
    if subject is None:
        raise UserFacingError(
            "unknown_person",
            "Nobody with this external id is enrolled.",
            "Check it, or enrol the person first.",
            status=404,
            field="external_id",
        )
    return subject


# --- verification and identification -------------------------------------------------------------
@router.post(
    "/verify",
    response={200: VerificationOut, **ERRORS},
    auth=AsyncKeyAuth(Scope.RECOGNISE),
    summary="Is the person on a photo who they claim to be?",
)
async def verify(
    request: HttpRequest,
    external_id: Form[str],
    photo: File[UploadedFile | None] = None,
) -> dict[str, Any]:
    """`outcome` is `match`, `no_match` or `cannot_decide`."""
    attempt_id = uuid.uuid4()

    @sync_to_async
    def start() -> Attempt:
        check_rate(request, "face")
        return start_verification(
            subject=_find(external_id),
            image=read_picture(photo, field="photo", max_side=MAX_SIDE),
            by=_key(request).user,
            api_key=_key(request),
            attempt_id=attempt_id,
        )

    attempt = await _answered(attempt_id, start)
    return {
        "outcome": attempt.outcome,
        "distance": attempt.distance,
        "threshold": attempt.threshold,
        "reason": attempt.reason or None,
        "encoder": attempt.encoder_version,
    }


@router.post(
    "/identify",
    response={200: IdentificationOut, **ERRORS},
    auth=AsyncKeyAuth(Scope.RECOGNISE),
    summary="Who is on a photo?",
)
async def identify(request: HttpRequest, photo: File[UploadedFile | None] = None) -> dict[str, Any]:
    """Each face's `outcome` is `match`, `not_recognized` or `cannot_decide`; a photo without a
    face has no faces."""
    attempt_id = uuid.uuid4()

    @sync_to_async
    def start() -> Attempt:
        check_rate(request, "face")
        return start_identification(
            image=read_picture(photo, field="photo", max_side=MAX_SIDE),
            by=_key(request).user,
            api_key=_key(request),
            attempt_id=attempt_id,
        )

    attempt = await _answered(attempt_id, start)
    return {
        "faces": [
            {
                "box": face.box,
                "outcome": face.outcome,
                "external_id": face.subject.external_id if face.subject else None,
                "distance": face.distance,
                "threshold": attempt.threshold,
                "reason": face.reason or None,
            }
            async for face in attempt.faces.select_related("subject")
        ]
    }


async def _answered(attempt_id: UUID, start: Any) -> Attempt:
    """The attempt with its answer. Raises UserFacingError (503) where none came."""
    attempt = await start_and_wait(attempt_id, Attempt, start, timeout=PATIENCE)
    if attempt.status != Status.DONE:
        raise _unanswered(attempt.error)
    if attempt.reason == INTERRUPTED:
        raise UserFacingError(
            INTERRUPTED,
            "The photo was lost before it was looked at.",
            sentence_of(INTERRUPTED),
            status=503,
        )
    return attempt


def _unanswered(error: dict[str, Any] | None) -> UserFacingError:
    if error is None:
        return UserFacingError(
            "faces_busy",
            "The face worker is busy or starting.",
            "Try again in a few seconds.",
            status=503,
        )
    return UserFacingError(error["code"], error["message"], error.get("hint", ""), status=503)
