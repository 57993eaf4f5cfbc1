"""The house's operating points: the settings' error rates read off the shipped calibration."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from facerec.core.calibration import CalibrationSet, OperatingPoint, OperatingPoints

DUPLICATE_FPIR = 0.05
"""One new person in twenty looks enough like somebody enrolled for a person to have a look."""

OUTLIER_FMR = 0.01
"""A photo of somebody else passes for one of this person's once in a hundred times."""


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


def duplicate_point(gallery_size: int) -> OperatingPoint:
    """Nearer than this to another person's template, a photo may be of that person."""
    return _points().identification_threshold(
        gallery_size, DUPLICATE_FPIR, highest_fmr=settings.VERIFICATION_FMR
    )


def outlier_point() -> OperatingPoint:
    """Farther than this from all of a person's templates, a photo may be of somebody else."""
    return _points().verification_threshold(OUTLIER_FMR)


def calibration_set() -> CalibrationSet:
    """What the error rates were measured on."""
    return _points().calibration_set
