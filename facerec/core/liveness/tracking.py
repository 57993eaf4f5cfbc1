"""Points in a face, followed from frame to frame.

Sources: Lucas and Kanade 1981; Bouguet 2001 (pyramids); Shi and Tomasi 1994 (which points);
Kalal et al. 2010, Forward-backward error.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.core.liveness.homography import Points
from facerec.core.liveness.movements import Landmarks, Pose, pose_of

Grey = NDArray[np.uint8]
"""A picture made ready for tracking, (H, W)."""

POINTS = 90
SPACING = 0.075  # eye distances between points
FLOOR = 12.0  # grey levels of contrast below which a neighbourhood is noise, not to be amplified
WINDOW = (17, 17)
LEVELS = 3
BACK = 0.025
"""Eye distances by which a point that is followed there and back may miss where it began."""

ALIKE = 0.8
"""Correlation of what is around a point before and after: of points in one picture that were looked
for in quite another a third are found there and back, but few look alike."""

_CRITERIA = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.01)


class Followed(NamedTuple):
    """points: where they are now (N, 2). kept: which of them could be followed (N,)."""

    points: Points
    kept: NDArray[np.bool_]


def grey(image: NDArray[np.uint8]) -> Grey:
    """uint8 RGB -> luma with the light taken out: each neighbourhood has the same mean and the
    same contrast, so that exposure and shading do not pass for movement."""
    y = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (3, 3), 0.8).astype(np.float32)
    mean = cv2.blur(y, (31, 31))
    deviation = cv2.sqrt(np.maximum(cv2.blur(y * y, (31, 31)) - mean * mean, 0))
    return np.asarray(np.clip(128 + 40 * (y - mean) / (deviation + FLOOR), 0, 255).astype(np.uint8))


def seed(picture: Grey, landmarks: Landmarks, keep: Points | None = None) -> Points:
    """Well textured points (N, 2) of the face: in an ellipse round eyes, nose and mouth that is
    on the skin of any face, also a slightly turned one. keep: points to stay away from."""
    pose = pose_of(landmarks)
    mask = np.zeros(picture.shape, np.uint8)
    centre, axes = face_ellipse(pose)
    cv2.ellipse(mask, (centre, axes, pose.roll), 255, -1)
    spacing = SPACING * pose.eyes
    for x, y in () if keep is None else keep:
        cv2.circle(mask, (round(float(x)), round(float(y))), round(spacing), 0, -1)
    wanted = POINTS - (0 if keep is None else len(keep))
    if wanted <= 0:
        return np.empty((0, 2), np.float32)
    found = cv2.goodFeaturesToTrack(picture, wanted, 0.01, spacing, mask=mask, blockSize=5)
    return _points(np.empty(0) if found is None else found)


def face_ellipse(pose: Pose) -> tuple[tuple[float, float], tuple[float, float]]:
    """Centre and full axes, in pixels, of what is surely face."""
    down = 0.45 * pose.eyes
    angle = np.radians(pose.roll)
    centre = pose.x - down * np.sin(angle), pose.y + down * np.cos(angle)
    return (float(centre[0]), float(centre[1])), (1.8 * pose.eyes, 2.3 * pose.eyes)


def follow(
    before: Grey,
    now: Grey,
    points: Points,
    eye_distance: float,
    guess: Points | None = None,
    levels: int = LEVELS,
) -> Followed:
    """Follow points from one picture to the next and back again. guess: where they may be.
    levels: of the pyramid; each doubles how far a point may be from the guess."""
    if not len(points):
        return Followed(points, np.zeros(0, np.bool_))
    there, found = _flow(before, now, points, points if guess is None else guess, levels)
    back, returned = _flow(now, before, there, there if guess is None else points, levels)
    missed = np.hypot(*(back - points).T)
    height, width = now.shape
    inside = (there >= 0).all(axis=1) & (there < (width, height)).all(axis=1)
    kept = found & returned & inside & (missed <= BACK * eye_distance)
    kept &= _correlation(_patches(before, points), _patches(now, there)) >= ALIKE
    return Followed(there, kept)


def _patches(picture: Grey, points: Points) -> NDArray[np.float32]:
    """What is around points, (N, pixels)."""
    width, height = WINDOW
    dy, dx = np.mgrid[:height, :width].reshape(2, -1).astype(np.float32)
    x = points[:, :1] + dx - (width - 1) / 2
    y = points[:, 1:] + dy - (height - 1) / 2
    seen = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, dtype=np.float32)


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """The normalised cross-correlation of patches (N, pixels) -> (N,), in [-1, 1]."""
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    size = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return np.asarray((a * b).sum(axis=1) / np.maximum(size, 1e-6))


def _flow(
    before: Grey, now: Grey, points: Points, guess: Points, levels: int
) -> tuple[Points, NDArray[np.bool_]]:
    moved, found, _ = cv2.calcOpticalFlowPyrLK(
        before,
        now,
        points.reshape(-1, 1, 2),
        guess.reshape(-1, 1, 2).copy(),
        winSize=WINDOW,
        maxLevel=levels,
        criteria=_CRITERIA,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return _points(moved), np.asarray(found.ravel() == 1)


def _points(values: Any) -> Points:
    return np.asarray(values, dtype=np.float32).reshape(-1, 2)
