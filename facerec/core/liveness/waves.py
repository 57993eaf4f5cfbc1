"""Narrow peaks in the spectrum of a face: the moiré of a screen, the dots of a print.

Where camera and screen both stand, the moiré stands too, while a face moves over it: the mean of
many frames, each cut out at its face, shows waves that no single one does.

Source: Garcia and de Queiroz 2015, Face-Spoofing 2D-Detection Based on Moiré-Pattern Analysis
(peaks of the spectrum against what is around them).
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from functools import lru_cache
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

NOISE = 3.2
"""The height that waves of noise and skin reach: the highest of 99 in 100 photos of people."""

_AXIS = 2  # waves: straight up and down or across lie blocks, rows of the sensor and edges
_JPEG = WINDOW // 8  # waves in the window of JPEG's blocks; their harmonics are multiples
_NEAR, _AROUND = 5, 13  # sides of a peak and of what it is compared with, in bins
_FLOOR = 0.05  # power that quantisation alone leaves
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


class Waves:
    """What the frames of a session have of them.

    A height is the logarithm of a wave's power over that of the waves around it. The highest in
    noise alone is about 2.7 (the largest of 5,000 exponential variates); a wave of as little as a
    tenth of the noise's amplitude stands out.
    """

    def __init__(self) -> None:
        self._heights: list[float] = []
        self._corner: tuple[int, int] | None = None  # of the window that stays where it is
        self._sum = np.zeros((WINDOW, WINDOW), np.float32)
        self._weight = np.zeros((WINDOW, WINDOW), np.float32)

    def __len__(self) -> int:
        return len(self._heights)

    def add(self, image: NDArray[np.uint8], face: DetectedFace) -> None:
        """One frame more. image: uint8 RGB (H, W, 3), as it came from the camera; one smaller than
        `WINDOW` is passed over."""
        if min(image.shape[:2]) < WINDOW:
            return
        middle, eyes = _middle(face), round(face.eye_distance)
        corner = _corner(image, middle)
        self._heights.append(highest(_detail(image, corner), _taper(middle, eyes, corner)))
        if self._corner is None:
            self._corner = corner
        if _fits(image, self._corner):
            taper = _taper(middle, eyes, self._corner)
            self._sum += taper * _detail(image, self._corner)
            self._weight += taper * taper

    def passing(self) -> float:
        """By how much waves rise above `NOISE`, mean over frames: also those that move with the
        face or come and go. 0 before the first frame."""
        return float(np.mean([max(0.0, h - NOISE) for h in self._heights] or [0.0]))

    def standing(self) -> float:
        """The same of the mean of all frames, in which only a wave that stays adds up."""
        as_noisy_as_one = self._sum / np.sqrt(self._weight + 0.5)
        taper = _edgeless() * np.clip(self._weight / 2, 0, 1)
        return max(0.0, highest(as_noisy_as_one, taper) - NOISE)

    def as_json(self) -> dict[str, Any]:
        kept = np.stack([self._sum, self._weight]).astype(np.float16)
        return {
            "heights": self._heights,
            "corner": self._corner,
            "kept": b64encode(kept.tobytes()).decode(),
        }

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Self:
        waves = cls()
        waves._heights = list(state["heights"])
        waves._corner = tuple(state["corner"]) if state["corner"] else None
        kept = np.frombuffer(b64decode(state["kept"]), np.float16).astype(np.float32)
        waves._sum, waves._weight = kept.reshape(2, WINDOW, WINDOW)
        return waves


def highest(detail: Floats, taper: Floats) -> float:
    """The height of the highest peak of a square of `WINDOW` pixels under a taper."""
    return float(heights(detail, taper)[_counted()].max())


def heights(detail: Floats, taper: Floats) -> Floats:
    """The logarithm of each wave's power over the mean logarithm of those around it, (WINDOW,
    WINDOW / 2 + 1)."""
    weight = float(taper.sum())
    if weight == 0:
        return np.zeros((WINDOW, WINDOW // 2 + 1), np.float32)
    values = (detail - (detail * taper).sum() / weight) * taper
    power = np.abs(np.fft.rfft2(values)) ** 2 / np.square(taper).sum()
    logarithm = np.log(power + _FLOOR).astype(np.float32)
    return np.asarray(logarithm - _around(logarithm))


def _middle(face: DetectedFace) -> tuple[int, int]:
    """Between the eyes and the mouth."""
    eyes, nose = np.mean(face.landmarks[:4], axis=0), np.array(face.landmarks[4])
    x, y = np.round(eyes + 0.6 * (nose - eyes)).astype(int)
    return int(x), int(y)


def _corner(image: NDArray[np.uint8], middle: tuple[int, int]) -> tuple[int, int]:
    """The upper left corner (x, y) of the window round it, inside the picture."""
    x, y = (
        min(max(0, place - WINDOW // 2), size - WINDOW)
        for place, size in zip(middle, image.shape[1::-1], strict=True)
    )
    return x, y


def _fits(image: NDArray[np.uint8], corner: tuple[int, int]) -> bool:
    height, width = image.shape[:2]
    return bool(corner[0] + WINDOW <= width and corner[1] + WINDOW <= height)


def _taper(middle: tuple[int, int], eye_distance: int, corner: tuple[int, int]) -> Floats:
    """The weights of a window's pixels: 1 in the middle of a face, 0 beyond it, since what is
    around a face must not count, nor what a window cuts off."""
    x, y = (WINDOW + at - to for at, to in zip(corner, middle, strict=True))
    if not (0 <= x <= WINDOW and 0 <= y <= WINDOW):
        return np.zeros((WINDOW, WINDOW), np.float32)
    return _ellipse(eye_distance)[y : y + WINDOW, x : x + WINDOW] * _edgeless()


@lru_cache(maxsize=32)
def _ellipse(eye_distance: int) -> Floats:
    """The taper of a face in the middle of (2 WINDOW, 2 WINDOW) pixels."""
    y, x = np.mgrid[0 : 2 * WINDOW, 0 : 2 * WINDOW] - WINDOW
    e = max(1, eye_distance)
    r = np.sqrt((x / min(1.15 * e, WINDOW)) ** 2 + (y / min(1.45 * e, WINDOW)) ** 2)
    return np.asarray(np.cos(np.clip(r, 0, 1) * np.pi / 2) ** 2, dtype=np.float32)


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


def _detail(image: NDArray[np.uint8], corner: tuple[int, int]) -> Floats:
    """What is fine in a window's luma, equally strong everywhere: glasses and lashes would drown a
    wave."""
    x, y = corner
    luma = image[y : y + WINDOW, x : x + WINDOW].astype(np.float32) @ _LUMA
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
