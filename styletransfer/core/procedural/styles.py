"""Style pictures drawn by the program itself, each a pure function of (seed, size)."""

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


def currents(seed: int, size: int) -> Image.Image:
    """Thick curved strokes that follow eddies of blue night and yellow light."""
    rng = np.random.default_rng(seed)
    big = size * _OVERSAMPLING
    work = 256
    y, x = grid(work, work)
    eddies = [
        (rng.uniform(0.1, 0.9), rng.uniform(0.08, 0.6), rng.choice([-1, 1])) for _ in range(5)
    ]
    stream = 0.05 * noise(rng, (work, work), 2.6)
    glow = np.zeros((work, work))
    for cx, cy, turn in eddies:
        r = np.hypot(x - cx, y - cy)
        stream = stream + turn * 0.09 * np.exp(-((r / 0.17) ** 2))
        glow = np.maximum(glow, np.exp(-((r / rng.uniform(0.06, 0.11)) ** 2)))
    v, u = np.gradient(stream)
    angle = np.arctan2(-u, v + 1e-9)
    rings = 0.10 * np.sin(noise(rng, (work, work), 2.2) * 4)
    tone = np.clip(0.42 + 0.10 * noise(rng, (work, work), 2.0) + rings - 0.25 * (y - 0.5), 0, 1)
    night = hexes("0b1733", "14306b", "1f4f9e", "3b7fc4", "8fc1d9", "e4e2b8")
    gold = hexes("d98a1f", "f2bf3a", "fbe58a", "fff6cf")
    ground = mix(ramp(night, 0.8 * tone), ramp(gold, glow), np.clip(1.3 * glow, 0, 1))
    picture = Image.fromarray((ground.clip(0, 1) * 255).astype(np.uint8)).resize((big, big))
    pen = ImageDraw.Draw(picture)
    for count, width, length in ((1400, 22, 14), (4200, 12, 11), (5200, 7, 9)):
        start = rng.uniform(0, 1, (count, 2))
        row, column = (start[:, ::-1] * work).astype(int).T
        light, dark = glow[row, column], tone[row, column]
        bright = rng.random(count) < 1.3 * light
        shade = np.where(bright, light, dark) + rng.normal(0, 0.1, count)
        colours = np.where(
            bright[:, None], ramp(gold, np.clip(shade, 0, 1)), ramp(night, np.clip(shade, 0, 1))
        )
        colours = colours + rng.normal(0, 0.025, (count, 3))
        paths = _follow(angle, start, length, 0.006)
        for path, colour in zip(paths, colours, strict=True):
            _stroke(pen, path * big, width * big / 1024, colour)
    return picture.resize((size, size), Image.Resampling.LANCZOS)


def _follow(angle: Array, start: Array, steps: int, stride: float) -> Array:
    """(n, steps, 2) points in [0, 1]: n paths along a direction field."""
    side = len(angle)
    points = [start]
    for _ in range(steps - 1):
        column, row = np.clip((points[-1] * side).astype(int), 0, side - 1).T
        turn = angle[row, column]
        points.append(points[-1] + stride * np.stack([np.cos(turn), np.sin(turn)], -1))
    return np.stack(points, 1)


def _stroke(pen: ImageDraw.ImageDraw, points: Array, width: float, colour: Array) -> None:
    """A brush stroke: its body, a shadow along one side and a light along the other."""
    normal = np.array([0.6, -0.8]) * width * 0.28
    for shift, share, shade in ((-1.0, 0.55, -0.09), (0.0, 0.8, 0.0), (1.0, 0.22, 0.11)):
        line = [tuple(p) for p in (points + shift * normal).tolist()]
        pen.line(
            line,
            fill=ink(colour + shade),
            width=max(1, round(width * share)),
            joint="curve",
        )


def facets(seed: int, size: int) -> Image.Image:
    """Shaded planes that cut through each other, in ochre, umber and slate."""
    rng = np.random.default_rng(seed)
    y, x = grid(size, size)
    region = np.zeros((size, size), np.int64)
    nearest = np.full((size, size), 9.0)
    shade = np.zeros((size, size))
    for k in range(17):
        if k % 5 == 4:
            cx, cy, r = rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.8), rng.uniform(0.12, 0.34)
            signed = np.hypot(x - cx, y - cy) - r
        else:
            turn = rng.choice([0.35, 1.25, 1.9, 2.7]) + rng.normal(0, 0.16)
            cx, cy = rng.uniform(0.08, 0.92, 2)
            signed = (x - cx) * np.cos(turn) + (y - cy) * np.sin(turn)
        region = region * 2 + (signed > 0)
        nearest = np.minimum(nearest, np.abs(signed))
        side = np.sign(signed) * (1 if rng.random() < 0.5 else -1)
        shade += 0.16 * side * np.exp(-np.abs(signed) / 0.05)
    _, index = np.unique(region, return_inverse=True)
    index = index.reshape(size, size)
    count = int(index.max()) + 1
    palette = hexes("2b2620", "5a4630", "8a6a3c", "b8935a", "d8c193", "efe6cd", "7d8a8f", "47565f")
    tones = palette[rng.integers(0, len(palette), count)] + rng.normal(0, 0.03, (count, 3))
    directions = rng.uniform(0, 2 * np.pi, count)[index]
    slope = (x - 0.5) * np.cos(directions) + (y - 0.5) * np.sin(directions)
    picture = tones[index] * (1 + shade + 0.35 * slope)[..., None]
    hatch = np.sin((x * np.cos(directions) + y * np.sin(directions)) * 420)
    picture *= (1 + 0.05 * hatch * (np.cos(directions * 7) > 0.1))[..., None]
    brush = noise(rng, (size, size), 0.9) * 0.04 + noise(rng, (size, size), 1.8) * 0.03
    picture += brush[..., None]
    picture = mix(picture, hexes("1c1712")[0], 0.8 * (1 - smoothstep(0.0012, 0.0042, nearest)))
    return canvas(picture * rim(size, size, 0.25), rng, 0.015)


def points(seed: int, size: int) -> Image.Image:
    """A river meadow in dots of pure colour."""
    rng = np.random.default_rng(seed)
    big, work = size * _OVERSAMPLING, 256
    y, x = grid(work, work)
    scene = ramp(hexes("6fa8dc", "a9cbe8", "f3dcb2", "f6b98a"), np.clip(y / 0.45, 0, 1))
    sun = np.exp(-((np.hypot(x - 0.7, y - 0.3) / 0.09) ** 2))
    scene = mix(scene, hexes("fff1b0")[0], np.clip(sun * 1.3, 0, 1))
    for base, amplitude, colour in (
        (0.40, 0.030, "5f7fae"),
        (0.46, 0.035, "4d7f6b"),
        (0.55, 0.03, "6d9a3a"),
    ):
        ridge = base + amplitude * noise(rng, (work, work), 2.2)[8][None]
        scene = mix(scene, hexes(colour)[0], smoothstep(0, 0.01, y - ridge))
    river = np.abs(x - 0.45 - 0.28 * np.sin(y * 7) * (1.1 - y)) - 0.02 - 0.22 * (y - 0.55)
    scene = mix(scene, hexes("7fb0dd")[0], smoothstep(0, 0.02, -river) * (y > 0.56))
    flowers = smoothstep(0.9, 1.5, noise(rng, (work, work), 0.8)) * (y > 0.6) * (river > 0.02)
    scene = mix(scene, hexes("d9485f")[0], flowers)
    picture = Image.new("RGB", (big, big), ink(hexes("efe3c8")[0]))
    pen = ImageDraw.Draw(picture)
    for spacing, radius, jitter in ((11, 6.8, 0.04), (9, 4.8, 0.075), (11, 3.8, 0.11)):
        step = spacing * big / 1024
        count = int(big / step)
        for k in rng.permutation(count * count).tolist():
            px, py = (np.array([k % count, k // count]) + rng.uniform(0, 1, 2)) * step
            colour = scene[min(int(py / big * work), work - 1), min(int(px / big * work), work - 1)]
            colour = colour + rng.normal(0, jitter, 3)
            if rng.random() < 0.035:
                colour = 0.55 * (1 - colour) + 0.45 * colour[::-1]
            r = radius * big / 1024 * rng.uniform(0.75, 1.2)
            pen.ellipse((px - r, py - r, px + r, py + r), fill=ink(colour))
    return picture.resize((size, size), Image.Resampling.LANCZOS)


def woodcut(seed: int, size: int) -> Image.Image:
    """Hills cut in black lines that swell and taper, under a vermilion sun."""
    rng = np.random.default_rng(seed)
    big = size * _OVERSAMPLING
    y, x = grid(big, big)
    paper, black, red = hexes("f1e7d0", "1b1917", "c8452c")
    waver = noise(rng, (big, big), 2.4) * 0.012
    sun = np.hypot(x - 0.66, y - 0.27) - 0.15
    picture = np.broadcast_to(paper, (big, big, 3)).copy()
    picture = mix(picture, red, smoothstep(-0.002, 0.002, -sun))
    rays = np.hypot(x - 0.66, y - 0.27) + waver
    width = 0.10 + 0.36 * smoothstep(0.1, 0.7, np.hypot(x - 0.66, y - 0.27))
    cut = _lines(rays, 46, width)
    picture = mix(picture, black, cut * (sun > 0.012))
    for k in range(6):
        base = 0.42 + 0.105 * k
        ridge = base + 0.055 * noise(rng, (big, big), 2.3)[4][None] * (1 - 0.08 * k)
        depth = y - ridge
        inside = smoothstep(-0.001, 0.001, depth)
        lean = rng.uniform(-1.3, 1.3)
        form = noise(rng, (big, big), 2.6)
        along = x * np.cos(lean) * 0.55 + depth * (1.2 + 0.1 * k) + 0.022 * form + waver
        shade = np.clip(0.80 - 2.6 * depth + 0.13 * form, 0.10, 0.86)
        picture = mix(picture, paper, inside)
        picture = mix(picture, black, inside * _lines(along, 62 - 4 * k, shade))
        picture = mix(picture, black, smoothstep(-0.004, -0.002, -np.abs(depth)))
    image = canvas(picture, rng, 0.012)
    return image.resize((size, size), Image.Resampling.LANCZOS)


def _lines(phase: Array, frequency: float, share: Array) -> Array:
    """Opacity of parallel lines at phase · frequency; share of each period that is ink."""
    saw = np.abs((phase * frequency) % 1 - 0.5) * 2
    return smoothstep(-0.06, 0.06, share - saw)


def washes(seed: int, size: int) -> Image.Image:
    """Overlapping washes of thin colour with dark drying edges on white paper."""
    rng = np.random.default_rng(seed)
    y, x = grid(size, size)
    pigments = hexes("1f8a9b", "e0567f", "f2b632", "5b4ea0", "3fa66b", "e8743b", "2a5fb0")
    paper = np.broadcast_to(hexes("faf6ec")[0], (size, size, 3)).copy()
    flow = noise(rng, (size, size), 1.9)
    granules = noise(rng, (size, size), 0.7)
    picture = paper
    for k in range(34):
        cx, cy = (np.array([k % 5, k // 5 % 5]) + rng.uniform(-0.2, 1.2, 2)) / 5
        radius = rng.uniform(0.10, 0.24) * (1 if k < 22 else 0.5)
        turn = np.arctan2(y - cy, x - cx)
        lobes = sum(
            rng.normal(0, 0.10 / n) * np.sin(n * turn + rng.uniform(0, 6)) for n in range(2, 7)
        )
        edge = np.hypot(x - cx, y - cy) / radius - 1 - lobes - 0.10 * np.roll(flow, 37 * k, 1)
        inside = smoothstep(-0.03, 0.03, -edge)
        pooled = np.exp(-((edge + 0.03) ** 2) / 0.0022)
        bloom = 0.5 + 0.25 * np.roll(flow, 91 * k, 0)
        density = (
            inside * (0.16 + 0.24 * np.clip(bloom, 0, 1) + 0.5 * pooled) * (1 + 0.10 * granules)
        )
        pigment = pigments[rng.integers(len(pigments))]
        picture = picture * np.exp(-1.25 * density[..., None] * (1 - pigment))
    return canvas(picture, rng, 0.018)


def glass(seed: int, size: int) -> Image.Image:
    """A rose window: jewel colours between black leads, lit from behind."""
    rng = np.random.default_rng(seed)
    big = size * _OVERSAMPLING
    y, x = grid(big, big)
    centres = [(0.5, 0.5)]
    for ring, (r, count) in enumerate(((0.12, 8), (0.23, 12), (0.34, 16), (0.47, 24), (0.62, 28))):
        for k in range(count):
            turn = 2 * np.pi * (k + 0.5 * (ring % 2)) / count + rng.normal(0, 0.03)
            reach = r + rng.normal(0, 0.008)
            centres.append((0.5 + reach * np.cos(turn), 0.5 + reach * np.sin(turn)))
    first = np.full((big, big), 9.0)
    second = np.full((big, big), 9.0)
    index = np.zeros((big, big), np.int64)
    for k, (cx, cy) in enumerate(centres):
        d = np.hypot(x - cx, y - cy)
        second = np.minimum(second, np.maximum(first, d))
        index = np.where(d < first, k, index)
        first = np.minimum(first, d)
    jewels = hexes("b3122a", "1740a8", "0f7a4f", "e8a51d", "5a1f8c", "1d8fc2", "d94f14", "f4d35e")
    count = len(centres)
    tones = jewels[rng.integers(0, len(jewels), count)] * rng.uniform(0.8, 1.15, (count, 1))
    light = 1.25 - 1.6 * first / 0.12 * 0.35 + 0.10 * noise(rng, (big, big), 1.6)
    streaks = 0.06 * np.sin(40 * (x * np.cos(index * 2.4) + y * np.sin(index * 2.4)) + index)
    picture = tones[index] * (light + streaks)[..., None]
    picture = picture + 0.10 * np.exp(-((first / 0.02) ** 2))[..., None]
    lead = 1 - smoothstep(0.006, 0.010, second - first)
    picture = mix(picture, hexes("14110f")[0], lead)
    image = canvas(picture * rim(big, big, 0.35), rng, 0.015)
    return image.resize((size, size), Image.Resampling.LANCZOS)


def waves(seed: int, size: int) -> Image.Image:
    """A printed sea: indigo swells with cusps, foam lines and a pale sky."""
    rng = np.random.default_rng(seed)
    big = size * _OVERSAMPLING
    y, x = grid(big, big)
    indigo = hexes("0e2344", "1d4675", "3f7ea6", "86b6c4")
    foam, sky = hexes("f5eedc")[0], hexes("e9d9b6", "efe3c6", "d8c9a8")
    picture = ramp(sky, np.clip(y / 0.5 + 0.05 * noise(rng, (big, big), 2.0), 0, 1))
    sun = np.hypot(x - 0.28, y - 0.2) - 0.09
    picture = mix(picture, hexes("d2573d")[0], smoothstep(-0.002, 0.002, -sun))
    for k in range(9):
        base, span = 0.26 + 0.085 * k, 0.30 + 0.035 * k
        phase = x / span + rng.uniform(0, 1)
        wobble = 0.012 * noise(rng, (big, big), 2.4)[3][None]
        lean = 0.12 * np.sin(2 * np.pi * phase)
        hump = np.abs(np.sin(np.pi * (phase + lean)))
        height = (0.055 + 0.012 * k) * (1 - hump**0.8)
        depth = y - (base - height + wobble)
        inside = smoothstep(-0.0012, 0.0012, depth)
        tone = np.clip(0.08 + 4.0 * depth + 0.03 * noise(rng, (big, big), 1.4), 0, 1)
        picture = mix(picture, ramp(indigo[::-1] if k % 2 else indigo, tone), inside)
        contour = depth + 0.35 * height * (1 - np.exp(-depth / 0.05))
        lines = _lines(contour, 42, np.clip(0.42 - 2.4 * depth, 0.05, 0.5))
        picture = mix(picture, foam, 0.9 * inside * lines * smoothstep(0.0, 0.01, depth))
        picture = mix(picture, foam, smoothstep(-0.009, -0.006, -np.abs(depth - 0.006)))
        picture = mix(picture, indigo[0], smoothstep(-0.0028, -0.0012, -np.abs(depth)))
    grain = 1 + 0.03 * np.sin(2 * np.pi * (y * 90 + 0.6 * noise(rng, (big, big), 2.2)))
    image = canvas(picture * grain[..., None], rng, 0.015)
    return image.resize((size, size), Image.Resampling.LANCZOS)


def marbling(seed: int, size: int) -> Image.Image:
    """Combed and swirled paper marbling with fine veins."""
    rng = np.random.default_rng(seed)
    shape = (size, size)
    y, x = grid(*shape)
    warp_x = 0.07 * noise(rng, shape, 2.4) + 0.05 * np.sin(2 * np.pi * (4 * y + 0.2))
    warp_y = 0.07 * noise(rng, shape, 2.4) + 0.05 * np.sin(2 * np.pi * (3 * x + warp_x * 4))
    phase = 5.5 * (y + warp_y) + 1.2 * (x + warp_x) + 0.5 * noise(rng, shape, 2.0)
    palette = hexes("12343b", "1f6f78", "e8d9b5", "c8553d", "f2c57c", "2d1e2f", "588b8b", "f7f0e0")
    position = (phase * 1.7) % 1
    picture = ramp(np.concatenate([palette, palette[:1]]), position)
    bands = np.abs((phase * 13.6) % 1 - 0.5) * 2
    picture = mix(picture, palette[5], 0.8 * smoothstep(0.88, 0.97, bands))
    veins = np.abs((phase * 27.2 + 0.4 * noise(rng, shape, 1.5)) % 1 - 0.5) * 2
    picture = mix(picture, palette[7], 0.55 * smoothstep(0.90, 0.98, veins))
    sheen = blur(noise(rng, shape, 1.2), 1.2)
    return canvas(picture * (1 + 0.04 * sheen[..., None]), rng, 0.012)
