"""Does a picture move as a plane does? The best homography, and what it leaves unexplained.

Source: Hartley and Zisserman 2004, Multiple View Geometry, 4.1 and 4.4 (normalised DLT), 13.3
(plane and parallax).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
"""(N, 2) in pixels."""


def fit_homography(source: Points, target: Points) -> NDArray[np.float64]:
    """The homography (3, 3) that takes source to target with least algebraic error.

    No point is left out as an outlier: the tip of a nose would be the first. Raises ValueError for
    fewer than four points or ones in a line.
    """
    if len(source) < 4:
        raise ValueError("a homography needs four points")
    a, to_a = _normalised(source)
    b, to_b = _normalised(target)
    x, y, u, v = a[:, 0], a[:, 1], b[:, 0], b[:, 1]
    one, zero = np.ones_like(x), np.zeros_like(x)
    rows = np.concatenate(
        [
            np.stack([x, y, one, zero, zero, zero, -u * x, -u * y, -u], axis=1),
            np.stack([zero, zero, zero, x, y, one, -v * x, -v * y, -v], axis=1),
        ]
    )
    values, vectors = np.linalg.eigh(rows.T @ rows)
    if values[1] < 1e-12 * values[-1]:
        raise ValueError("the points do not fix a homography")
    fitted = np.linalg.inv(to_b) @ vectors[:, 0].reshape(3, 3) @ to_a
    return np.asarray(fitted / fitted[2, 2])


def _normalised(points: Points) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centred, at a mean distance of sqrt(2), and the matrix that does it."""
    p = points.astype(np.float64)
    centre = p.mean(axis=0)
    spread = np.hypot(*(p - centre).T).mean()
    if spread == 0:
        raise ValueError("all points are one")
    s = np.sqrt(2) / spread
    matrix = np.array([[s, 0, -s * centre[0]], [0, s, -s * centre[1]], [0, 0, 1]])
    return (p - centre) * s, matrix


def transfer(homography: NDArray[np.float64], points: Points) -> Points:
    """Where the homography takes points (N, 2)."""
    homogeneous = np.column_stack([points.astype(np.float64), np.ones(len(points))])
    moved = homogeneous @ homography.T
    return np.asarray(moved[:, :2] / moved[:, 2:], dtype=np.float32)


def residuals(source: Points, target: Points) -> NDArray[np.float64]:
    """What the best homography leaves unexplained: (N, 2) in pixels of the target."""
    fitted = transfer(fit_homography(source, target), source)
    return np.asarray(target, dtype=np.float64) - fitted


def parallax_residual(source: Points, target: Points, eye_distance: float) -> float:
    """The root mean square of the residuals' lengths over the inter-eye distance: about 0 for a
    plane however it moves, and the more the deeper an object and the farther it turned."""
    r = residuals(source, target)
    return float(np.sqrt((r**2).sum(axis=1).mean()) / eye_distance)
