"""What the calibration page shows: what is in use, what a target comes to, the sets there are."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from facerec import wording
from facerec.core.calibration import RULE_OF_30, OperatingPoint
from facerec.core.cohorts import Cohort, Rate, cohort_tables
from facerec.encoders import shown
from facerec.forms.calibration import TargetForm
from facerec.models import Calibration, FaceTemplate, Mode
from facerec.presenting.det_plot import det_plot
from facerec.services.calibration import check_supported, offered, with_calibration
from facerec.services.policy import policy_changes
from facerec.thresholds import InUse, Target, in_use
from webapp.errors import UserFacingError


def now() -> dict[str, Any]:
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


def choice(form: TargetForm) -> dict[str, Any]:
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


def sets() -> dict[str, Any]:
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
