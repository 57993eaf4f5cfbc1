"""Which error rates faces are decided by."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from facerec.api.common import ERRORS
from facerec.core.calibration import OperatingPoint
from facerec.models import FaceTemplate, Mode
from facerec.thresholds import InUse, Target, in_use
from webapp.accounts.models import Scope
from webapp.apikeys import KeyAuth

router = Router()


class CalibrationOut(Schema):
    """`id` is null for the shipped one. Pairs of people are what limits the rates."""

    id: UUID | None
    name: str
    people: int
    images: int
    person_pairs: int
    lowest_fmr: float


class PointOut(Schema):
    """`supported` is false where the set cannot vouch for the wanted rate: the threshold then
    stands at the lowest that it can. Intervals are 95 %."""

    rule: str
    gallery_size: int
    threshold: float
    fmr: float
    fpir: float
    fpir_interval: list[float]
    fnmr: float
    fnmr_interval: list[float]
    supported: bool


class OperatingPointsOut(Schema):
    encoder: str
    aligner: str
    calibration: CalibrationOut
    verification: PointOut
    identification: PointOut


@router.get(
    "/operating-points",
    response={200: OperatingPointsOut, **ERRORS},
    auth=KeyAuth(Scope.RECOGNISE),
    summary="Thresholds, and the error rates to expect of them",
)
def operating_points(
    request: HttpRequest, gallery_size: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
) -> dict[str, Any]:
    """`gallery_size`: of the identification, in templates; by default the present one."""
    chosen = in_use()
    size = gallery_size or FaceTemplate.current.count() or 1
    these = chosen.distance.calibration_set
    return {
        "encoder": chosen.encoder.name,
        "aligner": chosen.encoder.aligner,
        "calibration": {
            "id": chosen.calibration,
            "name": these.name,
            "people": these.people,
            "images": these.images,
            "person_pairs": these.person_pairs,
            "lowest_fmr": chosen.distance.lowest_fmr,
        },
        "verification": _point(chosen, Target(Mode.VERIFICATION, chosen.verification_fmr)),
        "identification": _point(
            chosen, Target(Mode.IDENTIFICATION, chosen.identification_fpir, size)
        ),
    }


def _point(chosen: InUse, target: Target) -> dict[str, Any]:
    point: OperatingPoint = chosen.point(target)
    return {
        "rule": chosen.points(target.mode).decision_rule,
        "gallery_size": target.comparisons,
        "threshold": chosen.shown_threshold(target),
        "fmr": point.fmr,
        "fpir": point.fpir,
        "fpir_interval": list(point.fpir_interval),
        "fnmr": point.fnmr,
        "fnmr_interval": list(point.fnmr_interval),
        "supported": point.supported,
    }
