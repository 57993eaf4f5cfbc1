"""On an answer: “it is not this person”, “it is NAME”."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from facerec.core.types import Outcome
from facerec.models import Attempt, AttemptFace, Correction, Mode
from facerec.services.attempts import find_subject
from facerec.services.corrections import correct
from webapp.accounts.access import role_required
from webapp.accounts.models import User
from webapp.accounts.roles import Role
from webapp.errors import UserFacingError
from webapp.ratelimit import check_rate


@role_required(Role.OPERATOR)
@require_POST
def say(request: HttpRequest, attempt_id: UUID) -> HttpResponse:
    """`kind` is not_this_person or this_is; `subject` a name or external id, `face` a position."""
    attempt = Attempt.objects.select_related("subject").filter(pk=attempt_id).first()
    if attempt is None or not attempt.visible_to(request.user):
        raise Http404
    check_rate(request, "face")
    kind, claim = request.POST.get("kind", ""), request.POST.get("subject", "").strip()
    position = request.POST.get("face", "")
    face = int(position) if position.isdecimal() and len(position) < 4 else None
    problem = None
    try:
        if kind not in Correction.Kind.values:
            raise UserFacingError(
                "unknown_kind", "It was not said what is wrong.", "", field="kind"
            )
        subject = find_subject(claim=claim) if claim or "named" in request.POST else None
        correct(attempt=attempt, kind=kind, by=cast(User, request.user), face=face, subject=subject)
    except UserFacingError as error:
        problem = error
    if not getattr(request, "htmx", False):
        if problem:
            messages.error(request, f"{problem.message} {problem.hint}")
        else:
            messages.success(request, "Noted. An administrator judges it.")
        return redirect(attempt)
    found = None if face is None else attempt.faces.filter(position=face).first()
    context = {"attempt": attempt, "correct": correction(attempt, found), "error": problem}
    status = problem.status if problem else 200
    return render(request, "facerec/_correct.html", context | {"claim": claim}, status=status)


def correction(attempt: Attempt, face: AttemptFace | None) -> dict[str, Any] | None:
    """What may be said about a face's answer, and what was said; None if it was not compared."""
    decided: Attempt | AttemptFace = face or attempt
    if decided.distance is None or (attempt.mode == Mode.IDENTIFICATION and face is None):
        return None
    position = face.position if face else 0
    matched = decided.subject if decided.outcome == Outcome.MATCH else None
    claimed = attempt.subject if attempt.mode == Mode.VERIFICATION and matched is None else None
    said = attempt.corrections.filter(face=position).select_related("subject")
    return {"position": position, "matched": matched, "claimed": claimed, "said": list(said)}
