"""Content pictures drawn by the program itself: a harbour and a still life."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from styletransfer.core.procedural.fields import (
    Array,
    blur,
    canvas,
    grid,
    hexes,
    ink,
    mix,
    noise,
    ramp,
    rim,
    smoothstep,
)

_OVERSAMPLING = 2
_HORIZON = 0.44  # of the width, like all lengths here
_LIGHT = np.array([-0.55, -0.65, 0.52])  # to the left, up, and towards the eye


def harbour(seed: int, size: int) -> Image.Image:
    """A small harbour at dusk: hills, houses, a lighthouse, boats and their reflections."""
    rng = np.random.default_rng(seed)
    width, height = size * _OVERSAMPLING, size * _OVERSAMPLING * 3 // 4
    y, x = grid(height, width)
    picture = _dusk(rng, x, y)
    for base, rise, colour, beta in (
        (0.34, 0.035, "8c86ab", 2.2),
        (0.385, 0.030, "5c6388", 2.0),
        (0.425, 0.022, "37506a", 1.7),
    ):
        ridge = base - rise * (noise(rng, (height, width), beta)[6][None] + 1.6 * (x - 0.75) ** 2)
        tone = hexes(colour)[0] * (1 + 0.10 * noise(rng, (height, width), 1.2))[..., None]
        picture = mix(picture, tone, smoothstep(0, 0.003, y - ridge))
    image = _to_image(picture)
    pen = ImageDraw.Draw(image)
    _village(pen, rng, width)
    _lighthouse(pen, width)
    for bx, length, hull in (
        (0.25, 0.085, "7d2f2b"),
        (0.47, 0.06, "efe4cf"),
        (0.86, 0.07, "2f5d7c"),
    ):
        _boat(pen, bx, _HORIZON + 0.012, length, hull, width)
    picture = _water(np.asarray(image, np.float64) / 255, rng, x, y)
    image = _to_image(picture)
    pen = ImageDraw.Draw(image)
    _boat(pen, 0.33, 0.635, 0.20, "a33b2e", width)
    _quay(pen, rng, width, height)
    final = canvas(np.asarray(image, np.float64) / 255 * rim(height, width, 0.18), rng, 0.006)
    return final.resize((size, size * 3 // 4), Image.Resampling.LANCZOS)


def _dusk(rng: np.random.Generator, x: Array, y: Array) -> Array:
    shape = (x.shape[0], x.shape[1])
    sky = ramp(hexes("3f6fa8", "7fa3c8", "e3c7b0", "f5b57f", "f28f5f"), np.clip(y / 0.40, 0, 1))
    sun = np.exp(-((np.hypot(x - 0.62, y - 0.345) / 0.16) ** 2))
    sky = mix(sky, hexes("fff0c0")[0], 0.9 * sun)
    banks = noise(rng, shape, 1.9)
    stretched = np.asarray(
        Image.fromarray(banks.astype(np.float32)).resize((shape[1] * 3, shape[0]))
    )[:, : shape[1]]
    cloud = smoothstep(0.15, 1.6, stretched + 0.5 * np.sin(9 * y))
    lit = ramp(hexes("f7d9c4", "d98f84", "7d7a9c"), np.clip(cloud * 1.1 - sun, 0, 1))
    return mix(sky, lit, 0.75 * cloud * smoothstep(0.42, 0.30, y))


def _village(pen: ImageDraw.ImageDraw, rng: np.random.Generator, width: int) -> None:
    walls = hexes("e9d3b0", "d98f5f", "c7b7a3", "b65f4a", "f0e2c8", "8fa6b5")
    roofs = hexes("7a3b2e", "8f4a35", "4d4a52", "a1553a")
    for row, (base, scale) in enumerate(((0.405, 0.7), (0.425, 0.85), (_HORIZON, 1.0))):
        at = 0.42 + 0.02 * row
        while at < 0.80:
            w = rng.uniform(0.022, 0.042) * scale
            h = rng.uniform(0.030, 0.058) * scale
            wall = walls[rng.integers(len(walls))] * rng.uniform(0.85, 1.05) * (0.84 + 0.08 * row)
            box = [at, base - h, at + w, base]
            pen.rectangle([v * width for v in box], fill=ink(wall))
            shaded = [at + 0.72 * w, base - h, at + w, base]
            pen.rectangle([v * width for v in shaded], fill=ink(wall * 0.78))
            peak = base - h - rng.uniform(0.010, 0.018) * scale
            eaves = [(at - 0.003, base - h), (at + w / 2, peak), (at + w + 0.003, base - h)]
            pen.polygon(
                [(px * width, py * width) for px, py in eaves],
                fill=ink(roofs[rng.integers(len(roofs))]),
            )
            for wx in np.arange(at + 0.006, at + w - 0.008, 0.010):
                for wy in np.arange(base - h + 0.007, base - 0.012, 0.014):
                    pane = hexes("ffd98a", "3d4656")[int(rng.random() < 0.6)]
                    corners = [wx, wy, wx + 0.0045, wy + 0.0075]
                    pen.rectangle([v * width for v in corners], fill=ink(pane))
            at += w * rng.uniform(0.95, 1.15)


def _lighthouse(pen: ImageDraw.ImageDraw, width: int) -> None:
    top, foot, at = 0.285, _HORIZON, 0.135
    for k in range(5):
        y0, y1 = (foot + (top - foot) * step / 5 for step in (k, k + 1))
        half0, half1 = (0.016 - 0.006 * step / 5 for step in (k, k + 1))
        colour = hexes("f3ece0", "b8392f")[k % 2]
        for share, shade in ((1.0, 0.80), (0.55, 0.95), (0.15, 1.05)):
            left0, left1 = at - half0, at - half1
            right0, right1 = at - half0 + 2 * half0 * share, at - half1 + 2 * half1 * share
            corners = [(left0, y0), (right0, y0), (right1, y1), (left1, y1)]
            pen.polygon([(px * width, py * width) for px, py in corners], fill=ink(colour * shade))
    for box, code in (
        ((at - 0.013, top - 0.004, at + 0.013, top), "3b3b42"),
        ((at - 0.007, top - 0.022, at + 0.007, top - 0.004), "ffe9a8"),
    ):
        pen.rectangle([v * width for v in box], fill=ink(hexes(code)[0]))
    cap = [(at - 0.010, top - 0.022), (at, top - 0.036), (at + 0.010, top - 0.022)]
    pen.polygon([(px * width, py * width) for px, py in cap], fill=ink(hexes("7d2f2b")[0]))
    mound = [(0.02, foot + 0.002), (0.07, foot - 0.018), (0.16, foot - 0.022), (0.24, foot + 0.002)]
    pen.polygon([(px * width, py * width) for px, py in mound], fill=ink(hexes("4b4a4f")[0]))


def _boat(
    pen: ImageDraw.ImageDraw, x: float, y: float, length: float, hull: str, width: int
) -> None:
    """A sailing boat whose water line is at y."""

    def at(*corners: tuple[float, float]) -> list[tuple[float, float]]:
        return [((x + length * dx) * width, (y + length * dy) * width) for dx, dy in corners]

    tone = hexes(hull)[0]
    sail = hexes("f4e6cc")[0]
    pen.polygon(at((0.02, -0.16), (0.02, -1.25), (-0.42, -0.20)), fill=ink(sail))
    pen.polygon(at((0.02, -0.16), (0.02, -1.25), (-0.16, -0.18)), fill=ink(sail * 0.88))
    pen.polygon(at((0.06, -0.22), (0.06, -1.12), (0.46, -0.16)), fill=ink(sail * 0.80))
    pen.line(
        at((0.04, 0.0), (0.04, -1.32)), fill=ink(hexes("4a3426")[0]), width=max(2, width // 500)
    )
    outline = at((-0.5, -0.16), (0.58, -0.19), (0.42, 0.02), (-0.36, 0.02))
    pen.polygon(outline, fill=ink(tone))
    pen.polygon(
        at((-0.38, -0.02), (0.45, -0.03), (0.42, 0.02), (-0.36, 0.02)), fill=ink(tone * 0.6)
    )
    pen.line(
        at((-0.5, -0.16), (0.58, -0.19)), fill=ink(tone * 0.4 + 0.55), width=max(2, width // 400)
    )


def _water(above: Array, rng: np.random.Generator, x: Array, y: Array) -> Array:
    """The picture with everything under the horizon replaced by its rippled reflection."""
    height, width = x.shape
    depth = np.clip(y - _HORIZON, 0, None)
    swell = noise(rng, (height, width), 1.3)
    ripple = np.sin(2 * np.pi * 2.2 / (depth + 0.035) + 1.5 * swell) * (0.002 + 0.03 * depth)
    rows = np.clip((_HORIZON - depth * 0.95 - np.abs(ripple) * 0.8) * width, 0, height - 1)
    columns = np.clip((x + ripple * 0.5 + 0.004 * swell * depth * 8) * width, 0, width - 1)
    mirrored = above[rows.astype(int), columns.astype(int)]
    soft = np.stack([blur(mirrored[..., c], 2.0) for c in range(3)], -1)
    deep = hexes("1d4460")[0]
    water = mix(soft * 0.90, deep, np.clip(0.10 + 1.5 * depth, 0, 0.75))
    crests = smoothstep(0.75, 1.0, ripple / (0.002 + 0.03 * depth))
    water = mix(water, hexes("f2cfae")[0], 0.35 * crests * np.exp(-depth / 0.22))
    return mix(above, water, smoothstep(0, 0.0015, y - _HORIZON))


def _quay(pen: ImageDraw.ImageDraw, rng: np.random.Generator, width: int, height: int) -> None:
    """Stones, and three bollards, in the near right corner."""
    floor = height / width
    for row in range(5):
        y0, y1 = 0.655 + 0.019 * row, 0.655 + 0.019 * (row + 1)
        at = 0.62 - 0.035 * row - rng.uniform(0, 0.02)
        while at < 1.0:
            w = rng.uniform(0.03, 0.06)
            tone = hexes("8d8378")[0] * rng.uniform(0.75, 1.08) * (1.05 - 0.10 * row)
            corners = [at, y0, at + w - 0.002, min(y1 - 0.002, floor)]
            pen.rectangle([v * width for v in corners], fill=ink(tone))
            at += w
    for bx in (0.70, 0.81, 0.92):
        pen.rectangle(
            [v * width for v in (bx, 0.615, bx + 0.018, 0.658)], fill=ink(hexes("2d2a2b")[0])
        )
        cap = [v * width for v in (bx - 0.004, 0.606, bx + 0.022, 0.620)]
        pen.ellipse(cap, fill=ink(hexes("46403e")[0]))


def still_life(seed: int, size: int) -> Image.Image:
    """A jug, a bowl of fruit and a lemon on a cloth, lit from the left."""
    rng = np.random.default_rng(seed)
    width, height = size * _OVERSAMPLING, size * _OVERSAMPLING * 3 // 4
    y, x = grid(height, width)
    plaster = noise(rng, (height, width), 1.5)
    glow = np.exp(-((np.hypot(x - 0.22, y - 0.14) / 0.5) ** 2))
    picture = ramp(hexes("2f3d44", "5c6f6c", "a3a585"), np.clip(0.15 + 0.85 * glow, 0, 1))
    picture = picture * (1 + 0.035 * plaster)[..., None]
    picture = _table(picture, rng, x, y)
    for cx, cy, rx in (
        (0.29, 0.575, 0.13),
        (0.61, 0.59, 0.23),
        (0.375, 0.645, 0.075),
        (0.86, 0.62, 0.09),
    ):
        shadow = np.hypot((x - cx - 0.35 * rx) / (1.25 * rx), (y - cy) / (0.26 * rx))
        picture = mix(picture, hexes("2a1c16")[0], 0.55 * smoothstep(1.25, 0.5, shadow))
    picture = _jug(picture, x, y)
    for fx, fy, r, code in (
        *((0.53, 0.425, 0.066, "d8862b"), (0.67, 0.42, 0.070, "b32a28")),
        *(
            (0.60, 0.385, 0.062, "8fa03a"),
            (0.735, 0.455, 0.052, "d9a531"),
            (0.48, 0.46, 0.05, "a8322c"),
        ),
    ):
        picture = _fruit(picture, rng, x, y, (fx, fy), r, hexes(code)[0])
    picture = _bowl(picture, x, y)
    picture = _fruit(picture, rng, x, y, (0.375, 0.605), 0.047, hexes("e6c22f")[0], stretch=1.28)
    picture = _fruit(picture, rng, x, y, (0.86, 0.565), 0.062, hexes("c23b2a")[0])
    for k in range(16):
        gx, gy = 0.79 + 0.022 * (k % 5) + 0.011 * (k // 5), 0.665 - 0.020 * (k // 5)
        at = (gx - 0.06 + rng.normal(0, 0.002), gy)
        picture = _fruit(picture, rng, x, y, at, 0.0155, hexes("51306b")[0], gloss=0.8)
    image = canvas(picture * rim(height, width, 0.3), rng, 0.006)
    return image.resize((size, size * 3 // 4), Image.Resampling.LANCZOS)


def _table(picture: Array, rng: np.random.Generator, x: Array, y: Array) -> Array:
    """A wooden table with a folded cloth over its front."""
    shape = (x.shape[0], x.shape[1])
    edge = 0.50
    grainy = np.sin(60 * (y - edge) / (0.25 + (y - edge)) + 1.2 * noise(rng, shape, 1.8))
    wood = ramp(
        hexes("4a2f1f", "7a4e2e", "9a6a3f"), np.clip(0.5 + 0.18 * grainy - 0.5 * (x - 0.4), 0, 1)
    )
    picture = mix(picture, wood, smoothstep(0, 0.002, y - edge))
    hem = 0.545 + 0.018 * np.sin(7 * x + 0.6) + 0.035 * np.abs(x - 0.45)
    folds = np.sin(26 * x + 9 * (y - hem) * np.sin(5 * x) + 0.5 * noise(rng, shape, 2.4))
    light = 0.80 + 0.13 * folds - 0.22 * (x - 0.3)
    stripe = smoothstep(0.004, 0.002, np.abs(y - hem - 0.035)) + smoothstep(
        0.0025, 0.001, np.abs(y - hem - 0.047)
    )
    linen = mix(hexes("efe6d3")[0] * light[..., None], hexes("39618f")[0], 0.75 * stripe)
    shade = smoothstep(-0.012, 0.0, y - hem) * 0.35
    picture = mix(picture, hexes("2a1c16")[0], shade)
    return mix(picture, linen, smoothstep(0, 0.002, y - hem))


def _lambert(nx: Array, ny: Array) -> tuple[Array, Array]:
    """(diffuse, gloss) light on a surface whose normal has these first two parts."""
    nz = np.sqrt(np.clip(1 - nx**2 - ny**2, 0, 1))
    diffuse = np.clip(nx * _LIGHT[0] + ny * _LIGHT[1] + nz * _LIGHT[2], 0, 1)
    reflected = 2 * diffuse * nz - _LIGHT[2]
    return diffuse, np.clip(reflected, 0, 1) ** 22


def _fruit(
    picture: Array,
    rng: np.random.Generator,
    x: Array,
    y: Array,
    centre: tuple[float, float],
    radius: float,
    colour: Array,
    *,
    stretch: float = 1.0,
    gloss: float = 0.6,
) -> Array:
    """A shaded ball (an ellipsoid with `stretch`) with mottled skin."""
    nx, ny = (x - centre[0]) / (radius * stretch), (y - centre[1]) / radius
    r = np.hypot(nx, ny)
    diffuse, shine = _lambert(nx, ny)
    bounce = 0.10 * np.clip(ny, 0, 1)
    mottle = 1 + 0.06 * np.roll(noise(rng, (x.shape[0], x.shape[1]), 1.2), int(radius * 9999), 1)
    skin = colour * ((0.22 + 0.95 * diffuse + bounce) * mottle)[..., None]
    skin = mix(skin, hexes("fff6e0")[0], np.clip(gloss * shine, 0, 1))
    edge = 0.0018 / radius
    return mix(picture, skin, smoothstep(1 + edge, 1 - edge, r))


def _jug(picture: Array, x: Array, y: Array) -> Array:
    """A blue earthenware jug: a profile turned about its axis, and a handle."""
    axis, top, foot = 0.29, 0.165, 0.575
    t = np.clip((y - top) / (foot - top), 0, 1)
    turned = np.interp(
        np.linspace(-0.1, 1.1, 121),
        [0, 0.06, 0.18, 0.35, 0.6, 0.8, 0.94, 1],
        [0.064, 0.056, 0.046, 0.064, 0.118, 0.124, 0.088, 0.080],
    )
    profile = np.interp(t, np.linspace(-0.1, 1.1, 121), blur(turned[:, None], 5.0)[:, 0])
    ring = np.hypot((x - axis - 0.115) / 0.062, (y - 0.315) / 0.095)
    handle = smoothstep(0.20, 0.16, np.abs(ring - 1)) * (x > axis + 0.04)
    tone = hexes("2f5f86")[0]
    picture = mix(picture, tone * (0.75 - 0.4 * (ring[..., None] - 1)), handle)
    nx = (x - axis) / profile
    diffuse, shine = _lambert(np.clip(nx, -1, 1) * 0.98, (t - 0.62) * 0.55)
    glaze = tone * (0.24 + 1.0 * diffuse + 0.12 * np.clip(nx, 0, 1) ** 3)[..., None]
    band = smoothstep(0.018, 0.012, np.abs(t - 0.47)) + smoothstep(0.010, 0.006, np.abs(t - 0.53))
    glaze = mix(glaze, hexes("e8dcc0")[0] * (0.25 + diffuse)[..., None], 0.85 * np.clip(band, 0, 1))
    glaze = mix(glaze, hexes("ffffff")[0], 0.7 * shine)
    inside = smoothstep(1.01, 0.99, np.abs(nx)) * (y > top)
    base = np.hypot((x - axis) / 0.080, (y - foot) / 0.014)
    inside = np.maximum(inside * (y < foot), smoothstep(1.02, 0.98, base) * (y >= foot))
    picture = mix(picture, glaze, inside)
    mouth = np.hypot((x - axis) / 0.062, (y - top) / 0.014)
    picture = mix(picture, tone * 1.25, smoothstep(1.04, 0.98, mouth))
    return mix(picture, hexes("10202c")[0], smoothstep(0.86, 0.78, mouth))


def _bowl(picture: Array, x: Array, y: Array) -> Array:
    """The front half of a cream bowl, over the fruit that lies in it."""
    cx, rim_y, half, deep = 0.61, 0.465, 0.195, 0.135
    nx = (x - cx) / half
    front = rim_y + 0.028 * np.sqrt(np.clip(1 - nx**2, 0, 1))
    floor = rim_y + deep * np.clip(1 - np.abs(nx) ** 2.6, 0, 1) ** 0.62
    inside = smoothstep(-0.0012, 0.0012, y - front) * smoothstep(0.0012, -0.0012, y - floor)
    inside = inside * (np.abs(nx) < 1)
    diffuse, shine = _lambert(np.clip(nx, -1, 1) * 0.95, np.clip((y - rim_y) / deep, 0, 1) * 0.75)
    clay = hexes("e7d9bd")[0] * (0.26 + 0.85 * diffuse)[..., None]
    stripe = smoothstep(0.006, 0.004, np.abs(y - front - 0.028))
    clay = mix(clay, hexes("a4452f")[0] * (0.3 + 0.8 * diffuse)[..., None], 0.85 * stripe)
    picture = mix(picture, mix(clay, hexes("ffffff")[0], 0.5 * shine), inside)
    lip = smoothstep(0.0042, 0.0026, np.abs(y - front)) * (np.abs(nx) < 1)
    return mix(picture, hexes("fbf2de")[0] * (1.0 - 0.25 * np.clip(nx, 0, 1))[..., None], lip)


def _to_image(picture: Array) -> Image.Image:
    return Image.fromarray((np.clip(picture, 0, 1) * 255).round().astype(np.uint8))
