"""Live checks: a session is opened here, and shown frames over its socket."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from ninja import Status as Answer

from facerec.api.common import ERRORS, key_of
from facerec.services.liveness import find_session, open_session
from webapp.accounts.models import Scope
from webapp.apikeys import KeyAuth
from webapp.ratelimit import check_rate

router = Router()


class SessionOut(Schema):
    """`nonce` is told this once; whoever shows it on the socket `socket` begins the session.
    `expires_in`: seconds within which it must be begun. The rest: what frames are to be like."""

    id: UUID
    nonce: str
    socket: str
    expires_in: float
    steps: int
    width: int
    height: int
    fps: int
    credits: int
    max_bytes: int


class StateOut(Schema):
    """`state` is `waiting`, `running`, `passed`, `failed`, `inconclusive` or `abandoned`."""

    id: UUID
    state: str


PURPOSE = {
    "type": "object",
    "required": ["purpose"],
    "properties": {"purpose": {"type": "string", "enum": ["verification", "identification"]}},
}
BODY = {
    kind: {"schema": PURPOSE} for kind in ("application/json", "application/x-www-form-urlencoded")
}


@router.post(
    "/liveness-sessions",
    response={201: SessionOut, **ERRORS},
    auth=KeyAuth(Scope.RECOGNISE),
    summary="Open a live check",
    openapi_extra={"requestBody": {"required": True, "content": BODY}},
)
def open_one(request: HttpRequest) -> Answer[dict[str, Any]]:
    """What follows goes over its socket, see docs/websocket.md; then `verify` or `identify` takes
    the session's `id` instead of a photo."""
    check_rate(request, "liveness")
    key = key_of(request)
    opened = open_session(purpose=_purpose(request), by=key.user, api_key=key)
    return Answer(201, opened.as_dict())


@router.get(
    "/liveness-sessions/{session_id}",
    response={200: StateOut, **ERRORS},
    auth=KeyAuth(Scope.RECOGNISE),
    summary="How a live check stands",
)
def show(request: HttpRequest, session_id: UUID) -> dict[str, Any]:
    return find_session(session_id=session_id, by=key_of(request).user).as_dict()


def _purpose(request: HttpRequest) -> str:
    """Of a form or of JSON; empty where there is none."""
    if request.content_type != "application/json":
        return request.POST.get("purpose", "")
    try:
        body = json.loads(request.body)
    except ValueError:
        return ""
    return str(body.get("purpose", "")) if isinstance(body, dict) else ""
