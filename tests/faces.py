"""People who do not exist, drawn by a small renderer: for tests and for screenshots.

draw_face(seed)                a portrait of person `seed`
draw_face(seed, variation=k)   the same person in another pose, light, place and camera
draw_group([seed, ...])        several people side by side
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from tests.portraits.around import paint_body, paint_ears, paint_glasses, paint_hair
from tests.portraits.canvas import Canvas
from tests.portraits.head import depth, turned, warped
from tests.portraits.person import Person, View, person, view
from tests.portraits.skin import paint_skin

WIDTH, HEIGHT = 480, 600

CAST = (404, 331, 217, 307, 77, 466, 34, 382)
"""Whom the first seeds draw: chosen out of 600 so that the encoder holds all for different people
(squared distance 0.30 and more) and knows each again in every variation (0.06 and less)."""


def draw_face(
    seed: int, variation: int = 0, size: tuple[int, int] = (WIDTH, HEIGHT)
) -> Image.Image:
    """A portrait, RGB, of size (width, height).

    Seeds below len(CAST) are different people to the encoder; later ones are as chance has it.
    Variation 0 is taken from the front; each other one turns the head, moves the lamp, changes
    the smile, the distance and the noise.
    """
    lot = CAST[seed] if seed < len(CAST) else 1000 + seed
    return _render(person(lot), view(lot, variation), np.random.default_rng([lot, 79]), size)


def draw_group(seeds: Sequence[int], variation: int = 0) -> Image.Image:
    """Several people side by side in one picture, from left to right."""
    picture = Image.new("RGB", (WIDTH * len(seeds), HEIGHT))
    for place, seed in enumerate(seeds):
        picture.paste(draw_face(seed, variation), (place * WIDTH, 0))
    return picture


def _render(p: Person, v: View, rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """The person in this view, as an RGB image of size (width, height)."""
    width, height = size
    px = width * 0.25 * v.scale
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    X = (columns - width / 2) / px - v.shift[0]
    Y = (rows - height * 0.46) / px - v.shift[1]
    cos, sin = np.cos(v.roll), np.sin(v.roll)
    hx, hy = X * cos + Y * sin, -X * sin + Y * cos
    x, y = warped(p, *turned(p, v, hx, hy))
    z = depth(p, v, x, y)
    canvas = Canvas(x.shape, p.backdrop)
    canvas.rgb *= (1.05 - 0.16 * np.hypot(X + 0.6, Y + 0.8)[..., None] ** 1.2 * 0.5).clip(0.2)
    paint_hair(canvas, p, v, hx, hy, rng, px, front=False)
    paint_body(canvas, p, v, X, Y, rng, px)
    paint_ears(canvas, p, v, hx, hy, px)
    paint_skin(canvas, p, v, x, y, z, rng, px)
    paint_hair(canvas, p, v, hx, hy, rng, px, front=True)
    if p.glasses:
        paint_glasses(canvas, p, x, y)
    tint = np.array([1 + v.warmth, 1, 1 - v.warmth], np.float32)
    rgb = np.clip(canvas.rgb * tint * v.exposure, 0, None)
    rgb = rgb / (1 + 0.18 * rgb)  # a soft shoulder, so that highlights do not clip
    encoded = np.clip(rgb, 0, 1) ** (1 / 2.2) + rng.normal(0, v.noise, rgb.shape)
    return Image.fromarray((np.clip(encoded, 0, 1) * 255).astype(np.uint8))
