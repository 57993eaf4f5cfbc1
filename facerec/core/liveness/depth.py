"""Is what turned a head, or a picture of one? Parallax against the best homography.

A flat print moves as a homography whatever is done to it; a head leaves a residual, largest at the
nose. Its size grows with the turn, so it is also compared with what a head of usual shape would
leave after the same turn, at the same points.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from facerec.core.liveness.head import Placed, UsualHead
from facerec.core.liveness.homography import Points, fit_homography, residuals, transfer
from facerec.core.liveness.movements import Pose
from facerec.core.liveness.tracking import Grey, follow

MIN_POINTS = 12


class Parallax(NamedTuple):
    """What one turned picture shows, against the one before the turn.

    share: how far the asked movement had come. residual: `parallax_residual`, in eye distances.
    relief: the share of a usual head's depth that is seen: about 1 for a head, 0 for a plane,
    below 0 where what is near moves as if it were far. shape: the cosine between what is left and
    what a usual head would leave, in [-1, 1]. points: how many were followed.
    """

    share: float
    residual: float
    relief: float
    shape: float
    points: int


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
    found = follow(
        laid.astype(np.uint8), now, transfer(fitted, start), eyes, guess=chained, levels=1
    )
    return start[found.kept], found.points[found.kept]


def measure_parallax(
    reference: Grey,
    now: Grey,
    start: Points,
    chained: Points,
    neutral: Pose,
    placed: Placed,
    share: float,
) -> Parallax | None:
    """What a turned picture shows against its reference; None where too few points are left.

    start, chained: (N, 2), the points in the reference and where they were followed to. neutral:
    the pose in the reference; placed: the head now.
    """
    if len(start) < MIN_POINTS:
        return None
    eyes = neutral.eyes * placed.turn.scale
    try:
        source, target = refined(reference, now, start, chained, eyes)
        if len(source) < MIN_POINTS:
            return None
        seen = residuals(source, target) / eyes
        expected = residuals(source, UsualHead(source, neutral).at(placed)) / eyes
    except (ValueError, np.linalg.LinAlgError):
        return None
    size = float(np.sqrt((seen**2).sum(axis=1).mean()))
    alike = float((seen * expected).sum())
    usual = float((expected**2).sum())
    relief = alike / max(usual, 1e-12)
    shape = alike / max(np.sqrt(usual * (seen**2).sum()), 1e-12)
    return Parallax(share, size, relief, float(shape), len(source))
