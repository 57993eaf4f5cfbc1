"""Smaller volumes by area averaging, slice by slice; crops."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from styletransfer.core.media.types import Floats

Shape = tuple[int, int, int]
"""D, H, W."""

Spacing = tuple[float, float, float]
"""mm along D, H, W."""


def area_weights(n_in: int, n_out: int) -> Floats:
    """(n_out, n_in): how much of each old cell lies in each new one; the rows sum to 1.

    Exact averages over n_in / n_out cells, which need not be a whole number. n_out <= n_in.
    """
    edges = np.linspace(0, n_in, n_out + 1)
    cells = np.arange(n_in)
    upper = np.minimum(edges[1:, None], cells + 1)
    lower = np.maximum(edges[:-1, None], cells)
    return np.asarray(np.clip(upper - lower, 0, None) * (n_out / n_in), np.float32)


def averaged(slices: Iterable[Floats], shape: Shape, smaller: Shape) -> Floats:
    """The area averages (C, *smaller) of D slices (C, H, W); one slice is held at a time."""
    along_d, along_h, along_w = (area_weights(*n) for n in zip(shape, smaller, strict=True))
    total: Floats | None = None
    for weights, plane in zip(along_d.T, slices, strict=True):
        small = along_h @ plane @ along_w.T
        if total is None:
            total = np.zeros((small.shape[0], *smaller), np.float32)
        for d in np.flatnonzero(weights):
            total[:, d] += weights[d] * small
    if total is None:
        raise ValueError("there are no slices")
    return total


def shrink(values: Floats, smaller: Shape) -> Floats:
    """`averaged` for values (C, D, H, W) in hand; the same array where nothing changes."""
    _, d, h, w = values.shape
    shape = (d, h, w)
    if shape == smaller:
        return values
    return averaged(values.transpose(1, 0, 2, 3), shape, smaller)


def scaled_shape(shape: Shape, factor: float, *, least: int = 1) -> Shape:
    """Each side times the factor, rounded, no shorter than `least` and no longer than before."""
    d, h, w = (min(n, max(least, round(n * factor))) for n in shape)
    return d, h, w


def scaled_spacing(spacing: Spacing, shape: Shape, smaller: Shape) -> Spacing:
    """mm from voxel to voxel once `shape` has become `smaller`."""
    d, h, w = (s * a / b for s, a, b in zip(spacing, shape, smaller, strict=True))
    return d, h, w


def crop_centre(values: Floats, longest: int) -> Floats:
    """The middle of (C, D, H, W), at most `longest` along each axis."""
    starts = [max(0, (n - longest) // 2) for n in values.shape[1:]]
    d, h, w = (slice(s, s + longest) for s in starts)
    return values[:, d, h, w]
