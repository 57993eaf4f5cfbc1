"""Is a face fit to be compared? A blurred or tiny face is not merely harder to recognise: its
encoding drifts towards that of every other such face, and strangers begin to match.

The thresholds were chosen on 400 faces of LFW that were blurred and shrunk step by step; the
measurements stand in docs/faces.md.
"""

from __future__ import annotations

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

_LUMA = np.array([0.299, 0.587, 0.114]) / 255  # ITU-R BT.601
_CELL = 3  # sharpness is read at a third of the chip: 50 pixels, so that noise is no detail


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


def measure(face: DetectedFace, chip: NDArray[np.uint8]) -> Quality:
    """The quality of a face and its aligned chip, uint8 RGB (150, 150, 3)."""
    y = luma(chip)
    return Quality(
        face_width=float(face.box.w),
        eye_distance=face.eye_distance,
        sharpness=sharpness(chip),
        brightness=float(y.mean()),
        contrast=float(y.std()),
    )


def refusal(quality: Quality) -> Reason | None:
    """Why a face of this quality must not be decided on; None where it is fit. Size comes first,
    since a person who comes closer mends both."""
    if quality.eye_distance < MIN_EYE_DISTANCE:
        return Reason.TOO_SMALL
    if quality.sharpness < MIN_SHARPNESS:
        return Reason.TOO_BLURRED
    return None
