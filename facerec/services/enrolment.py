"""People come and go: the web's side of enrolment."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from PIL import Image

from facerec.models import (
    Enrolment,
    EnrolmentPhoto,
    FaceTemplate,
    GalleryVersion,
    PhotoStatus,
    Subject,
)
from facerec.services.photos import MAX_SIDE, discard_photos, keep_photo
from webapp.accounts.models import User
from webapp.errors import UserFacingError
from webapp.jobs.dispatch import enqueue
from webapp.uploads import read_picture

log = structlog.get_logger(__name__)

CONFIRM_LIFE = timedelta(days=14)  # then a face that nobody said anything about is discarded


@dataclass(frozen=True)
class Photo:
    """A decoded upload and what its sender called it."""

    name: str
    image: Image.Image


def read_photos(uploads: Sequence[UploadedFile[Any]], *, field: str = "photo") -> list[Photo]:
    """Decode what came for an enrolment; one unreadable file refuses them all.

    Raises:
        UserFacingError: as `read_picture` does; of several files, the message names the first
            that is to blame and `details` lists all of those.
    """
    if len(uploads) > settings.MAX_UPLOAD_FILES:
        raise UserFacingError(
            "too_many_files",
            f"These are {len(uploads)} photos; at most {settings.MAX_UPLOAD_FILES} are taken.",
            "Two or three good ones are enough.",
            status=413,
            field=field,
        )
    if not uploads:
        read_picture(None, field=field, max_side=MAX_SIDE)  # raises no_file
    photos, refused = [], []
    for upload in uploads:
        name = (upload.name or "photo")[:100]
        try:
            photos.append(Photo(name, read_picture(upload, field=field, max_side=MAX_SIDE)))
        except UserFacingError as error:
            if len(uploads) == 1:
                raise
            refused.append((name, error))
    if refused:
        name, first = refused[0]
        raise UserFacingError(
            first.code,
            f"{name}: {first.message}",
            first.hint,
            status=first.status,
            field=field,
            details={"photos": [{"name": n, **e.as_dict()} for n, e in refused]},
        )
    return photos


def enrol_subject(
    *,
    subject: Subject,
    consent: bool,
    photos: Sequence[Photo],
    by: User,
    provisional: bool = False,
    confirmed: bool = False,
    enrolment_id: UUID | None = None,
) -> Enrolment:
    """Take up a new subject (not yet saved) and send its photos to be enrolled.

    Args:
        consent: whether the person agreed; recorded with the time and with `by`.
        provisional: the subject goes again if none of the photos can be used.
        confirmed: take in probable duplicates and outliers without asking.
        enrolment_id: the id that the job is to have, for whoever listens before it starts.

    Raises:
        UserFacingError: `consent_missing`, `external_id_taken` (409), `subject_invalid`.
    """
    if not consent:
        raise UserFacingError(
            "consent_missing",
            "Nobody is enrolled without their consent.",
            "Ask the person, then send consent=true.",
            status=422,
            field="consent",
        )
    subject.consent_given_at = timezone.now()
    subject.consent_by = by
    _check(subject)
    with transaction.atomic():
        try:
            with transaction.atomic():
                subject.save(force_insert=True)
        except IntegrityError as error:  # somebody else was quicker
            raise _taken() from error
        return add_photos(
            subject=subject,
            photos=photos,
            by=by,
            provisional=provisional,
            confirmed=confirmed,
            enrolment_id=enrolment_id,
        )


def add_photos(
    *,
    subject: Subject,
    photos: Sequence[Photo],
    by: User,
    provisional: bool = False,
    confirmed: bool = False,
    enrolment_id: UUID | None = None,
) -> Enrolment:
    """Send further photos of a subject to be enrolled."""
    written: list[UUID] = []
    try:
        with transaction.atomic():
            enrolment = Enrolment.objects.create(
                id=enrolment_id or uuid.uuid4(),
                owner=by,
                subject=subject,
                provisional=provisional,
                confirmed=confirmed,
            )
            for position, photo in enumerate(photos):
                row = EnrolmentPhoto.objects.create(
                    enrolment=enrolment, position=position, name=photo.name
                )
                written.append(row.file)
                keep_photo(row.file, photo.image)
            enqueue(enrolment)
    except BaseException:
        discard_photos(written)
        raise
    return enrolment


class Answer(StrEnum):
    """What a person says about a photo that is to be confirmed."""

    ENROL = "enrol"
    ADD_TO_OTHER = "add_to_other"
    DISCARD = "discard"


@transaction.atomic
def settle_photo(*, photo: EnrolmentPhoto, answer: Answer, by: User) -> EnrolmentPhoto:
    """Do with a photo that is to be confirmed what a person says; its encoding leaves the row.

    ENROL makes it a template of the person that it was sent for, ADD_TO_OTHER of the one whom it
    looks like, DISCARD of nobody. A person who came with it alone and gets no template goes too.

    Raises:
        UserFacingError: `already_settled` (409), `nobody_to_add_to` (422).
    """
    GalleryVersion.lock()
    held = (
        EnrolmentPhoto.objects.select_for_update(of=("self",))
        .select_related("looks_like", "enrolment__subject")
        .filter(pk=photo.pk, status=PhotoStatus.CONFIRM)
        .first()
    )
    if held is None:
        raise UserFacingError(
            "already_settled",
            "It was already said what is to be done with this photo.",
            "Reload the page.",
            status=409,
        )
    if answer == Answer.DISCARD:
        held.status = PhotoStatus.DISCARDED
    else:
        held.template = _template_of(held, answer)
        held.status = PhotoStatus.ENROLLED
    held.encoding = None
    held.save()
    log.info("photo settled", photo=held.pk, answer=str(answer), by=by.get_username())
    drop_if_empty(held.enrolment)
    return held


def _template_of(held: EnrolmentPhoto, answer: Answer) -> FaceTemplate:
    subject = held.enrolment.subject if answer == Answer.ENROL else held.looks_like
    if subject is None:
        raise UserFacingError(
            "nobody_to_add_to",
            "The person whom this photo was to be added to is not enrolled.",
            "Enrol it anyway, or discard it.",
            status=422,
        )
    return FaceTemplate.objects.create(
        subject=subject,
        encoding=held.encoding,
        encoder_version=held.encoder_version,
        aligner_version=held.aligner_version,
        quality=held.quality,
    )


def drop_if_empty(enrolment: Enrolment) -> None:
    """A subject that came with photos of which none can be used goes again; one whose photo is to
    be confirmed waits with it. The enrolment stays, to tell why."""
    subject = enrolment.subject
    if not enrolment.provisional or subject is None:
        return
    undecided = enrolment.photos.filter(status__in=(PhotoStatus.WAITING, PhotoStatus.CONFIRM))
    if not undecided.exists() and not subject.templates.exists():
        Enrolment.objects.filter(pk=enrolment.pk).update(subject=None)
        enrolment.subject = None
        subject.delete()


def discard_unconfirmed() -> None:
    """Discard the faces that nobody has said anything about in CONFIRM_LIFE."""
    old = timezone.now() - CONFIRM_LIFE
    held = EnrolmentPhoto.objects.filter(status=PhotoStatus.CONFIRM, enrolment__created__lt=old)
    for enrolment in Enrolment.objects.filter(photos__in=held).distinct():
        with transaction.atomic():
            for photo in held.filter(enrolment=enrolment):
                photo.status, photo.encoding = PhotoStatus.DISCARDED, None
                photo.save(update_fields=["status", "encoding"])  # its signals are heard
            drop_if_empty(enrolment)


def delete_subject(*, subject: Subject) -> None:
    """Delete a person and all that came from them; the log's lines stay and name nobody.

    Templates, enrolments and waiting photos go with the row (see `facerec.signals` for the
    files); the foreign keys of attempts to it become null.
    """
    subject.delete()


def delete_template(*, template: FaceTemplate) -> None:
    """Delete one template; the gallery's version changes with it."""
    template.delete()


def _check(subject: Subject) -> None:
    """Raise what is wrong with a new subject's name or external id."""
    if Subject.objects.filter(external_id=subject.external_id).exists():
        raise _taken()
    try:
        subject.full_clean(exclude=["consent_by"])
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise UserFacingError(
            "subject_invalid",
            f"The {field.replace('_', ' ')} cannot be taken: {messages[0]}",
            "Correct it and send it again.",
            status=422,
            field=field,
        ) from error


def _taken() -> UserFacingError:
    return UserFacingError(
        "external_id_taken",
        "Somebody with this external id is enrolled already.",
        "Delete that person first, or choose another external id.",
        status=409,
        field="external_id",
    )
