"""Signs of a screen or a print in single frames, gathered over a session into one number.

They judge what a camera makes of a picture, so they depend on the camera, and they were fitted to
simulated screens and prints: something to log, not proof. docs/liveness.md has the figures.

Sources: Garcia and de Queiroz 2015, Face-Spoofing 2D-Detection Based on Moiré-Pattern Analysis
(peaks of the spectrum against what is around them); Li et al. 2004, Live Face Detection Based on
the Analysis of Fourier Spectra.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from functools import lru_cache
from math import exp
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.core.types import DetectedFace

Floats = NDArray[np.float32]

WINDOW = 128
"""Pixels of the picture whose spectrum is looked at, in each direction: a face at arm's length. It
is never resized, which would make and unmake patterns."""

BAND = 8, 60
"""Waves in the window that count: fewer are features of a face, more are the edge of what a
camera can show."""

_AXIS = 2  # waves: straight up and down or across lie blocks, rows of the sensor and edges
_JPEG = WINDOW // 8  # waves in the window of JPEG's blocks; their harmonics are multiples
_NEAR, _AROUND = 5, 13  # sides of a peak and of what it is compared with, in bins
_FLOOR = 0.05  # power that quantisation alone leaves, in grey levels squared
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


@dataclass(frozen=True, slots=True)
class PassiveCues:
    """What one frame shows.

    moire, colour: the highest narrow peak in the spectrum of the face's luma and of its colours,
    as the logarithm of its power over that of its surroundings. Noise alone has about 2.7 (the
    largest of 5,000 exponential variates); a wave of a tenth of the noise's amplitude has 3.
    Moiré of a screen and the dots of a print are such peaks.
    """

    moire: float
    colour: float


def measure(image: NDArray[np.uint8], face: DetectedFace) -> PassiveCues | None:
    """The cues of one face. image: uint8 RGB (H, W, 3), as it came from the camera. None where
    the picture is smaller than `WINDOW`."""
    if min(image.shape[:2]) < WINDOW:
        return None
    pixels = _window(image, face).astype(np.float32)
    taper = _taper(round(face.eye_distance))
    red, green, blue = np.moveaxis(pixels, -1, 0)
    colours = _excess(red - green, taper) + _excess(blue - green, taper)
    counted = _counted()
    return PassiveCues(
        moire=float(_excess(_detail(pixels @ _LUMA), taper)[counted].max()),
        colour=float(colours[counted].max() / 2),
    )


class PassiveEvidence:
    """What the frames of a session say together."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, ...]] = []

    def add(self, image: NDArray[np.uint8], face: DetectedFace, at: float) -> None:
        """One frame more; see `measure`. at: seconds by any clock."""
        if (cues := measure(image, face)) is not None:
            self._seen.append(astuple(cues))

    def score(self) -> float:
        """How much speaks for a screen or a print, in [0, 1]; 0 before the first frame. 0.5 is the
        limit where it is to decide."""
        if not self._seen:
            return 0.0
        moire, colour = np.mean(self._seen, axis=0)
        return 1 / (1 + exp(-(9.0 * (moire - 3.0) + 3.0 * (colour - 2.7) - 3.0)))

    def as_json(self) -> dict[str, Any]:
        return {"seen": [list(cues) for cues in self._seen]}

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Self:
        evidence = cls()
        evidence._seen = [tuple(cues) for cues in state["seen"]]
        return evidence


def _window(image: NDArray[np.uint8], face: DetectedFace) -> NDArray[np.uint8]:
    """The part of the picture round the face's middle, moved inwards at the picture's edge."""
    eyes, nose = np.mean(face.landmarks[:4], axis=0), np.array(face.landmarks[4])
    x, y = np.round(eyes + 0.6 * (nose - eyes) - WINDOW / 2).astype(int)
    height, width = image.shape[:2]
    x, y = np.clip(x, 0, width - WINDOW), np.clip(y, 0, height - WINDOW)
    return image[y : y + WINDOW, x : x + WINDOW]


@lru_cache(maxsize=128)
def _taper(eye_distance: int) -> Floats:
    """1 in the middle of a face, 0 beyond it: what is around a face must not count, nor what a
    window cuts off."""
    y, x = np.mgrid[0:WINDOW, 0:WINDOW] - (WINDOW - 1) / 2
    most = WINDOW / 2 - 1
    across, down = min(1.15 * eye_distance, most), min(1.45 * eye_distance, most)
    r = np.sqrt((x / max(across, 1)) ** 2 + (y / max(down, 1)) ** 2)
    return np.asarray(np.cos(np.clip(r, 0, 1) * np.pi / 2) ** 2, dtype=np.float32)


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


def _detail(luma: Floats) -> Floats:
    """What is fine in a face, equally strong everywhere: glasses and lashes would drown a wave."""
    detail = luma - cv2.GaussianBlur(luma, (0, 0), 2)
    strength = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), 6))
    return np.asarray(4 * np.clip(detail / (strength + 0.5), -2, 2))


def _excess(values: Floats, taper: Floats) -> Floats:
    """The logarithm of each wave's power over the mean logarithm of those around it."""
    values = (values - (values * taper).sum() / taper.sum()) * taper
    power = np.abs(np.fft.rfft2(values)) ** 2 / np.square(taper).sum()
    logarithm = np.log(power + _FLOOR).astype(np.float32)
    return np.asarray(logarithm - _around(logarithm))


def _around(grid: Floats) -> Floats:
    """The mean over a square round each bin, without the middle of it."""
    wide, narrow = (
        cv2.blur(grid, (side, side), borderType=cv2.BORDER_REFLECT_101) * side**2
        for side in (_AROUND, _NEAR)
    )
    return np.asarray((wide - narrow) / (_AROUND**2 - _NEAR**2), dtype=np.float32)
