"""Clips to begin with, drawn by formulas: things that move several pixels from frame to frame."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from styletransfer.core.media.registry import Starter
from styletransfer.core.media.types import Clip, Pixels
from styletransfer.core.procedural import scenes
from styletransfer.core.procedural.fields import (
    Array,
    grid,
    hexes,
    ink,
    mix,
    noise,
    ramp,
    smoothstep,
)

FRAMES, FPS = 24, 12.0
_WIDTH, _HEIGHT = 256, 192
_FINE = 2  # drawn so many times larger, then averaged
_SHORE = 0.36  # the horizon; of the width, like all lengths here
_FLOOR = 0.60
_SUN = np.array([-0.5, -0.62, 0.6])  # to the left, up, and towards the eye


def sails() -> Clip:
    """Two boats that pass each other on a swell, under clouds that drift."""
    rng = np.random.default_rng(11)
    width, height = _WIDTH * _FINE, _HEIGHT * _FINE
    y, x = grid(height, width)
    clouds = noise(rng, (width, width), 1.7)[:height]
    chop = noise(rng, (width, width), 1.1)[:height]

    def draw(t: float) -> Image.Image:
        sky = ramp(hexes("4a79b0", "8fb3d1", "f1d7b2", "f7b182"), np.clip(y / _SHORE, 0, 1))
        drifting = np.roll(clouds, round(-70 * t * _FINE), 1)
        white = 0.8 * smoothstep(0.2, 1.5, drifting) * smoothstep(_SHORE, 0.1, y)
        picture = mix(sky, hexes("fff4e6")[0], white)
        picture = mix(picture, _swell(x, y, t, chop), smoothstep(0, 0.004, y - _SHORE))
        image = _to_image(picture)
        pen = ImageDraw.Draw(image)
        for start, pace, line, length, hull in (
            (0.83, -0.42, 0.47, 0.15, "2f5d7c"),
            (0.20, 0.34, 0.60, 0.25, "a33b2e"),
        ):
            at = start + pace * t
            rise = 0.010 * np.sin(2 * np.pi * (1.5 * t + 3 * at))
            lean = 0.10 * np.sin(2 * np.pi * (1.5 * t + 3 * at) + 1.2)
            _boat(pen, (at, line + rise), length, float(lean), hull)
        return image

    return _clip(draw)


def ball() -> Clip:
    """A striped ball that rolls over a chequered floor and bounces, with its shadow."""
    y, x = grid(_HEIGHT * _FINE, _WIDTH * _FINE)
    wall = mix(
        ramp(hexes("d9c7a5", "b98f6b"), np.clip(y / _FLOOR, 0, 1)),
        hexes("7c4a3a")[0],
        0.55 * smoothstep(0.1, 0.0, np.abs((x * 9) % 1 - 0.5) - 0.25),
    )
    away = 0.10 / np.clip(y - _FLOOR + 0.13, 0.02, None)  # distance of the floor's rows
    even = np.sin(np.pi * 14 * (x - 0.5) * away) * np.sin(np.pi * 9 * away)
    tiles = mix(
        np.broadcast_to(hexes("e9e2d0")[0], (*x.shape, 3)),
        hexes("35506b")[0],
        smoothstep(-0.08, 0.08, even),
    )
    room = mix(wall, tiles, smoothstep(0, 0.003, y - _FLOOR + 0.09))

    def draw(t: float) -> Image.Image:
        radius, ground = 0.115, _FLOOR + 0.02
        at = 0.12 + 0.76 * t
        height = 0.20 * abs(np.cos(2 * np.pi * t)) ** 0.9
        shade = np.hypot((x - at - 0.3 * height) / 0.12, (y - ground) / 0.022)
        dark = (0.6 - 1.2 * height) * smoothstep(1.4, 0.4, shade)
        picture = mix(room, hexes("1c1a22")[0], dark)
        centre = (at, ground - radius - height)
        return _to_image(_sphere(picture, x, y, centre, radius, turn=0.76 * t / radius))

    return _clip(draw)


def pan() -> Clip:
    """A camera that glides over a still life and comes nearer."""
    table = scenes.still_life(3, 400)

    def draw(t: float) -> Image.Image:
        width = 312 - 86 * t
        left, top = 4 + 144 * t, 8 + 74 * t
        box = (left, top, left + width, top + width * _HEIGHT / _WIDTH)
        return table.resize((_WIDTH, _HEIGHT), Image.Resampling.LANCZOS, box=box)

    return _clip(draw)


STARTERS: tuple[Starter, ...] = (
    Starter("sails", "Sails on a swell", sails),
    Starter("ball", "A bouncing ball", ball),
    Starter("pan", "Along a still life", pan),
)


def _clip(draw: Callable[[float], Image.Image]) -> Clip:
    """The frames drawn at times 0 … 1."""
    frames = [_scaled(draw(k / (FRAMES - 1))) for k in range(FRAMES)]
    return Clip(np.stack(frames), FPS)


def _scaled(image: Image.Image) -> Pixels:
    return np.asarray(image.resize((_WIDTH, _HEIGHT), Image.Resampling.BOX))


def _to_image(picture: Array) -> Image.Image:
    return Image.fromarray((np.clip(picture, 0, 1) * 255).round().astype(np.uint8))


def _swell(x: Array, y: Array, t: float, chop: Array) -> Array:
    """Waves that come nearer: lines of one phase, closer together towards the horizon."""
    depth = np.clip(y - _SHORE, 0, None)
    away = 1 / (depth + 0.05)
    phase = 5.5 * away + 6 * np.sin(2.2 * x + 0.5) + 0.9 * np.roll(chop, round(24 * t * _FINE), 1)
    crest = np.sin(phase + 2 * np.pi * 1.5 * t)
    sea = ramp(hexes("12354f", "2a6485", "69a3b4"), np.clip(0.5 + 0.42 * crest, 0, 1))
    foam = smoothstep(0.86, 1.0, crest) * smoothstep(0.02, 0.12, depth)
    glow = np.exp(-(((x - 0.62) / 0.16) ** 2)) * np.exp(-depth / 0.15)
    return mix(mix(sea, hexes("f2d2a6")[0], 0.55 * glow), hexes("f6fbfa")[0], 0.7 * foam)


def _boat(
    pen: ImageDraw.ImageDraw, foot: tuple[float, float], length: float, lean: float, hull: str
) -> None:
    """A sailing boat; foot: the middle of its water line, lean: radians."""
    cosine, sine, unit = np.cos(lean), np.sin(lean), _WIDTH * _FINE

    def part(colour: Array, *corners: tuple[float, float]) -> None:
        turned = [
            (
                (foot[0] + length * (cosine * dx - sine * dy)) * unit,
                (foot[1] + length * (sine * dx + cosine * dy)) * unit,
            )
            for dx, dy in corners
        ]
        pen.polygon(turned, fill=ink(colour))

    sail, tone = hexes("f6ead2")[0], hexes(hull)[0]
    part(hexes("4a3426")[0], (0.01, 0), (0.01, -1.3), (0.05, -1.3), (0.05, 0))
    part(sail, (0, -0.17), (0, -1.24), (-0.44, -0.2))
    part(sail * 0.86, (0, -0.17), (0, -1.24), (-0.17, -0.18))
    part(sail * 0.78, (0.07, -0.22), (0.07, -1.12), (0.47, -0.16))
    part(tone, (-0.5, -0.15), (0.58, -0.18), (0.42, 0.05), (-0.36, 0.05))
    part(tone * 0.55, (-0.44, -0.03), (0.49, -0.05), (0.42, 0.05), (-0.36, 0.05))


def _sphere(
    picture: Array, x: Array, y: Array, centre: tuple[float, float], radius: float, turn: float
) -> Array:
    """A ball with stripes, which turns in the picture's plane and rolls about its own axis."""
    nx, ny = (x - centre[0]) / radius, (y - centre[1]) / radius
    r = np.hypot(nx, ny)
    nz = np.sqrt(np.clip(1 - r**2, 0, 1))
    u = nx * np.cos(turn) + ny * np.sin(turn)
    v = ny * np.cos(turn) - nx * np.sin(turn)
    stripes = smoothstep(-0.12, 0.12, np.sin(7 * u + 0.4))
    cap = smoothstep(0.62, 0.66, v) + smoothstep(0.62, 0.66, -v)
    skin = mix(np.broadcast_to(hexes("f3e4c3")[0], (*x.shape, 3)), hexes("c8402f")[0], stripes)
    skin = mix(skin, hexes("274c77")[0], np.clip(cap, 0, 1))
    light = np.clip(nx * _SUN[0] + ny * _SUN[1] + nz * _SUN[2], 0, 1)
    gloss = np.clip(2 * light * nz - _SUN[2], 0, 1) ** 18
    skin = skin * (0.30 + 0.85 * light)[..., None]
    skin = mix(skin, hexes("fffaf0")[0], 0.6 * gloss)
    return mix(picture, skin, smoothstep(1.015, 0.985, r))
