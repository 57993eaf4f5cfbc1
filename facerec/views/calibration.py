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

from facerec import wording
from facerec.calibration_form import MODES, PRESETS, SHIPPED, MeasureForm, TargetForm
from facerec.core.calibration import RULE_OF_30, OperatingPoint
from facerec.core.cohorts import Cohort, Rate, cohort_tables
from facerec.det_plot import det_plot
from facerec.encoders import SHIPPED as SHIPPED_ENCODER
from facerec.encoders import active, shown
from facerec.models import Calibration, EncoderVersion, FaceTemplate, Mode
from facerec.services import archives
from facerec.services.calibration import (
    cancel_calibration,
    check_supported,
    choose,
    delete_calibration,
    offered,
    reset,
    start_calibration,
    with_calibration,
)
from facerec.services.policy import policy_changes
from facerec.thresholds import InUse, Target, in_use
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
    context = _choice(form) if form.is_valid() else {"errors": form.problems}
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
    return render(request, "facerec/calibration_sets.html", _sets())


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
        "now": _now(),
        "encoders": [
            (row.name if row else "", (row or SHIPPED_ENCODER).name)
            for row in (None, *EncoderVersion.objects.all())
        ],
        "active_encoder": active().name,
        **_sets(),
    }


def _now() -> dict[str, Any]:
    """What faces are decided by at this moment, and since when."""
    changes = policy_changes(containing="Calibration:")
    try:
        chosen = in_use()
    except UserFacingError as error:
        return {"problem": error, "changes": changes}
    enrolled = FaceTemplate.current.count()
    verifying = Target(Mode.VERIFICATION, chosen.verification_fmr)
    searching = Target(Mode.IDENTIFICATION, chosen.identification_fpir, max(1, enrolled))
    these = chosen.distance.calibration_set
    return {
        "rows": [
            (
                "Verification",
                _told(chosen, verifying),
            ),
            (
                f"Identification among {max(1, enrolled):,}",
                _told(chosen, searching),
            ),
            ("Measured on", these.name),
            ("Encoder", chosen.encoder.name),
        ],
        "unsupported": not chosen.point(searching).supported,
        "is_default": not changes
        or (chosen.calibration is None and "back to the shipped" in changes[0].change_message),
        "changes": changes,
    }


def _told(chosen: InUse, target: Target) -> str:
    strangers = wording.one_in(chosen.point(target).fpir)
    return f"τ = {chosen.shown_threshold(target):.3f}, {strangers} strangers"


def _choice(form: TargetForm) -> dict[str, Any]:
    """What a target comes to with a set, or why the set cannot vouch for it."""
    target, row = form.target, form.calibration
    try:
        chosen = with_calibration(row)
    except UserFacingError as error:
        return {"errors": [error.as_dict()]}
    points = chosen.points(target.mode)
    point = chosen.point(target)
    refusal = None
    try:
        check_supported(points, target)
    except UserFacingError as error:
        refusal = error.as_dict()
    plot = det_plot(points, point)
    return {
        "values": {name: form.data.get(name, "") for name in form.fields},
        "searching": target.mode == Mode.IDENTIFICATION,
        "threshold": chosen.shown_threshold(target),
        "refusal": refusal,
        "sentence": wording.expectation(target.mode, point, target.comparisons),
        "figures": _figures(chosen, point, target),
        "few": points.calibration_set.person_pairs * point.fmr < RULE_OF_30 * (1 - 1e-9),
        "seen": round(points.calibration_set.person_pairs * point.fmr),
        "set": points.calibration_set,
        "lowest": wording.one_in(points.lowest_fmr),
        "plot": plot,
        "plot_points": [
            place | {"tau": shown(place["tau"], points.decision_rule)} for place in plot.points
        ],
        "is_in_use": _is_in_use(chosen, target),
        "tables": _tables(row, chosen, point),
        "cohort_rate": wording.one_in(point.fmr),
    }


def _figures(chosen: InUse, point: OperatingPoint, target: Target) -> list[tuple[str, str]]:
    points = chosen.points(target.mode)
    told = f"{wording.one_in(point.fpir)} ({wording.interval_in(*point.fpir_interval)})"
    rows = [("Threshold τ", f"{chosen.shown_threshold(target):.4f}")]
    if target.mode == Mode.IDENTIFICATION:
        rows += [
            (f"A stranger among {target.comparisons:,} (FPIR)", told),
            ("A single comparison (FMR)", wording.one_in(point.fmr)),
        ]
    else:
        rows.append(("A stranger passes (FMR)", told))
    low, high = point.fnmr_interval
    missed = wording.percent(point.fnmr)
    return [
        *rows,
        (
            "The right person is missed (FNMR)",
            f"{missed} ({wording.percent(low)} to {wording.percent(high)})",
        ),
        ("Encoder", points.encoder_version),
        ("Aligner", points.aligner_version),
        ("Decided by", wording.rule(points.decision_rule)),
    ]


def _is_in_use(chosen: InUse, target: Target) -> bool:
    try:
        now = in_use()
    except UserFacingError:
        return False
    rate = now.verification_fmr if target.mode == Mode.VERIFICATION else now.identification_fpir
    return now.calibration == chosen.calibration and abs(target.rate / rate - 1) < 1e-6


def _tables(row: Calibration | None, chosen: InUse, point: OperatingPoint) -> list[Any]:
    if row is None:
        return []
    cohorts = [Cohort.from_dict(raw) for raw in row.cohorts]
    return [
        {
            "column": table.column,
            "rows": [
                {
                    "value": row.value,
                    "people": row.people,
                    "fmr": _rate(row.fmr),
                    "fnmr": _rate(row.fnmr),
                }
                for row in table.rows
            ],
            "fmr": wording.spread(table.fmr) if table.fmr else "",
            "fnmr": wording.spread(table.fnmr) if table.fnmr else "",
        }
        for table in cohort_tables(cohorts, chosen.verification, point.fmr)
    ]


def _rate(rate: Rate | None) -> dict[str, Any] | None:
    if rate is None:
        return None
    low, high = rate.interval
    return {
        "rate": wording.percent(rate.rate),
        "interval": f"{wording.percent(low)} to {wording.percent(high)}",
        "enough": rate.enough,
    }


def _sets() -> dict[str, Any]:
    try:
        now = in_use().calibration
    except UserFacingError:
        now = None
    rows = Calibration.objects.select_related("owner").defer("cohorts")
    choices = {row.pk for row in offered() if row}
    return {"sets": [_set(row, now) | {"offered": row.pk in choices} for row in rows]}


def _set(row: Calibration, now: UUID | None) -> dict[str, Any]:
    these = next(iter(row.points.values()))["calibration_set"] if row.points else None
    return {
        "row": row,
        "set": these,
        "lowest": wording.one_in(next(iter(row.points.values()))["fmr"][0]) if these else "",
        "in_use": row.pk == now,
        "refused": wording.refused(these["refused"]) if these else "",
    }
