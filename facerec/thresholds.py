"""The house's operating points: the error rates that were chosen, read off the calibration in use.

A threshold belongs to one encoder. In use is the calibration that an administrator chose, else the
shipped one, each only if it was measured on the active encoder; where neither was, faces are not
compared: no threshold of another encoder is ever taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings

from facerec.core.calibration import DISTANCE, CalibrationSet, OperatingPoint, OperatingPoints
from facerec.encoders import ActiveEncoder, as_active
from facerec.models import Calibration, FacePolicy
from webapp.errors import UserFacingError

DUPLICATE_FPIR = 0.05
"""One new person in twenty looks enough like somebody enrolled for a person to have a look."""

OUTLIER_FMR = 0.01
"""A photo of somebody else passes for one of this person's once in a hundred times."""


@dataclass(frozen=True)
class InUse:
    """What faces are decided by now. calibration: the row's key, None for the shipped one."""

    encoder: ActiveEncoder
    calibration: UUID | None
    rules: dict[str, OperatingPoints]
    verification_fmr: float
    identification_fpir: float

    @property
    def distance(self) -> OperatingPoints:
        """For plain d, by which identification always decides."""
        return self.rules[DISTANCE]

    @property
    def verification(self) -> OperatingPoints:
        return self.rules[self.encoder.decision_rule]


def in_use() -> InUse:
    """Encoder, calibration and error rates as they are chosen at this moment.

    Raises:
        UserFacingError: `uncalibrated` (503): nobody measured thresholds for the active encoder.
    """
    policy = FacePolicy.objects.filter(pk=1).select_related("encoder").first() or FacePolicy()
    encoder = as_active(policy.encoder)
    for calibration in (policy.calibration_id, None):
        rules = _rules(calibration)
        if fitting(rules, encoder):
            return InUse(
                encoder,
                calibration,
                rules,
                policy.verification_fmr or settings.VERIFICATION_FMR,
                policy.identification_fpir or settings.IDENTIFICATION_FPIR,
            )
    raise UserFacingError(
        "uncalibrated",
        f"The encoder in use ({encoder.name}) has no calibration, so no threshold is known for it.",
        "An administrator measures one on the page Calibration, or with manage.py calibrate.",
        status=503,
    )


def fitting(rules: dict[str, OperatingPoints], encoder: ActiveEncoder) -> bool:
    """Whether these are thresholds for this encoder, for each rule that it decides by."""
    needed = {DISTANCE, encoder.decision_rule}
    return all(
        rule in rules and rules[rule].fits(encoder.name, encoder.aligner, rule) for rule in needed
    )


def rules_of(points: dict[str, Any]) -> dict[str, OperatingPoints]:
    """A calibration row's `points`. Raises CalibrationInvalid."""
    return {rule: OperatingPoints.from_dict(raw) for rule, raw in points.items()}


@lru_cache(maxsize=16)
def _rules(calibration: UUID | None) -> dict[str, OperatingPoints]:
    # A calibration's points never change once they are there, so they are read once.
    if calibration is None:
        return {DISTANCE: OperatingPoints.load()}
    return rules_of(Calibration.objects.values_list("points", flat=True).get(pk=calibration))


def verification_point(templates: int = 1) -> OperatingPoint:
    """For one claimed person with this many templates. Raises UserFacingError, as `in_use`."""
    chosen = in_use()
    return chosen.verification.verification_threshold(chosen.verification_fmr, templates=templates)


def identification_point(gallery_size: int) -> OperatingPoint:
    """For a search through this many templates. Raises UserFacingError, as `in_use`."""
    chosen = in_use()
    return chosen.distance.identification_threshold(
        gallery_size, chosen.identification_fpir, highest_fmr=chosen.verification_fmr
    )


def duplicate_point(gallery_size: int) -> OperatingPoint:
    """Nearer than this to another person's template, a photo may be of that person. Raises
    UserFacingError, as `in_use`."""
    chosen = in_use()
    return chosen.distance.identification_threshold(
        gallery_size, DUPLICATE_FPIR, highest_fmr=chosen.verification_fmr
    )


def outlier_point() -> OperatingPoint:
    """Farther than this from all of a person's templates, a photo may be of somebody else. Raises
    UserFacingError, as `in_use`."""
    return in_use().distance.verification_threshold(OUTLIER_FMR)


def calibration_set() -> CalibrationSet:
    """What the error rates were measured on. Raises UserFacingError, as `in_use`."""
    return in_use().distance.calibration_set
