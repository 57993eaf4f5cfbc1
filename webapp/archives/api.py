"""`/api/v1/archives`: where a program sends a ZIP of pictures."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from ninja import Status as Answer
from pydantic import Field

from webapp import archives
from webapp.accounts.models import Scope
from webapp.apikeys import ErrorBody, KeyAuth
from webapp.ratelimit import check_rate

router = Router(auth=KeyAuth(Scope.SUBJECTS, Scope.PAINT))


class ArchiveOut(Schema):
    archive: str = Field(description="the receipt by which what you start next names it")


@router.post(
    "/archives",
    response={201: ArchiveOut, **dict.fromkeys((401, 403, 413, 422, 429, 507), ErrorBody)},
    summary="Send a ZIP of pictures: the body is the file itself (application/zip)",
)
def stage(request: HttpRequest, response: HttpResponse) -> Answer[dict[str, Any]]:
    """To enrol people: one folder a person, optionally labels.csv (person,name,external_id). For a
    mining: pictures, in any folders. It waits for a day."""
    check_rate(request, "archive")
    archives.discard_leftovers()
    archive, receipt = archives.receipt_for(by=request.auth.user)  # type: ignore[attr-defined]
    response["X-Staged-As"] = str(archive)
    return Answer(201, {"archive": receipt})
