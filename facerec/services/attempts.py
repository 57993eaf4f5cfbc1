"""A face is asked about: the web's side of verification and identification."""

from __future__ import annotations

import uuid
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from PIL import Image

from facerec.core.types import Outcome, Reason
from facerec.models import Attempt, Mode, Subject
from facerec.services.photos import keep_probe
from facerec.services.presence import Presence, presence_of, spent, take_face
from webapp.accounts.models import ApiKey, User
from webapp.errors import UserFacingError
from webapp.jobs.dispatch import enqueue
from webapp.jobs.models import Status


def find_subject(*, claim: str, field: str = "subject") -> Subject:
    """The enrolled person that a claim means: an external id, or a name that only one has.

    Raises:
        UserFacingError: `no_claim`, `unknown_person` (404), `several_people`.
    """
    claim = claim.strip()
    if not claim:
        raise UserFacingError(
            "no_claim",
            "It is not said who this person claims to be.",
            "Give a name or an external id.",
            status=422,
            field=field,
        )
    subject = Subject.objects.filter(external_id=claim).first()
    if subject is not None:
        return subject
    named = list(Subject.objects.filter(name__iexact=claim)[:2])
    if len(named) > 1:
        raise UserFacingError(
            "several_people",
            "Several people have this name.",
            "Give the external id instead.",
            status=422,
            field=field,
        )
    if not named:
        raise UserFacingError(
            "unknown_person",
            "Nobody with this name or external id is enrolled.",
            "Check the spelling, or ask an administrator to enrol this person.",
            status=404,
            field=field,
        )
    return named[0]


def start_verification(
    *,
    subject: Subject,
    image: Image.Image | None = None,
    by: User,
    presence: Presence | None = None,
    api_key: ApiKey | None = None,
    attempt_id: UUID | None = None,
) -> Attempt:
    """Is the person on the photo, or in the live check, this subject? Sends the question to a
    worker; where the presence says that nothing may be compared, it is answered at once.

    Args:
        image: the photo; None where `presence` needs none.
        presence: what was shown of the person's being there; by default nothing.

    Raises:
        UserFacingError: `liveness_spent` (409).
        redis.RedisError: there is nowhere to lay the probe; nothing was started.
    """
    return _start(Mode.VERIFICATION, subject, image, by, presence, api_key, attempt_id)


def start_identification(
    *,
    image: Image.Image | None = None,
    by: User,
    presence: Presence | None = None,
    api_key: ApiKey | None = None,
    attempt_id: UUID | None = None,
) -> Attempt:
    """Who of the enrolled people is on the photo, or in the live check? As `start_verification`."""
    return _start(Mode.IDENTIFICATION, None, image, by, presence, api_key, attempt_id)


def note_unknown_claim(*, by: User, api_key: ApiKey | None = None) -> Attempt:
    """A line in the log: somebody was claimed to be a person who is not enrolled. Whom they
    claimed is not kept: it may be a name that was deleted, or a password in the wrong field."""
    return Attempt.objects.create(
        owner=by,
        operator=by.get_username(),
        api_key=api_key,
        mode=Mode.VERIFICATION,
        status=Status.DONE,
        finished=timezone.now(),
        outcome=Outcome.CANNOT_DECIDE,
        reason=Reason.UNKNOWN_PERSON,
    )


def _start(
    mode: Mode,
    subject: Subject | None,
    image: Image.Image | None,
    by: User,
    presence: Presence | None,
    api_key: ApiKey | None,
    attempt_id: UUID | None,
) -> Attempt:
    attempt_id = attempt_id or uuid.uuid4()
    presence = presence or presence_of(mode=mode, by=by)
    attempt = Attempt(
        id=attempt_id,
        owner=by,
        operator=by.get_username(),
        api_key=api_key,
        mode=mode,
        subject=subject,
        **presence.as_fields(),
    )
    if presence.reason is not None:
        attempt.outcome, attempt.reason = Outcome.CANNOT_DECIDE, presence.reason
        attempt.status, attempt.finished = Status.DONE, timezone.now()
    elif presence.session is not None:
        take_face(presence.session, attempt_id)
    else:
        if image is None:
            raise ValueError("a question without a live check needs a photo")
        attempt.width, attempt.height = image.info.get("sent_size", image.size)
        keep_probe(attempt_id, image)
    try:
        with transaction.atomic():
            attempt.save(force_insert=True)
            if not attempt.is_final:
                enqueue(attempt)
    except IntegrityError as error:
        if presence.session is None:
            raise
        raise spent() from error  # another attempt was quicker
    return attempt
