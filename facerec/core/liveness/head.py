"""A usual head: how its points move when it turns, and how far it must have turned for points to
move as they did."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facerec.core.liveness.homography import Points
from facerec.core.liveness.movements import Pose, Turn

FOCAL = 380.0
"""Pixels of the focal length of a usual webcam, 65 degrees across 480 pixels. Wrong by a fifth it
changes a turn by less than a degree."""

ITERATIONS = 8
ROBUST = 0.03
"""Eye distances of misfit from which a point counts less (Huber): eyes and mouths move by
themselves."""

NEAREST, LARGEST = 0.4, 0.9
"""Bounds of a fit, which keep it from running away: times larger or smaller (as 1 over the first),
and radians of a turn."""

Floats = NDArray[np.float64]


class Placed(NamedTuple):
    """A head relative to its neutral picture: radians to the image's right, down and clockwise,
    the logarithm of how many times larger it is, and its shift in eye distances."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    growth: float = 0.0
    x: float = 0.0
    y: float = 0.0

    @property
    def turn(self) -> Turn:
        yaw, pitch = np.degrees((self.yaw, self.pitch))
        return Turn(float(yaw), float(pitch), float(np.exp(self.growth)))


def usual_depth(x: Floats, y: Floats) -> Floats:
    """How far a usual face comes forward at (x, y), all in eye distances, the middle of the eyes
    the origin and y down: half an ellipsoid, a nose and the sockets of the eyes.

    Measures after Farkas 1994, Anthropometry of the Head and Face: a head 2.5 eye distances wide
    and 3.8 high, a nose 0.8 long that stands out 0.35.
    """
    ball = 1.15 * np.sqrt(np.maximum(0.05, 1 - (x / 1.3) ** 2 - ((y - 0.35) / 1.9) ** 2))
    along = np.clip(y / 0.65, 0, 1)
    below = np.clip(1 - (y - 0.65) / 0.18, 0, 1)
    nose = 0.35 * along * below * np.exp(-((x / (0.14 + 0.1 * along)) ** 2))
    sockets = 0.1 * np.exp(-(((np.abs(x) - 0.5) / 0.2) ** 2) - (y / 0.15) ** 2)
    return np.asarray(ball + nose - sockets)


class UsualHead:
    """The points of a neutral picture, put on a usual head before a pinhole camera."""

    def __init__(self, points: Points, neutral: Pose) -> None:
        """points: (N, 2) in pixels of the picture in which the face is at `neutral`."""
        self._neutral = neutral
        self._roll = np.radians(neutral.roll)
        self._distance = FOCAL / neutral.eyes  # in eye distances
        dx, dy = ((points - (neutral.x, neutral.y)) / neutral.eyes).astype(np.float64).T
        cos, sin = np.cos(self._roll), np.sin(self._roll)
        x, y = dx * cos + dy * sin, dy * cos - dx * sin
        self._z = usual_depth(x, y)
        nearer = (self._distance - self._z) / self._distance
        self._x, self._y = x * nearer, y * nearer

    def at(self, placed: Placed) -> Points:
        """Where the points would be, (N, 2) in pixels."""
        yaw, pitch, roll, growth, dx, dy = placed
        x = self._x * np.cos(yaw) + self._z * np.sin(yaw)
        z = self._z * np.cos(yaw) - self._x * np.sin(yaw)
        y = self._y * np.cos(pitch) + z * np.sin(pitch)
        z = z * np.cos(pitch) - self._y * np.sin(pitch)
        zoom = self._distance / (self._distance * np.exp(-growth) - z) * self._neutral.eyes
        turned = self._roll + roll
        u, v = x * zoom + dx * self._neutral.eyes, y * zoom + dy * self._neutral.eyes
        right = u * np.cos(turned) - v * np.sin(turned) + self._neutral.x
        down = u * np.sin(turned) + v * np.cos(turned) + self._neutral.y
        return np.stack([right, down], axis=1).astype(np.float64)

    def fit(self, seen: Points, start: Placed) -> Placed:
        """The place from which the head's points would be seen where they are, in least squares
        with less weight for points that misfit (Huber 1964), by Gauss and Newton from `start`.

        Raises ValueError for fewer than six points.
        """
        if len(seen) < 6:
            raise ValueError("six points are needed")
        eyes = self._neutral.eyes
        values = np.array(start, dtype=np.float64)
        for _ in range(ITERATIONS):
            here = self.at(Placed(*values))
            missed = (seen - here) / eyes
            weight = np.sqrt(np.minimum(1, ROBUST / np.maximum(np.hypot(*missed.T), 1e-9)))
            columns = [(self.at(Placed(*(values + step))) - here) / eyes / _STEP for step in _STEPS]
            a = (np.stack(columns, axis=2) * weight[:, None, None]).reshape(-1, 6)
            b = (missed * weight[:, None]).ravel()
            change = np.linalg.solve(a.T @ a + 1e-4 * np.eye(6), a.T @ b)
            values = np.clip(values + change, -_BOUNDS, _BOUNDS)
            if np.abs(change).max() < 1e-4:
                break
        return Placed(*(float(value) for value in values))


_STEP = 1e-4
_STEPS = np.eye(6) * _STEP
_BOUNDS = np.array([LARGEST, LARGEST, LARGEST, -np.log(NEAREST), 6, 6])
