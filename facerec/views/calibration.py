"""The page Calibration: what error rate faces are decided by, what it costs, how sure that is."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from facerec.encoders import SHIPPED as SHIPPED_ENCODER
from facerec.encoders import active
from facerec.forms.calibration import MODES, PRESETS, SHIPPED, MarginForm, MeasureForm, TargetForm
from facerec.models import Calibration, EncoderVersion, FacePolicy, FaceTemplate, Mode
from facerec.presenting import calibration as presenting
from facerec.services.calibration import (
    cancel_calibration,
    choose,
    choose_margin,
    delete_calibration,
    offered,
    reset,
    start_calibration,
)
from facerec.thresholds import in_use
from webapp import archives
from webapp.accounts.access import role_required
from webapp.accounts.models import User
from webapp.accounts.roles import Role
from webapp.errors import UserFacingError
from webapp.ratelimit import check_rate

DEFAULT_GALLERY = 100


@role_required(Role.ADMINISTRATOR)
@never_cache
@require_safe
def calibration(request: HttpRequest) -> HttpResponse:
    """The whole page; for htmx just what a target comes to."""
    form = TargetForm(request.GET if "mode" in request.GET else _present())
    context = presenting.choice(form) if form.is_valid() else {"errors": form.problems}
    status = 200 if form.is_valid() else 422
    if getattr(request, "htmx", False):
        return render(request, "facerec/calibration_choice.html", context, status=status)
    return render(request, "facerec/calibration.html", _page(form) | context, status=status)


@role_required(Role.ADMINISTRATOR)
@require_POST
def use(request: HttpRequest) -> HttpResponse:
    form = TargetForm(request.POST)
    if not form.is_valid():
        raise UserFacingError(
            "invalid_target", form.problems[0]["message"], status=422, field="one_in"
        )
    choose(by=_user(request), calibration=form.calibration, target=form.target)
    messages.success(request, "From now on, faces are decided by this.")
    return redirect(_address(form))


@role_required(Role.ADMINISTRATOR)
@require_POST
def back(request: HttpRequest) -> HttpResponse:
    reset(by=_user(request))
    messages.success(request, "Back to the shipped calibration and its error rates.")
    return redirect("facerec:calibration")


@role_required(Role.ADMINISTRATOR)
@require_POST
def margin(request: HttpRequest) -> HttpResponse:
    """How near two people must be for identification to name neither."""
    form = MarginForm(request.POST)
    if not form.is_valid():
        context = _page(TargetForm(_present())) | {
            "margin_error": form.errors["margin"][0],
            "margin": request.POST.get("margin", ""),
        }
        return render(request, "facerec/calibration.html", context, status=422)
    choose_margin(by=_user(request), share=form.cleaned_data["margin"] / 100)
    messages.success(request, "From now on, that is too close to call.")
    return redirect(f"{reverse('facerec:calibration')}#margin")


@role_required(Role.ADMINISTRATOR)
@require_POST
def measure(request: HttpRequest) -> HttpResponse:
    """Start measuring an uploaded set."""
    check_rate(request, "enrol")
    form = MeasureForm(request.POST)
    by = _user(request)
    problems = [
        {"field": name, "message": str(found[0]), "hint": ""} for name, found in form.errors.items()
    ]
    if not problems:
        try:
            archive = archives.claim(
                receipt=request.POST.get("archive", ""),
                upload=request.FILES.get("archive"),
                by=by,
            )
        except UserFacingError as error:
            problems = [error.as_dict()]
    if problems:
        context = _page(TargetForm(_present())) | {"measure_errors": problems, "measure": form}
        return render(request, "facerec/calibration.html", context, status=422)
    row = form.cleaned_data["encoder"]
    start_calibration(name=form.cleaned_data["name"], archive=archive, row=row, by=by)
    return redirect(f"{reverse('facerec:calibration')}#sets")


@role_required(Role.ADMINISTRATOR)
@never_cache
@require_safe
def sets(request: HttpRequest) -> HttpResponse:
    """The list of sets alone: the page fetches it when one has been measured."""
    return render(request, "facerec/calibration_sets.html", presenting.sets())


@role_required(Role.ADMINISTRATOR)
@require_POST
def cancel(request: HttpRequest, calibration_id: UUID) -> HttpResponse:
    cancel_calibration(calibration=_find(calibration_id))
    return redirect(f"{reverse('facerec:calibration')}#sets")


@role_required(Role.ADMINISTRATOR)
@require_POST
def delete(request: HttpRequest, calibration_id: UUID) -> HttpResponse:
    delete_calibration(calibration=_find(calibration_id))
    messages.success(request, "The calibration is deleted.")
    return redirect(f"{reverse('facerec:calibration')}#sets")


def _find(calibration_id: UUID) -> Calibration:
    found = Calibration.objects.filter(pk=calibration_id).first()
    if found is None:
        raise Http404
    return found


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


def _present() -> dict[str, Any]:
    """The form as the house stands: what is in use, for verification."""
    try:
        chosen = in_use()
    except UserFacingError:
        rows = offered()
        first = str(rows[0].pk) if rows and rows[0] else SHIPPED
        return {"set": first, "mode": Mode.VERIFICATION.value, "one_in": 1000, "gallery": 100}
    return {
        "set": str(chosen.calibration or SHIPPED),
        "mode": Mode.VERIFICATION.value,
        "one_in": _plain(1 / chosen.verification_fmr),
        "gallery": FaceTemplate.current.count() or DEFAULT_GALLERY,
    }


def _plain(number: float) -> float | int:
    return round(number) if abs(number - round(number)) < 1e-6 * number else number


def _address(form: TargetForm) -> str:
    query = "&".join(f"{name}={form.data.get(name, '')}" for name in form.fields)
    return f"{reverse('facerec:calibration')}?{query}"


def _page(form: TargetForm) -> dict[str, Any]:
    return {
        "here": "facerec:calibration",
        "form": form,
        "values": {name: form.data.get(name, "") for name in form.fields},
        "offered": [(str(row.pk), row.name) if row else (SHIPPED, "") for row in offered()],
        "modes": MODES,
        "presets": PRESETS,
        "now": presenting.now(),
        "encoders": [
            (row.name if row else "", (row or SHIPPED_ENCODER).name)
            for row in (None, *EncoderVersion.objects.all())
        ],
        "active_encoder": active().name,
        "margin": _plain(100 * FacePolicy.current().share_of_threshold),
        **presenting.sets(),
    }
