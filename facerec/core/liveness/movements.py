"""Where a face looks and how far it has come, from five landmarks and the person's own neutral."""

from __future__ import annotations

from collections.abc import Iterable
from math import atan, atan2, degrees, hypot, radians
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facerec.core.liveness.limits import Limits
from facerec.core.liveness.types import Movement
from facerec.core.quality import NOSE_BEFORE_EYES

Landmarks = NDArray[np.float64]
"""dlib's five points, (5, 2) in pixels, in the order of `DetectedFace.landmarks`."""


class Pose(NamedTuple):
    """A face in the picture. aside, below: where the base of the nose lies from the middle of the
    eyes, to the image's right and down, in eye distances; eyes: pixels between the eyes' centres;
    roll: degrees, clockwise; x, y: the middle of the eyes, in pixels."""

    aside: float
    below: float
    eyes: float
    roll: float
    x: float
    y: float

    @property
    def yaw(self) -> float:
        """Degrees to the image's right, the person's left, if the nose is of usual length."""
        return degrees(atan(self.aside / NOSE_BEFORE_EYES))


class Turn(NamedTuple):
    """A head relative to its neutral place: degrees to the person's left, degrees down, and by how
    many times the face is larger."""

    yaw: float
    pitch: float
    scale: float


def pose_of(landmarks: Landmarks) -> Pose:
    """Landmarks (5, 2) -> where the face is and where its nose points."""
    right, left, nose = landmarks[0:2].mean(axis=0), landmarks[2:4].mean(axis=0), landmarks[4]
    (ax, ay), (mx, my) = right - left, (right + left) / 2
    apart = max(hypot(ax, ay), 1e-6)
    nx, ny = (nose - (right + left) / 2) / apart
    ux, uy = ax / apart, ay / apart
    roll = degrees(atan2(uy, ux))
    return Pose(nx * ux + ny * uy, ny * ux - nx * uy, apart, roll, float(mx), float(my))


def median_pose(poses: Iterable[Pose]) -> Pose:
    """Number by number. Raises ValueError for none."""
    values = list(poses)
    if not values:
        raise ValueError("no poses")
    return Pose(*(float(v) for v in np.median(np.array(values), axis=0)))


def shares(turn: Turn, limits: Limits) -> dict[Movement, float]:
    """How far each movement has come: 1 is clearly done, below 0 the opposite."""
    closer = (turn.scale - 1) / (limits.closer - 1)
    return {
        Movement.TURN_LEFT: turn.yaw / limits.turn,
        Movement.TURN_RIGHT: -turn.yaw / limits.turn,
        Movement.LOOK_UP: -turn.pitch / limits.up,
        Movement.LOOK_DOWN: turn.pitch / limits.down,
        Movement.COME_CLOSER: closer,
    }


def rotation(turn: Turn) -> float:
    """How far a head is turned in all, in degrees."""
    return degrees(hypot(radians(turn.yaw), radians(turn.pitch)))


def median_turn(turns: Iterable[Turn]) -> Turn:
    """Number by number. Raises ValueError for none."""
    values = list(turns)
    if not values:
        raise ValueError("no turns")
    return Turn(*(float(v) for v in np.median(np.array(values), axis=0)))


def is_rotation(movement: Movement) -> bool:
    return movement is not Movement.COME_CLOSER
