"""The house's own pictures to mine, so that there is something to see before anybody brings any.

Everything is drawn by formula and free of rights: pieces of the starters, patterns that a vision
network is known to tell apart, and for the face encoder drawn people. No torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from styletransfer.core.procedural import STARTERS
from styletransfer.core.procedural.fields import Array, grid, hexes, noise, ramp, smoothstep

_PEOPLE = Path(__file__).resolve().parents[3] / "static" / "see" / "people"
_SIDE = 256
_WHOLE = 512
_SEEDS = (3, 11)
_PIECES = ((0.0, 0.0), (1.0, 0.45), (0.35, 1.0))
"""Where a piece of half the width lies: shares of the room that it has."""


@dataclass(frozen=True)
class HousePicture:
    """One of them; `draw` makes it anew, the same each time: RGB, 150 to 256 pixels."""

    title: str
    draw: Callable[[], Image.Image]


def house_pictures(network: str) -> tuple[HousePicture, ...]:
    """What is mined for a network: drawn people for `face`, drawn scenes and patterns for others.

    Pieces of one scene follow one another, so that it is drawn once.
    """
    if network == "face":
        return tuple(
            HousePicture(f"Drawn person {path.stem}", partial(_person, path))
            for path in sorted(_PEOPLE.glob("*.jpg"))
        )
    return (*_scenes(), *_patterns())


def _person(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def _scenes() -> list[HousePicture]:
    found = []
    for index, starter in enumerate(STARTERS):
        for seed in _SEEDS:
            numbered = starter.title if seed == _SEEDS[0] else f"{starter.title}, another"
            found.append(HousePicture(numbered, partial(_whole, index, seed)))
            found += [
                HousePicture(f"{numbered}, a piece", partial(_piece, index, seed, place))
                for place in _PIECES
            ]
    return found


@lru_cache(maxsize=1)
def _drawn(index: int, seed: int) -> Image.Image:
    return STARTERS[index].draw(seed, _WHOLE)


def _whole(index: int, seed: int) -> Image.Image:
    picture = _drawn(index, seed).copy()
    picture.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    return picture


def _piece(index: int, seed: int, place: tuple[float, float]) -> Image.Image:
    picture = _drawn(index, seed)
    left, top = (
        round(share * (extent - _SIDE)) for share, extent in zip(place, picture.size, strict=True)
    )
    return picture.crop((left, top, left + _SIDE, top + _SIDE))


def _patterns() -> list[HousePicture]:
    drawings: list[tuple[str, Callable[[], Array]]] = []
    for degrees in (0, 30, 60, 90, 120, 150):
        drawings.append((f"Stripes at {degrees} degrees", partial(_stripes, degrees)))
    for name, pair in _PAIRS.items():
        drawings += [
            (f"Checks in {name}", partial(_checks, *pair)),
            (f"Rings in {name}", partial(_rings, *pair)),
            (f"Dots in {name}", partial(_dots, *pair)),
        ]
    drawings += [
        ("Colours all round", _wheel),
        ("Clouds", partial(_cloud, 2.0)),
        ("Grain", partial(_cloud, 0.6)),
        ("Wood", _wood),
        ("Cloth", _weave),
        ("Bricks", _bricks),
        ("Letters", _letters),
    ]
    return [HousePicture(title, partial(_pattern, draw)) for title, draw in drawings]


_PAIRS = {
    "black and white": ("141414", "f4f4f4"),
    "blue and orange": ("1d4f91", "f28c28"),
    "red and green": ("b3202a", "3c9a4f"),
    "violet and yellow": ("5b2a86", "f2d13c"),
}


def _pattern(draw: Callable[[], Array]) -> Image.Image:
    return Image.fromarray((draw().clip(0, 1) * 255).round().astype(np.uint8))


def _between(first: str, second: str, share: Array) -> Array:
    return ramp(hexes(first, second), share)


def _stripes(degrees: int) -> Array:
    """Finer from left to right, in a colour of their own direction."""
    y, x = grid(_SIDE, _SIDE)
    turn = np.radians(degrees)
    along = x * np.cos(turn) + y * np.sin(turn)
    wave = np.sin(2 * np.pi * along * 18 * (1 + along))
    dark, light = list(_PAIRS.values())[degrees // 30 % len(_PAIRS)]
    return _between(dark, light, smoothstep(-0.4, 0.4, wave))


def _checks(dark: str, light: str) -> Array:
    y, x = grid(_SIDE, _SIDE)
    fine = np.where(y < 0.5, 10, 22)
    return _between(dark, light, ((x * fine).astype(int) + (y * fine).astype(int)) % 2 * 1.0)


def _rings(dark: str, light: str) -> Array:
    y, x = grid(_SIDE, _SIDE)
    radius = np.minimum(np.hypot(x - 0.35, y - 0.4), np.hypot(x - 0.8, y - 0.8) * 1.6)
    return _between(dark, light, smoothstep(-0.3, 0.3, np.cos(2 * np.pi * 14 * radius)))


def _dots(dark: str, light: str) -> Array:
    y, x = grid(_SIDE, _SIDE)
    pitch = 0.055 + 0.06 * (x > 0.5)
    off = np.hypot(x % pitch - pitch / 2, y % pitch - pitch / 2) / pitch
    return _between(dark, light, smoothstep(0.34, 0.28, off))


def _wheel() -> Array:
    y, x = grid(_SIDE, _SIDE)
    hue = np.arctan2(y - 0.5, x - 0.5)[..., None] + np.array([0, 2, 4]) * np.pi / 3
    pale = smoothstep(0.0, 0.5, np.hypot(x - 0.5, y - 0.5))[..., None]
    return (0.5 + 0.5 * np.cos(hue)) * pale + (1 - pale)


def _cloud(beta: float) -> Array:
    rng = np.random.default_rng(7)
    fields = [noise(rng, (_SIDE, _SIDE), beta) for _ in range(3)]
    return 0.5 + 0.2 * np.stack(fields, -1)


def _wood() -> Array:
    rng = np.random.default_rng(8)
    y, x = grid(_SIDE, _SIDE)
    rings = np.hypot(x * 0.25 + 0.2, y - 0.6) + 0.02 * noise(rng, (_SIDE, _SIDE), 2.0)
    return ramp(hexes("4a2f1f", "9a6a3f", "c79a63"), 0.5 + 0.5 * np.sin(2 * np.pi * 22 * rings))


def _weave() -> Array:
    y, x = grid(_SIDE, _SIDE)
    over = (np.floor(x * 32) + np.floor(y * 32)) % 2
    thread = np.where(over, np.sin(np.pi * (x * 32 % 1)), np.sin(np.pi * (y * 32 % 1)))
    blue, cream = hexes("2d4f7c", "e8dcc0")
    return np.asarray(np.where(over[..., None], blue, cream) * (0.45 + 0.55 * thread[..., None]))


def _bricks() -> Array:
    rng = np.random.default_rng(9)
    y, x = grid(_SIDE, _SIDE)
    row = np.floor(y * 12)
    along = x * 6 + 0.5 * (row % 2)
    joint = np.minimum(smoothstep(0.02, 0.06, along % 1), smoothstep(0.05, 0.14, y * 12 % 1))
    tone = rng.uniform(0, 1, (12, 8))[row.astype(int) % 12, along.astype(int) % 8]
    clay = ramp(hexes("7a2f22", "a8503a", "c47a5a"), tone)
    clay *= (1 + 0.06 * noise(rng, (_SIDE, _SIDE), 0.8))[..., None]
    mortar = hexes("cfc6b8")[0]
    return np.asarray(mortar + (clay - mortar) * joint[..., None])


def _letters() -> Array:
    sheet = Image.new("RGB", (_SIDE, _SIDE), "#f7f3e8")
    pen = ImageDraw.Draw(sheet)
    for line, size in enumerate((52, 40, 30, 22, 16, 12, 10)):
        font = ImageFont.load_default(size)
        text = "Hamburgefonts 0123456789 & quick brown fox"
        pen.text((6, 4 + sum((52, 40, 30, 22, 16, 12, 10)[:line]) * 1.3), text, "#1b1917", font)
    return np.asarray(sheet, np.float64) / 255
