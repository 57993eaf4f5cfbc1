"""Encoders, as an administrator looks at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from facerec.encoders import DISTANCE, ActiveEncoder, active, as_active
from facerec.models import Calibration, EncoderVersion, FaceTemplate
from facerec.presenting.training import SHORT_RULES, Verdict, best_rule, verdict
from facerec.services.encoders import calibration_of, rules_of


@dataclass(frozen=True, slots=True)
class Shown:
    """One encoder of the list. row: None for the shipped one."""

    row: EncoderVersion | None
    encoder: ActiveEncoder
    is_active: bool
    templates: int
    calibration: Calibration | None
    verdict: Verdict | None

    @property
    def key(self) -> str:
        return str(self.row.pk) if self.row else "shipped"

    @property
    def title(self) -> str:
        return self.encoder.name

    @property
    def is_calibrated(self) -> bool:
        return self.row is None or self.calibration is not None

    @property
    def what(self) -> str:
        if self.row is None:
            return "Comes with Likeness."
        if self.row.net:
            return f"A backbone of its own, fine-tuned from {self.row.parent}."
        return f"An adapter over {self.row.backbone}."


def everything() -> list[Shown]:
    """All encoders: the one in use first, then the shipped one, then the newest."""
    now = active()
    rows: list[EncoderVersion | None] = [None, *EncoderVersion.objects.select_related("run")]
    shown = [show(row, now) for row in rows]
    return sorted(shown, key=lambda each: not each.is_active)


def show(row: EncoderVersion | None, now: ActiveEncoder) -> Shown:
    encoder = as_active(row)
    made_by = {"encoder_version": encoder.backbone, "aligner_version": encoder.aligner}
    return Shown(
        row=row,
        encoder=encoder,
        is_active=now.pk == encoder.pk,
        templates=FaceTemplate.objects.filter(**made_by).count(),
        calibration=calibration_of(encoder) if row else None,
        verdict=verdict(row.comparison) if row and row.comparison else None,
    )


def rule_choices(row: EncoderVersion | None) -> list[dict[str, Any]]:
    """The decision rules to choose from, each with whether thresholds are known for it."""
    best = best_rule(row.comparison) if row and row.comparison else DISTANCE
    encoder = as_active(row)
    return [
        {
            "value": rule,
            "label": SHORT_RULES[rule],
            "hint": _hint(
                rule, best, calibrated=row is None or bool(calibration_of(encoder, rule))
            ),
        }
        for rule in rules_of(row)
    ]


def _hint(rule: str, best: str, *, calibrated: bool) -> str:
    parts = []
    if rule == best and best != DISTANCE:
        parts.append("highest TAR on the people held out")
    if not calibrated:
        parts.append("no thresholds yet")
    return ", ".join(parts)
