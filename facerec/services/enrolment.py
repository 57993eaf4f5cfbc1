"""People come and go: the web's side of enrolment."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from PIL import Image

from facerec.models import Enrolment, EnrolmentPhoto, FaceTemplate, Subject
from facerec.services.photos import MAX_SIDE, discard_photos, keep_photo
from webapp.accounts.models import User
from webapp.errors import UserFacingError
from webapp.jobs.dispatch import enqueue
from webapp.uploads import read_picture


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
    enrolment_id: UUID | None = None,
) -> Enrolment:
    """Take up a new subject (not yet saved) and send its photos to be enrolled.

    Args:
        consent: whether the person agreed; recorded with the time and with `by`.
        provisional: the subject goes again if none of the photos can be used.
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
            enrolment_id=enrolment_id,
        )


def add_photos(
    *,
    subject: Subject,
    photos: Sequence[Photo],
    by: User,
    provisional: bool = False,
    enrolment_id: UUID | None = None,
) -> Enrolment:
    """Send further photos of a subject to be enrolled."""
    written: list[UUID] = []
    try:
        with transaction.atomic():
            enrolment = Enrolment.objects.create(
                id=enrolment_id or uuid.uuid4(), owner=by, subject=subject, provisional=provisional
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
