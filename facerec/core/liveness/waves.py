"""Narrow peaks in the spectrum of a face: the moiré of a screen, the dots of a print.

Source: Garcia and de Queiroz 2015, Face-Spoofing 2D-Detection Based on Moiré-Pattern Analysis
(peaks of the spectrum against what is around them).
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.core.types import DetectedFace, Point

Floats = NDArray[np.float32]

WINDOW = 128
"""Pixels of the picture whose spectrum is looked at, in each direction: a face at arm's length. It
is never resized, which would make and unmake patterns."""

BAND = 8, 60
"""Waves in the window that count: fewer are features of a face, more are the edge of what a
camera can show."""

NOISE = 3.5
"""The height that waves of noise and skin reach in one of a hundred photos of people, or fewer."""

_AXIS = 2  # waves: straight up and down or across lie blocks, rows of the sensor and edges
_JPEG = WINDOW // 8  # waves in the window of JPEG's blocks; their harmonics are multiples
_NEAR, _AROUND = 5, 13  # sides of a peak and of what it is compared with, in bins
_FLOOR = 0.05  # power that quantisation alone leaves
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


def excess(image: NDArray[np.uint8], face: DetectedFace) -> float | None:
    """By how much the highest peak in the spectrum of a face's luma rises above `NOISE`; 0 for
    most faces. image: uint8 RGB (H, W, 3), as it came from the camera; None where it is smaller
    than `WINDOW`.

    The height of a peak is the logarithm of its power over that of the waves around it. The
    highest in noise alone is about 2.7 (the largest of 5,000 exponential variates); a wave of as
    little as a tenth of the noise's amplitude stands out.
    """
    if min(image.shape[:2]) < WINDOW:
        return None
    eyes, nose = np.mean(face.landmarks[:4], axis=0), np.array(face.landmarks[4])
    middle = tuple((eyes + 0.6 * (nose - eyes)).tolist())
    x, y = corner = _corner(image, middle)
    detail = _detail(image[y : y + WINDOW, x : x + WINDOW])
    found = heights(detail, _taper(middle, face.eye_distance, corner))
    return max(0.0, float(found[_counted()].max()) - NOISE)


def heights(detail: Floats, taper: Floats) -> Floats:
    """The logarithm of each wave's power over the mean logarithm of those around it, (WINDOW,
    WINDOW / 2 + 1)."""
    weight = float(np.square(taper).sum())
    if weight < 1:  # the face lies outside
        return np.zeros((WINDOW, WINDOW // 2 + 1), np.float32)
    values = (detail - (detail * taper).sum() / taper.sum()) * taper
    power = np.abs(np.fft.rfft2(values)) ** 2 / weight
    logarithm = np.log(power + _FLOOR).astype(np.float32)
    return np.asarray(logarithm - _around(logarithm))


def _corner(image: NDArray[np.uint8], middle: Point) -> tuple[int, int]:
    """The upper left corner (x, y) of the window round it, inside the picture."""
    height, width = image.shape[:2]
    x, y = (round(place) - WINDOW // 2 for place in middle)
    return min(max(0, x), width - WINDOW), min(max(0, y), height - WINDOW)


def _taper(middle: Point, eye_distance: float, corner: tuple[int, int]) -> Floats:
    """The weights of a window's pixels: 1 in the middle of a face, 0 beyond it, since what is
    around a face must not count, nor what a window cuts off."""
    places = np.arange(WINDOW)
    x, y = (places + at - to for at, to in zip(corner, middle, strict=True))
    e = max(1.0, eye_distance)
    r = np.hypot(x[None] / (1.15 * e), y[:, None] / (1.45 * e))
    face = np.cos(np.clip(r, 0, 1) * np.pi / 2) ** 2
    return np.asarray(face * _edgeless(), dtype=np.float32)


@lru_cache(maxsize=1)
def _edgeless() -> Floats:
    """1 nearly everywhere, falling to 0 at the window's edge, which would be a wave itself."""
    rise = np.sin(np.clip((np.arange(WINDOW) + 0.5) / 16, 0, 1) * np.pi / 2) ** 2
    side = np.minimum(rise, rise[::-1])
    return np.asarray(np.outer(side, side), dtype=np.float32)


@lru_cache(maxsize=1)
def _counted() -> NDArray[np.bool_]:
    """Which waves may be peaks, (WINDOW, WINDOW / 2 + 1)."""
    waves = np.fft.fftfreq(WINDOW, 1 / WINDOW)
    down, across = np.meshgrid(waves, np.abs(waves[: WINDOW // 2 + 1]), indexing="ij")
    length = np.hypot(down, across)
    in_band = (length >= BAND[0]) & (length <= BAND[1])
    on_axis = (np.abs(down) <= _AXIS) | (across <= _AXIS)
    off_grid = [np.abs(k - _JPEG * np.round(k / _JPEG)) for k in (down, across)]
    return np.asarray(in_band & ~on_axis & ~((off_grid[0] <= 1) & (off_grid[1] <= 1)))


def _detail(pixels: NDArray[np.uint8]) -> Floats:
    """What is fine in a picture's luma, equally strong everywhere: glasses and lashes would drown
    a wave."""
    luma = pixels.astype(np.float32) @ _LUMA
    detail = luma - cv2.GaussianBlur(luma, (0, 0), 2)
    strength = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), 6))
    return np.asarray(4 * np.clip(detail / (strength + 0.5), -2, 2), dtype=np.float32)


def _around(grid: Floats) -> Floats:
    """The mean over a square round each bin, without the middle of it."""
    wide, narrow = (
        cv2.blur(grid, (side, side), borderType=cv2.BORDER_REFLECT_101) * side**2
        for side in (_AROUND, _NEAR)
    )
    return np.asarray((wide - narrow) / (_AROUND**2 - _NEAR**2), dtype=np.float32)
