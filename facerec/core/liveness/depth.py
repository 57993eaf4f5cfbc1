"""Is what turned a head, or a picture of one? Parallax against the best homography.

A flat print moves as a homography whatever is done to it; a head leaves a residual, largest at the
nose. Its size grows with the turn, so it is also compared with what a head of usual shape would
leave after the same turn, at the same points.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.core.liveness.homography import Points, fit_homography, residuals, transfer
from facerec.core.liveness.movements import Pose, Turn
from facerec.core.liveness.tracking import Grey, follow

MIN_POINTS = 16

DISTANCE = 9.0
"""Eye distances from the camera to the face, about 55 cm: how much perspective to expect."""


class Parallax(NamedTuple):
    """What one turned picture shows, against the one before the turn.

    share: how far the asked movement had come. residual: `parallax_residual`, in eye distances.
    relief: the share of a usual head's depth that is seen: about 1 for a head, 0 for a plane,
    below 0 where what is near moves as if it were far. points: how many were followed.
    """

    share: float
    residual: float
    relief: float
    points: int


def usual_depth(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far a usual face comes forward at (x, y), all in eye distances, the middle of the eyes
    the origin and y down: half an ellipsoid, a nose and the sockets of the eyes.

    Measures after Farkas 1994: a head 2.3 eye distances wide and 3 high, a nose 0.8 long that
    stands out 0.35.
    """
    round_ = 1.15 * np.sqrt(np.maximum(0.05, 1 - (x / 1.3) ** 2 - ((y - 0.35) / 1.9) ** 2))
    along = np.clip(y / 0.65, 0, 1)
    below = np.clip(1 - (y - 0.65) / 0.18, 0, 1)
    nose = 0.35 * along * below * np.exp(-((x / (0.14 + 0.1 * along)) ** 2))
    sockets = 0.1 * np.exp(-(((np.abs(x) - 0.5) / 0.2) ** 2) - (y / 0.15) ** 2)
    return np.asarray(round_ + nose - sockets)


def turned_head(points: Points, neutral: Pose, turn: Turn) -> Points:
    """Where these points of the neutral picture would be on a usual head after that turn, (N, 2),
    but for a shift: a pinhole camera straight before the face."""
    x, y = face_coordinates(points, neutral)
    z = usual_depth(x, y)
    yaw, pitch = np.radians(turn.yaw), np.radians(turn.pitch)
    depth = DISTANCE - z
    right, down = x * depth / DISTANCE, y * depth / DISTANCE  # seen from the camera, so undone
    x1, z1 = right * np.cos(yaw) + z * np.sin(yaw), z * np.cos(yaw) - right * np.sin(yaw)
    y1, z2 = down * np.cos(pitch) + z1 * np.sin(pitch), z1 * np.cos(pitch) - down * np.sin(pitch)
    zoom = DISTANCE / (DISTANCE / max(turn.scale, 0.5) - z2) * neutral.eyes
    roll = np.radians(neutral.roll)
    u, v = x1 * zoom, y1 * zoom
    rotated = u * np.cos(roll) - v * np.sin(roll), u * np.sin(roll) + v * np.cos(roll)
    return np.stack(rotated, axis=1).astype(np.float32)


def face_coordinates(points: Points, pose: Pose) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pixels -> x to the image's right and y down along the face, in eye distances."""
    dx, dy = (points[:, 0] - pose.x) / pose.eyes, (points[:, 1] - pose.y) / pose.eyes
    roll = np.radians(pose.roll)
    along, down = dx * np.cos(roll) + dy * np.sin(roll), dy * np.cos(roll) - dx * np.sin(roll)
    return along.astype(np.float64), down.astype(np.float64)


def refined(
    reference: Grey, now: Grey, start: Points, chained: Points, eyes: float
) -> tuple[Points, Points]:
    """Points that were followed frame by frame, found once more straight from the reference.

    The reference is first laid over the present picture by the best homography, so that a patch
    looks alike in both; what is found then has no drift. -> start and end of those that were.
    """
    fitted = fit_homography(start, chained)
    height, width = now.shape
    laid = cv2.warpPerspective(reference, fitted, (width, height), borderMode=cv2.BORDER_REPLICATE)
    found = follow(laid.astype(np.uint8), now, transfer(fitted, start), eyes, guess=chained)
    return start[found.kept], found.points[found.kept]


def measure_parallax(
    reference: Grey,
    now: Grey,
    start: Points,
    chained: Points,
    neutral: Pose,
    turn: Turn,
    share: float,
) -> Parallax | None:
    """What a turned picture shows against its reference; None where too few points are left.

    start, chained: (N, 2), the points in the reference and where they were followed to. neutral:
    the pose in the reference; turn: from there to now.
    """
    if len(start) < MIN_POINTS:
        return None
    eyes = neutral.eyes * turn.scale
    try:
        source, target = refined(reference, now, start, chained, eyes)
        if len(source) < MIN_POINTS:
            return None
        seen = residuals(source, target) / eyes
        expected = residuals(source, turned_head(source, neutral, turn)) / eyes
    except (ValueError, np.linalg.LinAlgError):
        return None
    size = float(np.sqrt((seen**2).sum(axis=1).mean()))
    relief = float((seen * expected).sum() / max((expected**2).sum(), 1e-12))
    return Parallax(share, size, relief, len(source))
