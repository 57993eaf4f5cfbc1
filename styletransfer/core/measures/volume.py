"""Held-out statistics of a volume: how its two phases are arranged, and its values. Numpy alone.

A phase is a boolean array of any number of axes: the voxels above a threshold. Source: Torquato,
"Random Heterogeneous Materials" (2002), chapter 2. The scale of a distance between correlations is
white noise with the example's own volume fraction: 0 is the same, 1 as far away as that.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Phase = npt.NDArray[np.bool_]
Array = npt.NDArray[Any]

_QUANTILES = 512


def volume_fraction(phase: Phase) -> float:
    """φ, the share of voxels in the phase."""
    return float(phase.mean())


def two_point(phase: Phase, axis: int, reach: int) -> Array:
    """S₂(r) for r = 0 … reach along one axis: how probable it is that two voxels r apart both lie
    in the phase. S₂(0) = φ, and φ² is what no correlation has."""
    n = phase.shape[axis]
    if not 0 <= reach < n:
        raise ValueError(f"no pair is {reach} voxels apart along an axis of {n}")
    moved = np.moveaxis(phase, axis, 0)
    return np.array([(moved[: n - r] & moved[r:]).mean() for r in range(reach + 1)])


def two_point_distance(result: Phase, example: Phase, *, reach: int | None = None) -> float:
    """Σ |S₂ of the result − S₂ of the example| over Σ |φ² − S₂ of the example|, r = 1 … reach,
    all axes together.

    The arrays have equally many axes and may differ in size. reach: None: half of the shortest
    side. φ is the example's.
    """
    reach = reach or min(*result.shape, *example.shape) // 2
    gap, scale = 0.0, 0.0
    noise = volume_fraction(example) ** 2
    for axis in range(example.ndim):
        wanted = two_point(example, axis, reach)[1:]
        gap += float(np.abs(two_point(result, axis, reach)[1:] - wanted).sum())
        scale += float(np.abs(noise - wanted).sum())
    return gap / max(scale, 1e-9)


def specific_surface(phase: Phase, spacing: tuple[float, ...]) -> float:
    """The surface between the phases per volume: −4 S₂'(0) (Debye, Anderson and Brumberger 1957),
    where −S₂'(0) is half the share of neighbours that differ, over their distance, averaged over
    the axes. spacing: from voxel to voxel along each axis; the result has its inverse as unit."""
    slopes = [0.5 * np.diff(phase, axis=axis).mean() / step for axis, step in enumerate(spacing)]
    return float(4 * np.mean(slopes))


def value_distance(result: Array, example: Array) -> float:
    """The mean distance between equal quantiles of two sets of values (the 1-Wasserstein distance
    of their distributions), in the values' unit."""
    shares = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    return float(np.abs(np.quantile(result, shares) - np.quantile(example, shares)).mean())


def slices_distance(result: Phase, picture: Phase, axis: int, *, reach: int | None = None) -> float:
    """`two_point_distance` of all slices (across `axis`) of a volume to a picture: the slices'
    rows to the picture's rows, columns to columns."""
    rows, columns = (k for k in range(3) if k != axis)
    reach = reach or min(*result.shape, *picture.shape) // 2
    gap, scale = 0.0, 0.0
    noise = volume_fraction(picture) ** 2
    for across, along in ((0, rows), (1, columns)):
        wanted = two_point(picture, across, reach)[1:]
        gap += float(np.abs(two_point(result, along, reach)[1:] - wanted).sum())
        scale += float(np.abs(noise - wanted).sum())
    return gap / max(scale, 1e-9)
