"""The pages Verify and Identify, and the answer that both show."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import retarget

from facerec import wording
from facerec.encoders import DISTANCE
from facerec.forms.faces import IdentifyForm, QuestionForm, VerifyForm
from facerec.models import Attempt, AttemptFace, FacePolicy, FaceTemplate, Mode, Subject
from facerec.services.attempts import (
    note_unknown_claim,
    start_identification,
    start_verification,
)
from facerec.thresholds import Target, identification_point, in_use
from facerec.views.corrections import correction
from webapp.accounts.access import role_required
from webapp.accounts.models import User
from webapp.accounts.roles import Role, has_role
from webapp.ratelimit import check_rate

SUGGESTIONS = 30  # people offered while a name is typed


@role_required(Role.OPERATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        check_rate(request, "face")
        form = VerifyForm(request.POST, request.FILES, by=cast(User, request.user))
        if not form.is_valid():
            if form.claims_nobody:
                note_unknown_claim(by=cast(User, request.user))
            return _refuse(request, "facerec/verify.html", form, _verify_page(form))
        return _started(
            request,
            start_verification(
                subject=form.cleaned_data["subject"],
                image=form.cleaned_data["image"],
                presence=form.cleaned_data["presence"],
                by=form.by,
            ),
        )
    return render(request, "facerec/verify.html", _verify_page(None))


@role_required(Role.OPERATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def identify(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        check_rate(request, "face")
        form = IdentifyForm(request.POST, request.FILES, by=cast(User, request.user))
        if not form.is_valid():
            return _refuse(request, "facerec/identify.html", form, _identify_page())
        return _started(
            request,
            start_identification(
                image=form.cleaned_data["image"],
                presence=form.cleaned_data["presence"],
                by=form.by,
            ),
        )
    return render(request, "facerec/identify.html", _identify_page())


@role_required(Role.OPERATOR)
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """The options that fit what was typed so far."""
    typed = request.GET.get("subject", "").strip()
    return render(request, "facerec/people.html", {"people": _suggestions(typed)})


@role_required(Role.OPERATOR)
@never_cache
@require_safe
def attempt(request: HttpRequest, attempt_id: UUID) -> HttpResponse:
    """An attempt's answer, or that it is being worked on; for the one who asked."""
    found = Attempt.objects.select_related("subject").filter(pk=attempt_id).first()
    if found is None or not found.visible_to(request.user):
        raise Http404
    htmx = getattr(request, "htmx", False)
    template = "facerec/answer.html" if htmx else "facerec/attempt.html"
    return render(request, template, _answer(found, request))


def _started(request: HttpRequest, attempt: Attempt) -> HttpResponse:
    if not getattr(request, "htmx", False):
        return redirect(attempt)
    response = render(request, "facerec/started.html", {"attempt": attempt}, status=202)
    return retarget(response, "#answer")


def _refuse(
    request: HttpRequest, page: str, form: QuestionForm, context: dict[str, Any]
) -> HttpResponse:
    """What is wrong: on a page of its own, or for htmx just the messages, so that the chosen
    file stays chosen."""
    fields = [{"name": name, "message": form.message_for(name)} for name in form.fields]
    context |= {"errors": form.problems, "fields": fields}
    context |= {f"{field['name']}_message": field["message"] for field in fields}
    htmx = getattr(request, "htmx", False)
    return render(request, "facerec/problems.html" if htmx else page, context, status=form.status)


def _verify_page(form: VerifyForm | None) -> dict[str, Any]:
    chosen = in_use()
    target = Target(Mode.VERIFICATION, chosen.verification_fmr)
    rule = chosen.encoder.decision_rule
    return {
        "people": _suggestions(""),
        "claim": form.data.get("subject", "") if form else "",
        "anybody": FaceTemplate.objects.exists(),
        "meaning": wording.expectation(Mode.VERIFICATION, chosen.point(target), 1),
        "threshold": chosen.shown_threshold(target),
        "by_distance": rule == DISTANCE,
        "decided_by": wording.rule(rule),
        "ruler_max": wording.ruler_max(),
        "measured_on": wording.measured_on(),
        "live": _live(Mode.VERIFICATION),
    }


def _identify_page() -> dict[str, Any]:
    size = FaceTemplate.current.count()
    point = identification_point(size)
    return {
        "anybody": size > 0,
        "gallery_size": size,
        "meaning": wording.expectation(Mode.IDENTIFICATION, point, size),
        "point": point,
        "ruler_max": wording.ruler_max(),
        "measured_on": wording.measured_on(),
        "live": _live(Mode.IDENTIFICATION),
    }


def _live(mode: Mode) -> dict[str, Any]:
    """What the policy wants of the person's being there, for questions of this mode."""
    policy = FacePolicy.current()
    return {
        "purpose": mode.value,
        "required": policy.requires_liveness(mode),
        "alternative": policy.liveness_alternative,
    }


def _suggestions(typed: str) -> list[Subject]:
    matching = Q(name__icontains=typed) | Q(external_id__icontains=typed)
    return list(Subject.objects.filter(matching)[:SUGGESTIONS])


def _answer(attempt: Attempt, request: HttpRequest) -> dict[str, Any]:
    """What the answer's templates show."""
    context: dict[str, Any] = {
        "attempt": attempt,
        "meaning": wording.meaning(attempt),
        "measured_on": wording.measured_on(),
        "identification": attempt.mode == Mode.IDENTIFICATION,
        "details": _details(attempt),
    }
    if attempt.mode == Mode.VERIFICATION:
        context["verdict"] = wording.verdict(attempt)
        context["ruler_max"] = wording.ruler_max(attempt.distance)
        context["correct"] = correction(attempt, None)
    else:
        faces = attempt.faces.select_related("subject", "runner_up")
        by_name = has_role(request.user, Role.ADMINISTRATOR)
        context["faces"] = [_face(face, attempt, by_name=by_name) for face in faces]
    return context


def _face(face: AttemptFace, attempt: Attempt, *, by_name: bool) -> dict[str, Any]:
    """One face: its words, and its box in per cent of the photo."""
    width, height = max(1, attempt.width), max(1, attempt.height)
    left, top = max(0, face.x), max(0, face.y)
    right, bottom = min(width, face.x + face.w), min(height, face.y + face.h)
    return {
        "number": face.position + 1,
        "face": face,
        "verdict": wording.verdict_on_face(face, attempt.threshold),
        "runner_up": wording.runner_up(face, by_name=by_name),
        "ruler_max": wording.ruler_max(face.distance),
        "correct": correction(attempt, face),
        "x": 100 * left / width,
        "y": 100 * top / height,
        "w": 100 * (right - left) / width,
        "h": 100 * (bottom - top) / height,
    }


def _details(attempt: Attempt) -> list[tuple[str, str]]:
    point = attempt.operating_point
    rows = [("Attempt", str(attempt.pk)), ("Asked", f"{attempt.created:%d %b %Y, %H:%M:%S} UTC")]
    if attempt.finished:
        took = attempt.finished - attempt.created
        rows.append(("Took", f"{took.total_seconds():.2f} s"))
    if attempt.liveness:
        rows.append(("Live check", wording.live_check(attempt)))
    if point:
        rows += [
            ("Encoder", attempt.encoder_version),
            ("Aligner", attempt.aligner_version),
            ("Templates compared with", f"{attempt.gallery_size:,}"),
            ("False match rate of one comparison", f"{point['fmr']:.2g}"),
            ("False non-match rate expected", f"{point['fnmr']:.2g}"),
        ]
        if attempt.mode == Mode.IDENTIFICATION:
            rows.append(("False positive identification rate", f"{point['fpir']:.2g}"))
        if not point["supported"]:
            rows.append(("Asked for", "a lower error rate than the calibration set can vouch for"))
    return rows
