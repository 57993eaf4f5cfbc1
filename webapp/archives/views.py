"""Where an archive of pictures is sent to. `webapp.staging` asks here, and then reads the body."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from webapp import archives
from webapp.accounts.models import User
from webapp.accounts.roles import Role, has_role
from webapp.errors import UserFacingError
from webapp.ratelimit import check_rate


@require_POST
def stage(request: HttpRequest) -> HttpResponse:
    """201 {archive: the receipt}; errors as JSON, since a script reads them."""
    try:
        _check(request)
    except UserFacingError as error:
        return JsonResponse(error.as_dict(), status=error.status)
    archives.discard_leftovers()
    archive, receipt = archives.receipt_for(by=cast(User, request.user))
    answer = JsonResponse({"archive": receipt}, status=201)
    answer["X-Staged-As"] = str(archive)
    return answer


def _check(request: HttpRequest) -> None:
    if not request.user.is_authenticated:
        raise UserFacingError(
            "signed_out",
            "You are signed out.",
            "Sign in and come back to this page.",
            status=401,
            field="archive",
        )
    if not has_role(request.user, Role.PAINTER):  # what is done with it asks for its own role
        raise UserFacingError(
            "not_allowed",
            "Your account may not send archives of pictures.",
            "Ask an administrator.",
            status=403,
            field="archive",
        )
    check_rate(request, "archive")
