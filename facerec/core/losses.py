"""The triplet loss, and what a triplet can teach.

Free of torch at import: the formulas hold for arrays and for tensors, and carry gradients there.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from facerec.core.distance import squared_distance

if TYPE_CHECKING:
    from torch import Tensor

MARGIN = 0.2
"""FaceNet's margin alpha, in squared L2. Its encodings have unit length, dlib's 1.28 to 1.59."""


@overload
def triplet_loss(
    anchor: NDArray[Any], positive: NDArray[Any], negative: NDArray[Any], margin: float = ...
) -> NDArray[Any]: ...
@overload
def triplet_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = ...
) -> Tensor: ...
def triplet_loss(anchor: Any, positive: Any, negative: Any, margin: float = MARGIN) -> Any:
    """max(||f(A) - f(P)||^2 - ||f(A) - f(N)||^2 + alpha, 0), one loss a triplet.

    anchor, positive, negative: (..., 128) encodings of A, of another photo of A's person, and of
    somebody else -> (...), at least 0. Zero says that the negative is farther than the positive
    by at least the margin. The batch's cost J is the mean of these.
    Source: Schroff et al. 2015, FaceNet, eq. 3.
    """
    return hinge(squared_distance(anchor, positive), squared_distance(anchor, negative), margin)


def hinge(d_positive: Any, d_negative: Any, margin: float) -> Any:
    """The triplet loss from its two distances, squared L2: max(d(A,P) - d(A,N) + alpha, 0)."""
    return (d_positive - d_negative + margin).clip(min=0)


def active_fraction(losses: Any) -> float:
    """The share of triplets whose loss is above zero, in [0, 1]: the only ones with a gradient.
    Random triplets of a good encoder have next to none, which is why they teach nothing."""
    return float((losses > 0).sum()) / max(len(losses), 1)


class Difficulty(StrEnum):
    """EASY: d(A,N) >= d(A,P) + alpha, the loss is zero. SEMI_HARD: the negative is farther than
    the positive, but within the margin. HARD: it is as near as the positive, or nearer."""

    EASY = "easy"
    SEMI_HARD = "semi-hard"
    HARD = "hard"


def difficulty(d_positive: float, d_negative: float, margin: float = MARGIN) -> Difficulty:
    """Of one triplet, by its two distances (squared L2). Source: FaceNet, section 3.2."""
    if np.greater_equal(d_positive, d_negative):
        return Difficulty.HARD
    if hinge(np.float64(d_positive), np.float64(d_negative), margin) > 0:
        return Difficulty.SEMI_HARD
    return Difficulty.EASY
