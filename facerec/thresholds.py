"""The house's operating points: the settings' error rates read off the shipped calibration."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from facerec.core.calibration import CalibrationSet, OperatingPoint, OperatingPoints


@cache
def _points() -> OperatingPoints:
    return OperatingPoints.load()


def verification_point(templates: int = 1) -> OperatingPoint:
    """For one claimed person with this many templates. Raises CalibrationInvalid."""
    return _points().verification_threshold(settings.VERIFICATION_FMR, templates=templates)


def identification_point(gallery_size: int) -> OperatingPoint:
    """For a search through this many templates. Raises CalibrationInvalid."""
    return _points().identification_threshold(
        gallery_size, settings.IDENTIFICATION_FPIR, highest_fmr=settings.VERIFICATION_FMR
    )


def calibration_set() -> CalibrationSet:
    """What the error rates were measured on."""
    return _points().calibration_set
