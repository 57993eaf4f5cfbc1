"""The page that teaches the triplet loss: three faces, their numbers, and what a margin asks."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from facerec.core.losses import MARGIN
from facerec.services.lessons import MAX_SIDE, start_lesson, take_answer
from webapp.accounts.access import role_required
from webapp.accounts.models import User
from webapp.accounts.roles import Role
from webapp.errors import UserFacingError
from webapp.ratelimit import check_rate
from webapp.uploads import read_picture

ROLES = (
    {"letter": "A", "name": "Anchor", "says": "a person"},
    {"letter": "P", "name": "Positive", "says": "the same person, another photo"},
    {"letter": "N", "name": "Negative", "says": "somebody else"},
)
CAST = (
    {"file": "ida-1", "name": "Ida", "alt": "Ida, from the front", "role": "A"},
    {"file": "ida-2", "name": "Ida", "alt": "Ida, another photo", "role": "P"},
    {"file": "ines-1", "name": "Ines", "alt": "Ines, who looks like Ida", "role": ""},
    {"file": "ines-2", "name": "Ines", "alt": "Ines, another photo", "role": ""},
    {"file": "olga-1", "name": "Olga", "alt": "Olga, from the front", "role": "N"},
    {"file": "olga-2", "name": "Olga", "alt": "Olga, another photo", "role": ""},
)
"""Drawn people, in static/learn/. At alpha = 0.2 those with a role make a semi-hard triplet."""


@role_required(Role.OPERATOR)
@require_safe
def triplet(request: HttpRequest) -> HttpResponse:
    return render(request, "facerec/triplet.html", {"roles": ROLES, "cast": CAST, "margin": MARGIN})


@role_required(Role.OPERATOR)
@require_POST
def lesson(request: HttpRequest) -> HttpResponse:
    """202 {url: where the numbers will be}; errors as JSON, since a script reads them."""
    try:
        check_rate(request, "face")
        image = read_picture(request.FILES.get("photo"), field="photo", max_side=MAX_SIDE)
    except UserFacingError as error:
        return JsonResponse(error.as_dict(), status=error.status)
    begun = start_lesson(image=image, by=cast(User, request.user))
    return JsonResponse({"url": reverse("facerec:triplet_answer", args=[begun])}, status=202)


@role_required(Role.OPERATOR)
@never_cache
@require_safe
def answer(request: HttpRequest, lesson: UUID) -> HttpResponse:
    """202 while a worker has yet to look; then once 200 {encoding, encoder}, or 422 and why not."""
    try:
        found = take_answer(lesson=lesson, by=cast(User, request.user))
    except KeyError:
        gone = UserFacingError(
            "gone", "The photo waited for too long and was forgotten.", "Choose it again."
        )
        return JsonResponse(gone.as_dict(), status=404)
    if found is None:
        return JsonResponse({}, status=202)
    return JsonResponse(found, status=200 if "encoding" in found else 422)
