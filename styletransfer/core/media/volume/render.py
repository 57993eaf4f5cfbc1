"""A volume as a lit, translucent body seen from around: a ray caster in numpy.

Rays are parallel. A turn about D moves every plane (H, W) alike, and the tilt of the camera only
shifts rows along D: so a view is one bilinear look-up for all planes, then a small matrix product
for each depth (as in Lacroute and Levoy, "Fast volume rendering using a shear-warp factorization",
1994), composited front to back.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from styletransfer.core.media.sheet import GROUND
from styletransfer.core.media.types import Floats, Pixels, Volume
from styletransfer.core.media.volume.scaling import scaled_shape, shrink

_TILT = math.radians(24)
_LONGEST = 48
"""Voxels along the longest side of what is cast; more is averaged first."""

_IVORY = (0.98, 0.95, 0.90)
"""What intensities are tinted with."""

_SOFTNESS = 0.12
_LIGHT = np.array([-0.62, -0.45, -0.64], np.float32)
"""Where the light comes from, along (v, u, t): from above, from the left, from the camera."""

_AMBIENT, _DIFFUSE = 0.42, 0.75

Array = npt.NDArray[Any]


class Body:
    """A volume ready to be looked at.

    Intensities are opaque above the threshold that parts them best (Otsu 1979) and let the light
    through below. Colours are opaque; an eighth is cut away, so that one can see inside.
    """

    def __init__(self, volume: Volume) -> None:
        _, d, h, w = volume.values.shape
        smaller = scaled_shape((d, h, w), min(1.0, _LONGEST / max(d, h, w)))
        values = np.pad(shrink(volume.values, smaller), [(0, 0)] + [(1, 1)] * 3, mode="edge")
        self._shape = values.shape[1:]
        extents = np.array(volume.spacing) * (d, h, w)
        self._extents = extents / np.linalg.norm(extents) * np.divide(self._shape, smaller)
        inside = np.zeros(self._shape, np.float32)  # without the padding: so faces have a normal
        inside[1:-1, 1:-1, 1:-1] = 1
        self._opacity = inside * (_cut(self._shape) if len(values) == 3 else _solid(values))
        self._tones = values if len(values) == 3 else 0.4 + 0.6 * values
        self._normals = _normals(self._opacity)

    def view(self, turn: float, width: int) -> Pixels:
        """(width, width, 3): the body turned about D by so many radians."""
        steps = max(self._shape) * 3 // 2
        reach = (np.arange(steps) + 0.5) / steps - 0.5
        across = (np.arange(width) + 0.5) / width - 0.5
        seen = self._turned(self._lit(turn), turn, reach, across)
        light = np.zeros((seen.shape[1] - 1, width, width), np.float32)
        through = np.ones((width, width), np.float32)
        for rows, depth in zip(self._rows(reach, across), seen, strict=True):
            met = rows @ depth  # (v, D) · (channels, D, u)
            light += met[:-1] * through
            through *= 1 - met[-1]
        tint = np.array(_IVORY if len(light) == 1 else (1, 1, 1), np.float32)
        ground = np.array(GROUND, np.float32) / 255
        picture = light.transpose(1, 2, 0) * tint + through[..., None] * ground
        return np.asarray(np.clip(picture * 255 + 0.5, 0, 255), np.uint8)

    def _lit(self, turn: float) -> Floats:
        """(H · W, channels + 1, D): tones times opacity, and opacity, of every voxel in this
        light."""
        v, u, t = _LIGHT / np.linalg.norm(_LIGHT)
        h, w = t * math.cos(turn) + u * math.sin(turn), u * math.cos(turn) - t * math.sin(turn)
        facing = np.tensordot(np.array([v, h, w], np.float32), self._normals, 1)
        shade = (_AMBIENT + _DIFFUSE * np.clip(facing, 0, 1)) * self._opacity
        planes = np.concatenate([self._tones * shade, self._opacity[None]])
        channels, d, rows, columns = planes.shape
        ordered = np.ascontiguousarray(planes.transpose(2, 3, 0, 1))
        return ordered.reshape(rows * columns, channels, d)

    def _turned(self, planes: Floats, turn: float, reach: Array, across: Array) -> Floats:
        """(t, channels + 1, D, u): the planes (H, W) as rays meet them, bilinear; nothing
        outside."""
        _, h, w = self._shape
        t, u = np.meshgrid(reach, across, indexing="ij")
        y = (t * math.cos(turn) + u * math.sin(turn)) / self._extents[1]
        x = (u * math.cos(turn) - t * math.sin(turn)) / self._extents[2]
        at, share = _corners((y + 0.5) * h - 0.5, (x + 0.5) * w - 0.5, h, w)
        met = np.flatnonzero(share.any(0))
        seen = np.zeros((t.size, *planes.shape[1:]), np.float32)
        seen[met] = sum(share[k, met, None, None] * planes[at[k, met]] for k in range(4))
        return np.moveaxis(seen.reshape(*t.shape, *planes.shape[1:]), 1, -1)

    def _rows(self, reach: Array, across: Array) -> Floats:
        """(t, v, D): the share of each plane in each row of the picture, at each depth."""
        d = self._shape[0]
        z = (across[None] + reach[:, None] * math.sin(_TILT)) / math.cos(_TILT) / self._extents[0]
        away = np.abs((z + 0.5)[..., None] * d - 0.5 - np.arange(d))
        return np.asarray(np.clip(1 - away, 0, None), np.float32)


def threshold(values: Floats) -> float:
    """The value that parts two classes best: Otsu, "A threshold selection method from gray-level
    histograms" (1979), on 256 levels of [0, 1]."""
    counts, edges = np.histogram(values, 256, (0, 1))
    below = np.cumsum(counts)[:-1].astype(float)
    above = counts.sum() - below
    moment = np.cumsum(counts * (edges[:-1] + edges[1:]) / 2)
    means = moment[:-1] / np.maximum(below, 1), (moment[-1] - moment[:-1]) / np.maximum(above, 1)
    between = below * above * (means[0] - means[1]) ** 2
    best = np.flatnonzero(between == between.max())
    return float(edges[1 + best].mean())


def _solid(values: Floats) -> Floats:
    """(D, H, W) opacity of intensities."""
    middle = threshold(values)
    u = np.clip((values[0] - middle) / (2 * _SOFTNESS) + 0.5, 0, 1)
    return np.asarray(0.7 * u * u * (3 - 2 * u), np.float32)


def _cut(shape: tuple[int, ...]) -> Floats:
    """(D, H, W): 1, and 0 in the eighth that is on top, in front and to the right."""
    opacity = np.ones(shape, np.float32)
    d, h, w = shape
    opacity[: d // 2, : h // 2, (w + 1) // 2 :] = 0
    return opacity


def _normals(opacity: Floats) -> Floats:
    """(3, D, H, W): where the surface faces; 0 within."""
    smooth: Array = opacity
    for axis in range(3):  # binomial, against the staircase of voxels
        before, after = (np.roll(smooth, k, axis) for k in (1, -1))
        smooth = (before + 2 * smooth + after) / 4
    slopes: Any = np.gradient(smooth)
    gradient = -np.stack(slopes)
    length = np.sqrt((gradient**2).sum(0))
    return np.asarray(gradient / np.maximum(length, 0.05), np.float32)


def _corners(y: Array, x: Array, h: int, w: int) -> tuple[Array, Floats]:
    """(4, N) indices into H · W and the share of each, 0 where it lies outside."""
    y0, x0 = np.floor(y).ravel().astype(int), np.floor(x).ravel().astype(int)
    fy, fx = (np.asarray(a, np.float32) for a in (y.ravel() - y0, x.ravel() - x0))
    of_rows: list[Array] = [1 - fy, fy]
    of_columns: list[Array] = [1 - fx, fx]
    indices: list[Array] = []
    shares: list[Array] = []
    for dy, share_y in enumerate(of_rows):
        for dx, share_x in enumerate(of_columns):
            row, column = y0 + dy, x0 + dx
            inside = (row >= 0) & (row < h) & (column >= 0) & (column < w)
            indices.append(np.clip(row, 0, h - 1) * w + np.clip(column, 0, w - 1))
            shares.append(share_y * share_x * inside)
    return np.stack(indices), np.stack(shares)
