"""What the routes of faces share."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja.files import UploadedFile

from facerec.models import Subject
from webapp.accounts.models import ApiKey
from webapp.apikeys import ErrorBody
from webapp.errors import UserFacingError

NO_PHOTOS: list[UploadedFile] = []
PATIENCE = 20.0  # seconds that a request waits for its worker
ERRORS = dict.fromkeys((400, 401, 403, 404, 409, 413, 415, 422, 429, 503), ErrorBody)


def key_of(request: HttpRequest) -> ApiKey:
    """The key that the request was let in with."""
    key: ApiKey = request.auth  # type: ignore[attr-defined]
    return key


def find_subject(external_id: str) -> Subject:
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


def unanswered(error: dict[str, Any] | None) -> UserFacingError:
    if error is None:
        return UserFacingError(
            "faces_busy",
            "The face worker is busy or starting.",
            "Try again in a few seconds.",
            status=503,
        )
    return UserFacingError(error["code"], error["message"], error.get("hint", ""), status=503)
