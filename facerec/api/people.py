"""People: enrol, confirm, show, delete."""

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
from facerec.models import Enrolment, EnrolmentPhoto, PhotoStatus, Subject
from facerec.services.enrolment import Answer as PhotoAnswer
from facerec.services.enrolment import (
    add_photos,
    delete_subject,
    enrol_subject,
    read_photos,
    settle_photo,
)
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
    """How one photo of an enrolment fared: `enrolled`, `refused` with its reason, or `confirm`: it
    waits, outside the gallery, since it looks like somebody else (`duplicate`, and whom) or unlike
    the person's other photos (`outlier`). `distance` is squared L2."""

    id: int
    name: str
    status: str
    reason: str | None
    sentence: str
    looks_like: str | None
    distance: float | None


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
    response={201: EnrolledOut, 202: EnrolledOut, **ERRORS},
    auth=AsyncKeyAuth(Scope.SUBJECTS),
    summary="Enrol a person from one or several photos",
)
async def enrol(
    request: HttpRequest,
    external_id: Form[str],
    name: Form[str],
    consent: Form[bool] = False,
    confirm: Form[bool] = False,
    photo: File[list[UploadedFile]] = NO_PHOTOS,
) -> Answer[dict[str, Any]]:
    """201 if at least one photo could be used; 202 if none was yet, but one is to be confirmed
    (`POST /subjects/{external_id}/photos/{id}`, within two weeks); else 422 with the reason of
    each, and nothing of the person is kept. The photos themselves are kept in no case. With
    `confirm=true` probable duplicates and outliers are enrolled without asking."""
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
            confirmed=confirm,
            enrolment_id=enrolment_id,
        )

    enrolment = await start_and_wait(enrolment_id, Enrolment, start, timeout=PATIENCE)
    return await sync_to_async(_enrolled)(enrolment)


@router.post(
    "/subjects/{external_id}/photos",
    response={201: EnrolledOut, 202: EnrolledOut, **ERRORS},
    auth=AsyncKeyAuth(Scope.SUBJECTS),
    summary="Enrol further photos of a person",
)
async def add(
    request: HttpRequest,
    external_id: str,
    confirm: Form[bool] = False,
    photo: File[list[UploadedFile]] = NO_PHOTOS,
) -> Answer[dict[str, Any]]:
    """201, 202 and 422 as when a person is enrolled; the person stays in every case."""
    enrolment_id = uuid.uuid4()

    @sync_to_async
    def start() -> Enrolment:
        check_rate(request, "enrol")
        return add_photos(
            subject=find_subject(external_id),
            photos=read_photos(photo),
            by=key_of(request).user,
            confirmed=confirm,
            enrolment_id=enrolment_id,
        )

    enrolment = await start_and_wait(enrolment_id, Enrolment, start, timeout=PATIENCE)
    return await sync_to_async(_enrolled)(enrolment)


@router.post(
    "/subjects/{external_id}/photos/{photo_id}",
    response={200: PhotoOut, **ERRORS},
    auth=KeyAuth(Scope.SUBJECTS),
    summary="Say what is to be done with a photo that is to be confirmed",
)
def settle(
    request: HttpRequest, external_id: str, photo_id: int, answer: Form[PhotoAnswer]
) -> dict[str, Any]:
    """`enrol` makes it this person's template, `add_to_other` that of the person whom it looks
    like, `discard` forgets it. A person who came with it alone and gets no template goes again."""
    check_rate(request, "enrol")
    held = EnrolmentPhoto.objects.filter(
        pk=photo_id, enrolment__subject=find_subject(external_id)
    ).first()
    if held is None:
        raise UserFacingError(
            "unknown_photo",
            "This person has no such photo.",
            "Its id is in the answer to the enrolment.",
            status=404,
            field="photo_id",
        )
    return _photo(settle_photo(photo=held, answer=answer, by=key_of(request).user))


def _photo(photo: EnrolmentPhoto) -> dict[str, Any]:
    return {
        "id": photo.pk,
        "name": photo.name,
        "status": photo.status,
        "reason": photo.reason or None,
        "sentence": photo.sentence,
        "looks_like": photo.looks_like.external_id if photo.looks_like else None,
        "distance": photo.distance,
    }


def _enrolled(enrolment: Enrolment) -> Answer[dict[str, Any]]:
    """What an enrolment came to; where it came to nothing, nothing of it stays.

    Raises:
        UserFacingError: `no_photo_enrolled` (422), or what kept the worker from its work.
    """
    photos = [_photo(photo) for photo in enrolment.photos.select_related("looks_like")]
    subject = enrolment.subject
    for status, code in ((PhotoStatus.ENROLLED, 201), (PhotoStatus.CONFIRM, 202)):
        if subject is not None and any(photo["status"] == status for photo in photos):
            return Answer(code, {**_subject(subject), "photos": photos})
    error = enrolment.error
    refused = enrolment.status == Status.DONE
    if subject is not None and enrolment.provisional:
        delete_subject(subject=subject)
    Enrolment.objects.filter(pk=enrolment.pk).delete()
    if not refused:
        raise unanswered(error)
    raise UserFacingError(
        "no_photo_enrolled",
        "None of the photos can be used: " + " ".join(str(p["sentence"]) for p in photos[:1]),
        "Send others." + " Nothing of this person was kept." * enrolment.provisional,
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
