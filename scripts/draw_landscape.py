"""Draw the evening harbour of the front page: ridges in haze, a low sun, a sail on still water.

    python scripts/draw_landscape.py static/img/hero-content.jpg

Everything in it is computed, so it may be shown anywhere; the seed decides the hills.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Array = NDArray[np.float64]
WIDTH, HEIGHT = 1200, 900
HORIZON = 560  # the water's edge, pixels from the top
SUN = (810, 430)

HIGH_SKY, LOW_SKY = (58, 96, 138), (250, 205, 150)
GLOW = (255, 226, 168)
FAR_RIDGE, NEAR_RIDGE = (214, 168, 150), (30, 44, 52)


def noise(rng: np.random.Generator, length: int, octaves: int, roughness: float) -> Array:
    """Fractal noise (length,) around 0: smoothed random walks added at halved scales."""
    total = np.zeros(length)
    x = np.linspace(0, 1, length)
    for octave in range(octaves):
        knots = 2 ** (octave + 1) + 1
        values = rng.standard_normal(knots)
        t = x * (knots - 1)
        i = np.minimum(t.astype(int), knots - 2)
        s = t - i
        s = s * s * (3 - 2 * s)
        total += roughness**octave * ((1 - s) * values[i] + s * values[i + 1])
    return total


def mix(a: object, b: object, share: Array | float) -> Array:
    share = np.asarray(share, dtype=float)[..., None]
    return np.asarray(a, dtype=float) * (1 - share) + np.asarray(b, dtype=float) * share


def draw(seed: int = 7) -> Image.Image:
    """The landscape as an RGB image of 1200 × 900."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    canvas = mix(HIGH_SKY, LOW_SKY, np.clip(y / HORIZON, 0, 1) ** 1.25)
    away = np.hypot((x - SUN[0]) / 1.25, y - SUN[1])
    canvas = mix(canvas, GLOW, 0.85 * np.exp(-away / 210))
    for _ in range(26):  # streaks of cloud, lit from below
        cy, cx = rng.uniform(40, 360), rng.uniform(-100, WIDTH + 100)
        length, height = rng.uniform(140, 430), rng.uniform(4, 17)
        wave = 14 * noise(rng, WIDTH, 4, 0.6)[None, :]
        body = np.exp(-(((x - cx) / length) ** 2) - ((y - cy - wave) / height) ** 2)
        lit = mix((238, 172, 140), (255, 236, 205), np.exp(-away / 330))
        canvas = mix(canvas, lit, 0.55 * body)
    canvas = mix(canvas, (255, 246, 222), np.clip(47 - away * 1.0, 0, 2) / 2)

    layers = 6
    for layer in range(layers):
        depth = layer / (layers - 1)
        crest = HORIZON - 150 * (1 - depth) ** 1.2 - 26
        crest = crest + (62 - 18 * depth) * noise(rng, WIDTH, 8, 0.5)
        side = np.abs(np.arange(WIDTH) / WIDTH - SUN[0] / WIDTH) ** 1.4
        crest = crest - depth * 120 * side + 26 * depth  # a bay: low under the sun
        tone = mix(FAR_RIDGE, NEAR_RIDGE, depth**0.75)
        haze = np.clip((y - crest[None, :]) / 130, 0, 1) * 0.5 * (1 - depth)
        shade = mix(tone, (246, 205, 165), haze)
        grain = 5 * rng.standard_normal((HEIGHT, WIDTH)) * depth
        inside = np.clip(y - crest[None, :], 0, 1) * (y < HORIZON)
        canvas = mix(canvas, shade + grain[..., None], inside)

    picture = Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))
    houses(picture, rng)
    still = np.asarray(picture, dtype=float)
    below = np.arange(HORIZON, HEIGHT)
    deep = (below - HORIZON) / (HEIGHT - HORIZON)
    source = np.clip(2 * HORIZON - below - 1, 0, HORIZON - 1)
    ripple = (2 + 26 * deep)[:, None] * noise(rng, WIDTH, 3, 0.7)[None, :] * 0.06
    ripple = ripple + (1 + 9 * deep)[:, None] * rng.standard_normal((len(below), 1))
    columns = np.clip(np.arange(WIDTH)[None, :] + ripple, 0, WIDTH - 1).astype(int)
    mirrored = still[source[:, None], columns]
    canvas = still.copy()
    canvas[HORIZON:] = mix(mirrored * 0.88, (26, 58, 84), 0.16 + 0.5 * deep[:, None])
    glitter = np.exp(-(((x - SUN[0]) / (26 + 0.32 * (y - HORIZON))) ** 2))[HORIZON:]
    sparks = (rng.random((len(below), WIDTH)) > 0.55) * glitter
    canvas[HORIZON:] = mix(canvas[HORIZON:], (255, 226, 170), 0.6 * blur(sparks))

    picture = Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))
    boat(picture, 392, 690, 205)
    boat(picture, 655, 596, 62)
    fine = np.asarray(picture.filter(ImageFilter.GaussianBlur(0.6)), dtype=float)
    fine += 2.2 * rng.standard_normal(fine.shape)
    return Image.fromarray(np.clip(fine, 0, 255).astype(np.uint8))


def blur(mask: Array) -> Array:
    """Smeared sideways, as glints on water are."""
    kernel = np.hanning(19) / np.hanning(19).sum()
    return np.apply_along_axis(lambda row: np.convolve(row, kernel, "same"), 1, mask)


def houses(picture: Image.Image, rng: np.random.Generator) -> None:
    """A village on the left shore, some of its windows lit."""
    pen = ImageDraw.Draw(picture)
    walls = [(196, 166, 140), (178, 142, 120), (150, 128, 116), (208, 186, 160)]
    for row, count in ((0, 13), (1, 16)):
        for i in range(count):
            width, height = rng.integers(16, 27), rng.integers(14, 25)
            left = 24 + i * 25 + rng.integers(-5, 6) + 9 * row
            base = HORIZON - (1 - row) * rng.integers(24, 40)
            wall = tuple(int(c * (0.62 + 0.2 * row)) for c in walls[rng.integers(len(walls))])
            pen.rectangle([left, base - height, left + width, base], fill=wall)
            roof = [(left - 2, base - height), (left + width / 2, base - height - 11)]
            pen.polygon([*roof, (left + width + 2, base - height)], fill=(92, 52, 46))
            if rng.random() < 0.6:
                at = left + rng.integers(4, width - 5)
                pen.rectangle([at, base - 11, at + 3, base - 6], fill=(255, 220, 140))
    pen.polygon([(196, 520), (202, 430), (214, 430), (220, 520)], fill=(140, 108, 94))
    pen.polygon([(198, 432), (208, 396), (218, 432)], fill=(78, 46, 44))


def boat(picture: Image.Image, x: int, y: int, size: int) -> None:
    """A sailing boat whose waterline lies at y, with its reflection."""
    layer = Image.new("RGBA", (4 * WIDTH // 2, 4 * HEIGHT // 2))
    pen = ImageDraw.Draw(layer)

    def at(px: float, py: float) -> tuple[float, float]:
        return 2 * (x + px * size), 2 * (y + py * size)

    for flip, alpha in ((1, 255), (-0.72, 92)):
        pen.polygon(
            [at(-0.32, -0.09 * flip), at(0.36, -0.1 * flip), at(0.25, 0), at(-0.25, 0)],
            fill=(58, 34, 30, alpha),
        )
        pen.line([at(0, -0.08 * flip), at(0, -1.12 * flip)], fill=(60, 44, 36, alpha), width=4)
        pen.polygon(
            [at(0.015, -1.08 * flip), at(0.4, -0.17 * flip), at(0.015, -0.15 * flip)],
            fill=(250, 236, 214, alpha),
        )
        pen.polygon(
            [at(-0.02, -0.98 * flip), at(-0.3, -0.2 * flip), at(-0.02, -0.17 * flip)],
            fill=(226, 176, 150, alpha),
        )
    small = layer.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    picture.paste(small, (0, 0), small)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    draw(arguments.seed).save(arguments.target, quality=88, optimize=True, progressive=True)
