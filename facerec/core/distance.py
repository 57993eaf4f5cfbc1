"""d(x1, x2) = ||f(x1) - f(x2)||^2, the one distance that the whole project compares faces by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor


@overload
def squared_distance(x1: NDArray[Any], x2: NDArray[Any]) -> NDArray[Any]: ...
@overload
def squared_distance(x1: Tensor, x2: Tensor) -> Tensor: ...
def squared_distance(x1: Any, x2: Any) -> Any:
    """Squared L2 distance of encodings, over the last axis.

    x1, x2: (..., 128) arrays or tensors of equal or broadcastable shape -> (...), at least 0.
    The difference is taken first (no ||a||^2 - 2ab + ||b||^2), so that nothing cancels and
    equal encodings are exactly 0 apart. Differentiable on tensors.
    Source: Schroff et al. 2015, FaceNet, eq. 1 (the distance, without its margin).
    """
    difference = x1 - x2
    return (difference * difference).sum(-1)


def pairwise_squared_distance(probes: NDArray[Any], gallery: NDArray[Any]) -> NDArray[np.float32]:
    """Every probe to every template: (P, 128), (K, 128) -> (P, K), each exact as above.

    One probe at a time, so memory stays at one copy of the gallery.
    """
    distances = np.empty((len(probes), len(gallery)), dtype=np.float32)
    for row, probe in zip(distances, probes, strict=True):
        difference = gallery - probe
        np.einsum("kd,kd->k", difference, difference, out=row)
    return distances
