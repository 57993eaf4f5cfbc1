"""Is a face fit to be compared? A blurred, tiny or dark face is not merely harder to recognise:
its encoding drifts towards that of every other such face, and strangers begin to match.

The limits were chosen on faces of LFW that were made worse step by step; the measurements stand in
docs/faces.md. Enrolment is stricter than a question, since its face will answer for years.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import atan, cos, degrees
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facerec.core.types import DetectedFace, Quality, Reason

MIN_EYE_DISTANCE = 16.0
"""Pixels between the eyes. At 17 false matches are 1.2 times as many as in the full picture, at 12
twice as many, and the detector begins to miss the face."""

MIN_SHARPNESS = 0.08
"""See `sharpness`. About a Gaussian blur of 2.5 pixels in the 150-pixel chip. At a blur of 2 false
matches are 3 times as many, at 3 ten times, at 6 a hundred times."""

NOSE_BELOW_EYES = 0.764
"""How far the base of the nose lies below the eyes of a face from the front, in distances between
the eyes' centres: the median of 3,757 faces of LFW."""

NOSE_BEFORE_EYES = 0.5
"""How far it lies before them: about 30 mm of 61 (Farkas 1994, Anthropometry of the Head and
Face)."""

_LUMA = np.array([0.299, 0.587, 0.114]) / 255  # ITU-R BT.601
_CELL = 3  # sharpness is read at a third of the chip: 50 pixels, so that noise is no detail
_WHITE = 0.98  # luma that has no detail left


class Use(StrEnum):
    """What a face is to serve for: to be asked about, or to be compared with from now on."""

    PROBE = "probe"
    ENROLMENT = "enrolment"


def luma(chip: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The brightness of uint8 RGB (H, W, 3) pixels -> (H, W) in [0, 1]."""
    return np.asarray(chip @ _LUMA)


def sharpness(chip: NDArray[np.uint8]) -> float:
    """How much fine detail an aligned face has: the variance of its Laplacian over that of its
    luma, both at 50 x 50 pixels. Dividing makes it independent of contrast and exposure; the
    chip's fixed scale makes it independent of the photo's size.

    chip: uint8 RGB (150, 150, 3) -> at least 0; sharp faces have 0.15 to 1.5.
    Source: Pech-Pacheco et al. 2000, the variance of the Laplacian, here normalised.
    """
    rows, columns = chip.shape[0] // _CELL, chip.shape[1] // _CELL
    cells = luma(chip)[: rows * _CELL, : columns * _CELL].reshape(rows, _CELL, columns, _CELL)
    y = cells.mean(axis=(1, 3))
    centre, neighbours = _with_neighbours(y)
    # Where the chip reaches past the photo it is black: an edge there is no detail of the face.
    lit = _with_neighbours(cells.min(axis=(1, 3)) > 0)
    inside = lit[0] & lit[1].all(axis=0)
    if not inside.any() or (variance := centre[inside].var()) < 1e-8:
        return 0.0
    laplacian = neighbours.sum(axis=0) - 4 * centre
    return float(laplacian[inside].var() / variance)


def _with_neighbours(grid: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The inner cells, and their four neighbours stacked."""
    around = grid[1:-1, :-2], grid[1:-1, 2:], grid[:-2, 1:-1], grid[2:, 1:-1]
    return grid[1:-1, 1:-1], np.stack(around)


def face_region(size: int = 150) -> NDArray[np.bool_]:
    """Which pixels of an aligned chip show the face itself: an ellipse, (size, size)."""
    y, x = np.mgrid[0:size, 0:size] / (size - 1) - 0.5
    return np.asarray((x / 0.27) ** 2 + (y / 0.35) ** 2 <= 1)


def exposure(chip: NDArray[np.uint8]) -> tuple[float, float, float]:
    """The light on an aligned face: the mean and the standard deviation of its luma, in [0, 1],
    and the share of it that is white. chip: uint8 RGB (H, H, 3). What lies beyond the photo's edge
    is left out; a chip that shows nothing else is dark."""
    y = luma(chip)
    lit = y[face_region(len(chip)) & (y > 0)]
    if not len(lit):
        return 0.0, 0.0, 0.0
    return float(lit.mean()), float(lit.std()), float((lit > _WHITE).mean())


def pose(face: DetectedFace) -> tuple[float, float, float]:
    """Where a face looks, in degrees: yaw (positive: to the image's right), pitch (positive:
    down), roll (positive: clockwise in the image).

    From where the base of the nose lies between and below the eyes, in weak perspective: with the
    eyes' centres 1 apart and the nose b before and a below them, a turn moves it by b sin(yaw)
    across while the eyes come to lie cos(yaw) apart, and a nod by about b pitch down. Coarse: a
    turn of 25 and a nod of 12 degrees at once put each other out by up to 10, noses differ in
    length by about 10 degrees' worth of pitch, and the landmarks' regressor saw few profiles.
    Source: Gee and Cipolla 1994, Determining the gaze of faces in images.
    """
    (ax, ay), (bx, by), (cx, cy), (dx, dy), (nx, ny) = face.landmarks
    right, left = np.array([ax + bx, ay + by]) / 2, np.array([cx + dx, cy + dy]) / 2
    across = right - left
    apart = float(np.hypot(*across))
    if apart == 0:
        return 0.0, 0.0, 0.0
    across = across / apart
    down = np.array([-across[1], across[0]])
    nose = (np.array([nx, ny]) - (right + left) / 2) / apart
    yaw = atan(float(nose @ across) / NOSE_BEFORE_EYES)
    pitch = (float(nose @ down) * cos(yaw) - NOSE_BELOW_EYES) / NOSE_BEFORE_EYES
    return degrees(yaw), degrees(pitch), degrees(np.arctan2(across[1], across[0]))


def measure(face: DetectedFace, chip: NDArray[np.uint8]) -> Quality:
    """The quality of a face and its aligned chip, uint8 RGB (150, 150, 3)."""
    brightness, contrast, highlights = exposure(chip)
    yaw, pitch, roll = pose(face)
    return Quality(
        face_width=float(face.box.w),
        eye_distance=face.eye_distance,
        sharpness=sharpness(chip),
        brightness=brightness,
        contrast=contrast,
        highlights=highlights,
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        confidence=face.score,
    )


def turned(quality: Quality) -> float:
    """How far a face looks away from the camera: 1 is as far as an enrolled one may, 40 degrees
    to a side, 32 up or 52 down."""
    return max(abs(quality.yaw) / 40, -quality.pitch / 32, quality.pitch / 52)


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that makes a face good or bad.

    of: its value. worst, best: the values between which its score goes from 0 to 1; where best is
    the smaller, smaller is better. limits: how bad it may be for each use; nothing where it does
    no harm. reason: what is said beyond.
    """

    name: str
    of: Callable[[Quality], float]
    worst: float
    best: float
    reason: Reason
    limits: dict[Use, float]

    def score(self, quality: Quality) -> float:
        """How good a face is in this respect, in [0, 1]."""
        return min(1.0, max(0.0, (self.of(quality) - self.worst) / (self.best - self.worst)))

    def passes(self, quality: Quality, use: Use) -> bool:
        """Whether a face is good enough in this respect."""
        limit = self.limits.get(use)
        if limit is None:
            return True
        value = self.of(quality)
        return value >= limit if self.best > self.worst else value <= limit


def _both(probe: float, enrolment: float) -> dict[Use, float]:
    return {Use.PROBE: probe, Use.ENROLMENT: enrolment}


MEASURES = (
    Measure(
        "size", lambda q: q.eye_distance, 10, 40, Reason.TOO_SMALL, _both(MIN_EYE_DISTANCE, 20)
    ),
    Measure(
        "sharpness", lambda q: q.sharpness, 0, 0.35, Reason.TOO_BLURRED, _both(MIN_SHARPNESS, 0.11)
    ),
    Measure("light", lambda q: q.brightness, 0.06, 0.35, Reason.TOO_DARK, _both(0.12, 0.18)),
    Measure("highlights", lambda q: q.highlights, 0.6, 0, Reason.TOO_BRIGHT, _both(0.4, 0.25)),
    Measure("contrast", lambda q: q.contrast, 0.02, 0.09, Reason.TOO_FLAT, _both(0.04, 0.05)),
    Measure("pose", turned, 1.25, 0.25, Reason.TURNED_AWAY, {Use.ENROLMENT: 1}),
    Measure("visibility", lambda q: q.confidence, -0.4, 1.2, Reason.COVERED, {Use.ENROLMENT: 0.2}),
)
"""In the order in which they refuse. Size comes first, since a person who comes closer mends the
others too. A turned or half covered probe is compared all the same: it is more often not
recognised, but not more often taken for somebody else; only an enrolled one is."""


def refusal(quality: Quality, use: Use = Use.PROBE) -> Reason | None:
    """Why a face of this quality must not be used so; None where it is fit."""
    return next((m.reason for m in MEASURES if not m.passes(quality, use)), None)


def overall(quality: Quality) -> float:
    """One number for a face, in [0, 1]: as good as its weakest measure. Never falls when a measure
    gets better."""
    return min(m.score(quality) for m in MEASURES)
