"""Verification and identification."""

from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from ninja import File, Form, Router, Schema
from ninja.files import UploadedFile
from PIL import Image

from facerec.api.common import ERRORS, PATIENCE, find_subject, key_of, unanswered
from facerec.core.types import Outcome
from facerec.models import Attempt, Mode, Subject
from facerec.reasons import INTERRUPTED, sentence_of
from facerec.services.attempts import (
    note_unknown_claim,
    start_identification,
    start_verification,
)
from facerec.services.photos import MAX_SIDE
from facerec.services.presence import Presence, presence_of
from webapp.accounts.models import Scope
from webapp.apikeys import AsyncKeyAuth
from webapp.errors import UserFacingError
from webapp.jobs.models import Status
from webapp.jobs.wait import start_and_wait
from webapp.ratelimit import check_rate
from webapp.uploads import read_picture

router = Router()


class VerificationOut(Schema):
    """`distance` is squared L2; null where nothing was compared, and then `reason` says why.
    `threshold` is null where the live check alone said that nothing is. `liveness` is `passed`,
    `failed`, `missing` or `vouched`; null where it was not asked for. `attempt` is by what the
    answer can be corrected."""

    attempt: UUID
    outcome: str
    distance: float | None
    threshold: float | None
    reason: str | None
    encoder: str
    liveness: str | None


class FaceOut(Schema):
    """`box` is x, y, width, height in pixels of the upright photo, the largest face first.

    `margin` is by how much (squared L2) the nearest other person is farther than the nearest one;
    null where there is no other. `runner_up` is that person's external id, where the nearest lies
    within the threshold and the key may see people; else null.
    """

    box: list[int]
    outcome: str
    external_id: str | None
    distance: float | None
    threshold: float
    margin: float | None
    runner_up: str | None
    reason: str | None


class IdentificationOut(Schema):
    """`outcome` is the best that a face came to; where it is `cannot_decide`, `reason` says why:
    look at it before `faces`, which may be empty. `liveness` as in a verification. `attempt` is by
    what the answer can be corrected."""

    attempt: UUID
    outcome: str
    reason: str | None
    liveness: str | None
    faces: list[FaceOut]


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
    liveness_session: Form[UUID | None] = None,
    vouched: Form[str] = "",
) -> dict[str, Any]:
    """`outcome` is `match`, `no_match` or `cannot_decide`. Instead of `photo`, the id of a live
    check that was passed (`liveness_session`): then its own picture is compared. Where a live check
    is required, neither is *cannot decide*; `vouched` says how else you know that the person is
    there, if an administrator allows that."""
    attempt_id = uuid.uuid4()

    @sync_to_async
    def start() -> Attempt:
        check_rate(request, "face")
        subject = _claimed(request, external_id)
        presence = presence_of(
            mode=Mode.VERIFICATION,
            by=key_of(request).user,
            session=liveness_session,
            vouched=vouched,
            has_photo=photo is not None,
        )
        return start_verification(
            subject=subject,
            image=_photo(photo, presence),
            presence=presence,
            by=key_of(request).user,
            api_key=key_of(request),
            attempt_id=attempt_id,
        )

    attempt = await _answered(attempt_id, start)
    return {
        "attempt": attempt.pk,
        "outcome": attempt.outcome,
        "distance": attempt.distance,
        "threshold": attempt.threshold,
        "reason": attempt.reason or None,
        "encoder": attempt.encoder_version,
        "liveness": attempt.liveness or None,
    }


@router.post(
    "/identify",
    response={200: IdentificationOut, **ERRORS},
    auth=AsyncKeyAuth(Scope.RECOGNISE),
    summary="Who is on a photo?",
)
async def identify(
    request: HttpRequest,
    photo: File[UploadedFile | None] = None,
    liveness_session: Form[UUID | None] = None,
    vouched: Form[str] = "",
) -> dict[str, Any]:
    """Each face's `outcome` is `match`, `not_recognized` or `cannot_decide`; a photo without a
    face has no faces. `liveness_session` and `vouched` as in a verification; of a live check the
    one face is looked for that was judged."""
    attempt_id = uuid.uuid4()

    @sync_to_async
    def start() -> Attempt:
        check_rate(request, "face")
        presence = presence_of(
            mode=Mode.IDENTIFICATION,
            by=key_of(request).user,
            session=liveness_session,
            vouched=vouched,
            has_photo=photo is not None,
        )
        return start_identification(
            image=_photo(photo, presence),
            presence=presence,
            by=key_of(request).user,
            api_key=key_of(request),
            attempt_id=attempt_id,
        )

    attempt = await _answered(attempt_id, start)
    sees_people = await sync_to_async(key_of(request).allows)(Scope.SUBJECTS)
    return {
        "attempt": attempt.pk,
        "outcome": attempt.outcome,
        "reason": attempt.reason or None,
        "liveness": attempt.liveness or None,
        "faces": [
            {
                "box": face.box,
                "outcome": face.outcome,
                "external_id": _external_id(face.subject, told=face.outcome == Outcome.MATCH),
                "distance": face.distance,
                "threshold": attempt.threshold,
                "margin": face.margin,
                "runner_up": _external_id(face.runner_up, told=sees_people),
                "reason": face.reason or None,
            }
            async for face in attempt.faces.select_related("subject", "runner_up")
        ],
    }


def _photo(photo: UploadedFile | None, presence: Presence) -> Image.Image | None:
    """The photo, where one is needed. Raises UserFacingError."""
    if not presence.needs_photo:
        return None
    return read_picture(photo, field="photo", max_side=MAX_SIDE)


def _external_id(subject: Subject | None, *, told: bool) -> str | None:
    return subject.external_id if subject is not None and told else None


def _claimed(request: HttpRequest, external_id: str) -> Subject:
    """Raises UserFacingError (404), and leaves a line in the log, where nobody has this id."""
    try:
        return find_subject(external_id)
    except UserFacingError:
        note_unknown_claim(by=key_of(request).user, api_key=key_of(request))
        raise


async def _answered(attempt_id: UUID, start: Any) -> Attempt:
    """The attempt with its answer. Raises UserFacingError (503) where none came."""
    attempt = await start_and_wait(attempt_id, Attempt, start, timeout=PATIENCE)
    if attempt.status != Status.DONE:
        raise unanswered(attempt.error)
    if attempt.reason == INTERRUPTED:
        raise UserFacingError(
            INTERRUPTED,
            "The photo was lost before it was looked at.",
            sentence_of(INTERRUPTED),
            status=503,
        )
    return attempt
