"""Numpy building blocks of the drawn pictures: smooth noise, palettes, blurs, canvases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

Array = npt.NDArray[np.float64]
Colour = tuple[float, float, float]
"""RGB in [0, 1]."""


def hexes(*codes: str) -> Array:
    """(n, 3) RGB in [0, 1] from hexadecimal colours."""
    return np.array([[int(c[i : i + 2], 16) / 255 for i in (0, 2, 4)] for c in codes])


def grid(height: int, width: int) -> tuple[Array, Array]:
    """(y, x) of every pixel, each (height, width), the width being 1."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    return (y + 0.5) / width, (x + 0.5) / width


def noise(
    rng: np.random.Generator, shape: tuple[int, int], beta: float = 2.0, detail: float = 1.0
) -> Array:
    """Smooth random field, mean 0 and deviation 1, amplitude f^-beta, no finer than `detail`.

    detail: share of the finest frequencies that is kept, 0 … 1. Drawn at a fixed size and
    scaled, so that one seed gives one field at every size of picture.
    """
    side = 256
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    frequency[0, 0] = 1.0
    amplitude = frequency**-beta * np.exp(-((frequency / (0.5 * detail)) ** 2))
    amplitude[0, 0] = 0.0
    spectrum = amplitude * np.fft.rfft2(rng.standard_normal((side, side)))
    field = np.fft.irfft2(spectrum, (side, side))
    longest = max(shape)
    scaled = Image.fromarray((field / field.std()).astype(np.float32)).resize(
        (longest, longest), Image.Resampling.BICUBIC
    )
    return np.asarray(scaled, np.float64)[: shape[0], : shape[1]]


def ramp(colours: Array, t: Array) -> Array:
    """Colours along a palette: t in [0, 1] of any shape to (*shape, 3), linear in between."""
    stops = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(t, stops, colours[:, c]) for c in range(3)], -1)


def smoothstep(low: float, high: float, t: Array) -> Array:
    """0 below low, 1 above high, smooth in between."""
    u = np.clip((t - low) / (high - low), 0, 1)
    return np.asarray(u * u * (3 - 2 * u))


def mix(under: Array, over: Array | Sequence[float], share: Array) -> Array:
    """`over` laid on `under` (H, W, 3) with opacity `share` (H, W)."""
    return under + (np.asarray(over) - under) * share[..., None]


def blur(field: Array, radius: float) -> Array:
    """Gaussian blur with a deviation of `radius` pixels, borders repeated."""
    reach = max(1, round(3 * radius))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / radius) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        padded = np.pad(
            field, [(reach, reach) if a == axis else (0, 0) for a in (0, 1)], mode="edge"
        )
        field = np.apply_along_axis(np.convolve, axis, padded, kernel, "valid")
    return field


def rim(height: int, width: int, strength: float) -> Array:
    """(H, W, 1) factors that darken the corners a little."""
    y, x = grid(height, width)
    r = np.hypot(x - 0.5, y - 0.5 * height / width)
    return np.asarray(1 - strength * smoothstep(0.3, 0.75, r))[..., None]


def canvas(picture: Array, rng: np.random.Generator, grain: float = 0.02) -> Image.Image:
    """(H, W, 3) in [0, 1] as an image, with a little grain as canvas and paper have it."""
    height, width = picture.shape[:2]
    tooth = noise(rng, (height, width), 0.3)[..., None]
    pixels = np.clip(picture + grain * tooth, 0, 1) * 255
    return Image.fromarray(pixels.round().astype(np.uint8))


def ink(colour: npt.ArrayLike) -> tuple[int, int, int]:
    """A colour in [0, 1], clipped, as PIL wants it."""
    r, g, b = (np.clip(np.asarray(colour, float), 0, 1) * 255).round().astype(int).tolist()
    return r, g, b
