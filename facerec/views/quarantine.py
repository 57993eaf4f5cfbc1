"""What waits for an administrator's word: doubtful photos of an enrolment, and corrections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from facerec import wording
from facerec.core.errors import FaceCoreError
from facerec.models import Correction, EnrolmentPhoto, PhotoStatus
from facerec.services import corrections
from facerec.services.enrolment import Answer, settle_photo
from facerec.thresholds import outlier_point, verification_point
from webapp.accounts.access import role_required
from webapp.accounts.models import User
from webapp.accounts.roles import Role
from webapp.errors import UserFacingError

SHOWN = 30  # of each kind; the rest comes up as these are settled
JUDGED_SHOWN = 8

SETTLED = {
    Answer.ENROL: ("match", "Enrolled"),
    Answer.ADD_TO_OTHER: ("match", "Added to the other person"),
    Answer.DISCARD: ("over", "Discarded"),
}
VERDICTS = {
    "accept": ("match", "Accepted"),
    "dismiss": ("over", "Dismissed"),
    "withdraw": ("over", "Removed"),
}


@role_required(Role.ADMINISTRATOR)
@never_cache
@require_safe
def quarantine(request: HttpRequest) -> HttpResponse:
    photos, said = _held_photos(), _quarantined()
    judged = Correction.objects.exclude(state=Correction.State.QUARANTINED).order_by("-judged")
    context = {
        "here": "facerec:quarantine",
        "photos": [_photo(photo) for photo in photos[:SHOWN]],
        "photo_count": photos.count(),
        "said": [_said(correction) for correction in said[:SHOWN]],
        "said_count": said.count(),
        "judged": judged.select_related("subject", "said_by", "judged_by")[:JUDGED_SHOWN],
    }
    return render(request, "facerec/quarantine.html", context)


@role_required(Role.ADMINISTRATOR)
@require_POST
def photo(request: HttpRequest, pk: int) -> HttpResponse:
    """`answer` is one of enrol, add_to_other, discard."""
    held = get_object_or_404(EnrolmentPhoto, pk=pk)
    answer = _choice(request, "answer", list(Answer))

    def settle() -> tuple[str, str]:
        settle_photo(photo=held, answer=Answer(answer), by=cast(User, request.user))
        return SETTLED[Answer(answer)]

    return _answered(request, settle, lambda: ("facerec/_held_photo.html", _photo(held)))


@role_required(Role.ADMINISTRATOR)
@require_POST
def correction(request: HttpRequest, pk: int) -> HttpResponse:
    """`verdict` is one of accept (with `sure` where the face is far), dismiss, withdraw."""
    held = get_object_or_404(Correction.objects.select_related("subject", "said_by"), pk=pk)
    verdict = _choice(request, "verdict", list(VERDICTS))
    by = cast(User, request.user)

    def judge() -> tuple[str, str]:
        if verdict == "accept":
            corrections.accept(correction=held, by=by, sure="sure" in request.POST)
        elif verdict == "dismiss":
            corrections.dismiss(correction=held, by=by)
        else:
            corrections.withdraw(correction=held, by=by)
        return VERDICTS[verdict]

    return _answered(request, judge, lambda: ("facerec/_said.html", _said(held)))


def _choice(request: HttpRequest, name: str, allowed: list[Any]) -> str:
    chosen = request.POST.get(name, "")
    if chosen not in allowed:
        raise UserFacingError(
            "unknown_answer",
            "It was not said what is to be done.",
            "Use one of the buttons.",
            field=name,
        )
    return chosen


def _answered(
    request: HttpRequest,
    act: Callable[[], tuple[str, str]],
    again: Callable[[], tuple[str, dict[str, Any]]],
) -> HttpResponse:
    """The line's new state for htmx, else back to where one was."""
    htmx = getattr(request, "htmx", False)
    try:
        kind, word = act()
    except UserFacingError as error:
        if not htmx:
            messages.error(request, f"{error.message} {error.hint}")
            return redirect(_back(request))
        template, item = again()
        return render(request, template, {"item": item, "error": error}, status=error.status)
    if htmx:
        return render(request, "facerec/_settled.html", {"kind": kind, "word": word})
    messages.success(request, f"{word}.")
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    return wanted if safe else "facerec:quarantine"


# --- what is shown -----------------------------------------------------------------------------
def _held_photos() -> QuerySet[EnrolmentPhoto]:
    return (
        EnrolmentPhoto.objects.filter(status=PhotoStatus.CONFIRM)
        .select_related("enrolment__subject", "enrolment__owner", "looks_like")
        .order_by("enrolment__created", "position")
    )


def _quarantined() -> QuerySet[Correction]:
    waiting = Correction.objects.filter(state=Correction.State.QUARANTINED)
    return waiting.select_related("subject", "said_by", "attempt").order_by("created")


def _photo(photo: EnrolmentPhoto) -> dict[str, Any]:
    return {"photo": photo, "ruler_max": wording.ruler_max(photo.distance)}


def _said(correction: Correction) -> dict[str, Any]:
    """A correction and how far its face is from the person's templates. For THIS_IS the threshold
    is the one beyond which a face is an outlier, else the one by which people are verified."""
    this_is = correction.kind == Correction.Kind.THIS_IS
    item: dict[str, Any] = {"correction": correction, "this_is": this_is}
    try:
        distances = corrections.distances_of(correction)
        point = outlier_point() if this_is else verification_point()
    except (FaceCoreError, UserFacingError):
        return item  # without figures, since nothing can be compared now
    if distances:
        nearest = min(distances)
        item |= {
            "distance": nearest,
            "templates": len(distances),
            "threshold": point.threshold,
            "ruler_max": wording.ruler_max(nearest),
            "far": this_is and nearest > point.threshold,
        }
    return item
