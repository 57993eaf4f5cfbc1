"""Volumes to begin with, each drawn by a formula: (1, 64, 64, 64), seeded, free of rights."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from styletransfer.core.media.registry import Starter
from styletransfer.core.media.types import Floats, Volume

SIDE: Final = 64
_SPACING = (0.02, 0.02, 0.02)
"""mm; about what a micro-CT of bone, rock or foam has."""

Array = npt.NDArray[np.float64]


def bone() -> Volume:
    """Trabecular bone: a Gaussian random field of one wavelength, thresholded.

    Cahn, "Phase separation by spinodal decomposition in isotropic systems" (1965): plane waves of
    one length and random directions; here longer along D, as struts of bone follow the load.
    """
    frequency = _frequencies(stretch=(1.5, 1.0, 1.0))
    field = _filtered(1, np.exp(-(((frequency - 4.5 / SIDE) / (0.9 / SIDE)) ** 2)))
    return _volume(_smoothstep(0.35, 0.75, field) * (0.85 + 0.1 * _grain(2, 1.5)))


def foam() -> Volume:
    """Open foam: walls between the cells of random points, thicker where three meet."""
    rng = np.random.default_rng(3)
    first, second, third = _nearest(rng.uniform(0, SIDE, (90, 3)), 3)
    walls = np.exp(-(((second - first) / 1.6) ** 2))
    struts = np.exp(-(((third - first) / 4.5) ** 2))
    return _volume(np.maximum(0.45 * walls, struts) + 0.03 * _grain(4, 0.8))


def beads() -> Volume:
    """Packed beads of several sizes that do not overlap (random sequential addition)."""
    rng = np.random.default_rng(5)
    placed: list[tuple[Array, float]] = []
    values = np.zeros((SIDE,) * 3)
    for radius in np.repeat([10.0, 7.0, 5.0, 3.5], [9, 26, 60, 90]):
        for _ in range(60):
            centre = rng.uniform(0, SIDE, 3)
            if all(np.linalg.norm(_wrapped(centre - c)) > radius + r for c, r in placed):
                placed.append((centre, radius))
                _add_ball(values, centre, radius, brightness=rng.uniform(0.55, 1.0))
                break
    return _volume(values + 0.04 * _grain(6, 0.8))


def strata() -> Volume:
    """Layered rock: beds of unequal thickness, bent, with grains and a few dark seams."""
    depth = _grid()[0] + 4.5 * _filtered(7, _low_pass(12.0)) + 0.7 * _filtered(8, _low_pass(3.0))
    rng = np.random.default_rng(9)
    edges = np.cumsum(rng.uniform(3.0, 10.0, 40)) - 40
    tones = rng.uniform(0.25, 0.95, 41)
    bed = np.searchsorted(edges, depth)
    to_edge = np.abs(depth[..., None] - edges).min(-1)
    seams = 1 - 0.7 * np.exp(-((to_edge / 0.8) ** 2))
    return _volume(tones[bed] * seams + 0.09 * _grain(10, 0.8))


STARTERS: tuple[Starter, ...] = (
    Starter("bone", "Trabecular bone", bone),
    Starter("foam", "Open foam", foam),
    Starter("beads", "Packed beads", beads),
    Starter("strata", "Layered rock", strata),
)


def _grid() -> tuple[Array, Array, Array]:
    z, y, x = np.mgrid[0:SIDE, 0:SIDE, 0:SIDE].astype(np.float64)
    return z, y, x


def _frequencies(stretch: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Array:
    """Cycles a voxel of each entry of `rfftn`, per axis times its stretch."""
    f = np.fft.fftfreq(SIDE)
    d, h, w = f * stretch[0], f * stretch[1], np.fft.rfftfreq(SIDE) * stretch[2]
    total = d[:, None, None] ** 2 + h[:, None] ** 2 + w**2
    return np.asarray(np.sqrt(total))


def _low_pass(sigma: float) -> Array:
    """A Gaussian blur of sigma voxels, as amplitudes."""
    return np.asarray(np.exp(-2 * (np.pi * sigma * _frequencies()) ** 2))


def _filtered(seed: int, amplitudes: Array) -> Array:
    """White noise through a filter: mean 0, deviation 1, periodic."""
    noise = np.random.default_rng(seed).standard_normal((SIDE,) * 3)
    field = np.fft.irfftn(np.fft.rfftn(noise) * amplitudes, (SIDE,) * 3, axes=(0, 1, 2))
    return np.asarray((field - field.mean()) / field.std())


def _grain(seed: int, sigma: float) -> Array:
    return _filtered(seed, _low_pass(sigma))


def _wrapped(difference: Array) -> Array:
    """The nearest copy in a periodic volume."""
    return np.asarray((difference + SIDE / 2) % SIDE - SIDE / 2)


def _nearest(points: Array, count: int) -> Array:
    """(count, D, H, W): the distances to the nearest points, nearest first; periodic."""
    near = np.full((count, SIDE, SIDE, SIDE), np.inf, np.float32)
    for point in points:
        z, y, x = (_wrapped(np.arange(SIDE) - p).astype(np.float32) ** 2 for p in point)
        squared = z[:, None, None] + y[:, None] + x
        for rank in range(count):
            here = near[rank].copy()
            np.minimum(here, squared, out=near[rank])
            np.maximum(here, squared, out=squared)
    return np.sqrt(near, dtype=np.float64)


def _add_ball(values: Array, centre: Array, radius: float, brightness: float) -> None:
    """Only where it is: a cube about the centre, across the periodic border if need be."""
    reach = np.arange(-int(radius) - 1, int(radius) + 2)
    near = [np.floor(c).astype(int) + reach for c in centre]
    z, y, x = (n - c for n, c in zip(near, centre, strict=True))
    distance = np.sqrt(z[:, None, None] ** 2 + y[:, None] ** 2 + x**2)
    cube = np.ix_(*(n % SIDE for n in near))
    ball = brightness * _smoothstep(radius, radius - 1.5, distance)
    values[cube] = np.maximum(values[cube], ball)


def _smoothstep(low: float, high: float, t: Array) -> Array:
    """0 at low, 1 at high (which may be smaller), smooth in between."""
    u = np.clip((t - low) / (high - low), 0, 1)
    return np.asarray(u * u * (3 - 2 * u))


def _volume(field: Array) -> Volume:
    values: Floats = np.clip(field, 0, 1).astype(np.float32)[None]
    return Volume(values, _SPACING)
