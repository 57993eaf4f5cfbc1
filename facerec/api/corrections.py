"""Corrections: an answer was wrong."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Form, Router, Schema
from ninja import Status as Answer

from facerec.api.common import ERRORS, find_subject, key_of
from facerec.models import Attempt, Correction
from facerec.services.corrections import correct
from webapp.accounts.models import Scope
from webapp.apikeys import KeyAuth
from webapp.errors import UserFacingError
from webapp.ratelimit import check_rate

router = Router()


class CorrectionOut(Schema):
    """What was noted. `with_face`: the face itself was still remembered (for a quarter of an hour
    after the answer), so that an administrator can make use of what was said."""

    id: int
    kind: str
    external_id: str
    face: int
    with_face: bool
    state: str


@router.post(
    "/attempts/{attempt_id}/corrections",
    response={201: CorrectionOut, **ERRORS},
    auth=KeyAuth(Scope.RECOGNISE),
    summary="Say that an answer was wrong",
)
def say(
    request: HttpRequest,
    attempt_id: UUID,
    kind: Form[Correction.Kind],
    external_id: Form[str] = "",
    face: Form[int | None] = None,
) -> Answer[dict[str, Any]]:
    """`kind` is `not_this_person`, which takes back a match, or `this_is`, with the person's
    `external_id` (in a verification by default the one who was claimed). `face` counts the faces
    of an identification from 0. It has no effect before an administrator accepts it."""
    check_rate(request, "face")
    attempt = Attempt.objects.select_related("subject").filter(pk=attempt_id).first()
    if attempt is None or not attempt.visible_to(key_of(request).user):
        raise UserFacingError(
            "unknown_attempt",
            "There is no such attempt of yours.",
            "Its id is in the answer that is to be corrected.",
            status=404,
            field="attempt_id",
        )
    said = correct(
        attempt=attempt,
        kind=kind,
        by=key_of(request).user,
        face=face,
        subject=find_subject(external_id) if external_id else None,
    )
    return Answer(201, _correction(said))


def _correction(said: Correction) -> dict[str, Any]:
    return {
        "id": said.pk,
        "kind": said.kind,
        "external_id": said.subject.external_id,
        "face": said.face,
        "with_face": said.encoding is not None,
        "state": said.state,
    }
