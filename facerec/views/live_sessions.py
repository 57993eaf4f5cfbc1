"""Live checks for the pages, as `facerec.api.liveness` has them for programs."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from facerec.services.liveness import find_session, open_session
from webapp.accounts.access import role_required
from webapp.accounts.models import User
from webapp.accounts.roles import Role
from webapp.errors import UserFacingError
from webapp.ratelimit import check_rate


@role_required(Role.OPERATOR)
@require_POST
def sessions(request: HttpRequest) -> JsonResponse:
    """Open one; the body's `purpose` says what for. Errors are JSON, as the page's script reads
    them."""
    try:
        check_rate(request, "liveness")
        opened = open_session(purpose=request.POST.get("purpose", ""), by=cast(User, request.user))
    except UserFacingError as error:
        return _refused(error)
    return JsonResponse(opened.as_dict(), status=201)


@role_required(Role.OPERATOR)
@never_cache
@require_safe
def session(request: HttpRequest, session_id: UUID) -> JsonResponse:
    """How one stands."""
    try:
        found = find_session(session_id=session_id, by=cast(User, request.user))
    except UserFacingError as error:
        return _refused(error)
    return JsonResponse(found.as_dict())


def _refused(error: UserFacingError) -> JsonResponse:
    return JsonResponse(error.as_dict(), status=error.status)
