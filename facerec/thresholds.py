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

from facerec.core.calibration import (
    DISTANCE,
    CalibrationSet,
    OperatingPoint,
    OperatingPoints,
    of_each,
)
from facerec.encoders import ActiveEncoder, as_active, shown
from facerec.models import Calibration, FacePolicy, Mode
from webapp.errors import UserFacingError

DUPLICATE_FPIR = 0.05
"""One new person in twenty looks enough like somebody enrolled for a person to have a look."""

OUTLIER_FMR = 0.01
"""A photo of somebody else passes for one of this person's once in a hundred times."""


@dataclass(frozen=True)
class Target:
    """An error rate that somebody wants: the FMR of verification, or the FPIR of a search through
    so many templates."""

    mode: Mode
    rate: float
    comparisons: int = 1

    @property
    def fmr(self) -> float:
        """What each comparison may err for it."""
        return of_each(self.rate, self.comparisons)


@dataclass(frozen=True)
class InUse:
    """What faces are decided by. calibration: the row's key, None for the shipped one."""

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

    def points(self, mode: Mode) -> OperatingPoints:
        return self.verification if mode == Mode.VERIFICATION else self.distance

    def point(self, target: Target) -> OperatingPoint:
        if target.mode == Mode.VERIFICATION:
            return self.verification.verification_threshold(
                target.rate, templates=target.comparisons
            )
        return self.distance.identification_threshold(
            target.comparisons, target.rate, highest_fmr=self.verification_fmr
        )

    def shown_threshold(self, target: Target) -> float:
        """The target's threshold as people get it, see `encoders.shown`."""
        return shown(self.point(target).threshold, self.points(target.mode).decision_rule)


def in_use() -> InUse:
    """Encoder, calibration and error rates as they are chosen at this moment.

    Raises:
        UserFacingError: `uncalibrated` (503): nobody measured thresholds for the active encoder.
    """
    policy = FacePolicy.objects.filter(pk=1).select_related("encoder").first() or FacePolicy()
    encoder = as_active(policy.encoder)
    for calibration in (policy.calibration_id, None):
        found = decided_by(calibration, encoder, policy)
        if found is not None:
            return found
    raise UserFacingError(
        "uncalibrated",
        f"The encoder in use ({encoder.name}) has no calibration, so no threshold is known for it.",
        "An administrator measures one on the page Calibration, or with manage.py calibrate.",
        status=503,
    )


def decided_by(
    calibration: UUID | None, encoder: ActiveEncoder, policy: FacePolicy
) -> InUse | None:
    """What faces would be decided by with this calibration (None: the shipped one); None where
    it was not measured on this encoder, for each rule that it decides by."""
    rules = _rules(calibration)
    for rule in {DISTANCE, encoder.decision_rule}:
        if rule not in rules or not rules[rule].fits(encoder.name, encoder.aligner, rule):
            return None
    return InUse(
        encoder,
        calibration,
        rules,
        policy.verification_fmr or settings.VERIFICATION_FMR,
        policy.identification_fpir or settings.IDENTIFICATION_FPIR,
    )


@lru_cache(maxsize=16)
def _rules(calibration: UUID | None) -> dict[str, OperatingPoints]:
    # A calibration's points never change once they are there, so they are read once.
    if calibration is None:
        return {DISTANCE: OperatingPoints.load()}
    points: dict[str, Any] = Calibration.objects.values_list("points", flat=True).get(
        pk=calibration
    )
    return {rule: OperatingPoints.from_dict(raw) for rule, raw in points.items()}


def verification_point(templates: int = 1) -> OperatingPoint:
    """For one claimed person with this many templates. Raises UserFacingError, as `in_use`."""
    chosen = in_use()
    return chosen.point(Target(Mode.VERIFICATION, chosen.verification_fmr, templates))


def identification_point(gallery_size: int) -> OperatingPoint:
    """For a search through this many templates. Raises UserFacingError, as `in_use`."""
    chosen = in_use()
    return chosen.point(Target(Mode.IDENTIFICATION, chosen.identification_fpir, gallery_size))


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
