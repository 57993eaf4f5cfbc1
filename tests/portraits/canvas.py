"""Fields over the picture, paint and light."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.portraits.person import Colour, View

Field = NDArray[np.float32]


def step(edge: float, soft: float, x: Field) -> Field:
    """0 below edge, 1 above, smooth over `soft`."""
    t = np.clip((x - edge) / soft + 0.5, 0, 1)
    return t * t * (3 - 2 * t)


def blob(x: Field, y: Field, cx: float, cy: float, sx: float, sy: float) -> Field:
    return np.exp(-(((x - cx) / sx) ** 2) - ((y - cy) / sy) ** 2)


def noise(rng: np.random.Generator, shape: tuple[int, int], cells: int) -> Field:
    """Smooth noise in about -1 to 1, with this many cells across."""
    rows = max(2, round(cells * shape[0] / shape[1]))
    grid = rng.normal(0, 0.5, (rows + 1, cells + 1)).astype(np.float32)
    image = Image.fromarray(grid).resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return np.asarray(image)


def enlarged(field: Field, shape: tuple[int, ...]) -> Field:
    image = Image.fromarray(np.ascontiguousarray(field, np.float32))
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BICUBIC))


def blur(field: Field, radius: float) -> Field:
    """A Gaussian by three box blurs, as Pillow does it, on float."""
    image = Image.fromarray(np.ascontiguousarray(field, np.float32))
    small = image.resize(
        (max(1, round(image.width / radius)), max(1, round(image.height / radius))),
        Image.Resampling.BOX,
    )
    return np.asarray(small.resize(image.size, Image.Resampling.BICUBIC))


class Canvas:
    """A picture in linear light, painted from back to front with soft masks."""

    def __init__(self, shape: tuple[int, int], colour: Colour) -> None:
        self.rgb = np.ones((*shape, 3), np.float32) * np.array(colour, np.float32)

    def paint(self, mask: Field, colour: Field | Colour, light: Field | float = 1.0) -> None:
        value = np.asarray(colour, np.float32) * np.asarray(light, np.float32)[..., None]
        m = np.clip(mask, 0, 1)[..., None]
        self.rgb += m * (value - self.rgb)


def light_on(z: Field, v: View, pixels: float, gloss: float) -> tuple[Field, Field]:
    """Diffuse light and gloss on a height field, from one lamp and the sky."""
    gy, gx = np.gradient(z * pixels)
    length = np.sqrt(gx * gx + gy * gy + 1)
    lamp = np.array(v.lamp) / np.linalg.norm(v.lamp)
    facing = (-gx * lamp[0] - gy * lamp[1] + lamp[2]) / length
    diffuse = np.clip((facing + 0.25) / 1.25, 0, 1)
    sky = 0.5 + 0.5 * gy / length
    hollow = np.clip((blur(z, pixels * 0.09) - z) * 4.5, 0, 0.6)
    if v.even:
        return (1 - 0.7 * hollow).astype(np.float32), np.zeros_like(z)
    under = np.roll(blur(z, pixels * 0.05), int(pixels * 0.13), axis=0) - z
    shade = 1 - 0.45 * step(0.17, 0.22, np.clip(under, 0, 1)) * (lamp[1] < -0.15)
    half = lamp + np.array([0, 0, 1])
    half /= np.linalg.norm(half)
    shine = np.clip((-gx * half[0] - gy * half[1] + half[2]) / length, 0, 1) ** 18
    light = (0.86 * diffuse * shade + 0.16 + 0.14 * sky) * (1 - hollow)
    return light.astype(np.float32), (gloss * shine * (1 - hollow)).astype(np.float32)
