"""Verification and identification."""

from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from ninja import File, Form, Router, Schema
from ninja.files import UploadedFile

from facerec.api.common import ERRORS, PATIENCE, find_subject, key_of, unanswered
from facerec.models import Attempt
from facerec.reasons import INTERRUPTED, sentence_of
from facerec.services.attempts import start_identification, start_verification
from facerec.services.photos import MAX_SIDE
from webapp.accounts.models import Scope
from webapp.apikeys import AsyncKeyAuth
from webapp.errors import UserFacingError
from webapp.jobs.models import Status
from webapp.jobs.wait import start_and_wait
from webapp.ratelimit import check_rate
from webapp.uploads import read_picture

router = Router()


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
            subject=find_subject(external_id),
            image=read_picture(photo, field="photo", max_side=MAX_SIDE),
            by=key_of(request).user,
            api_key=key_of(request),
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
            by=key_of(request).user,
            api_key=key_of(request),
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
        raise unanswered(attempt.error)
    if attempt.reason == INTERRUPTED:
        raise UserFacingError(
            INTERRUPTED,
            "The photo was lost before it was looked at.",
            sentence_of(INTERRUPTED),
            status=503,
        )
    return attempt
