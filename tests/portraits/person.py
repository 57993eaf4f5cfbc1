"""Who is drawn and how the picture was taken: drawn by lot from a number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]

SKINS = ("f6d7c3", "efc4a6", "dfa987", "c68a63", "a5694a", "7f4b34", "5c3526")
HAIRS = ("15110f", "2b1c14", "4a2e1c", "7a4b26", "b98a4f", "d8b878", "8e3f1d", "9a9894", "d6d3cd")
IRISES = ("3b2416", "5a3a1e", "6d6a35", "4b7550", "4f7fa5", "7891a0")
CLOTHES = ("23395b", "7a2e3a", "2f5d50", "d9d4c7", "3c3c46", "b0713a", "5b4a78", "8fa7b8")
BACKDROPS = ("c9d3da", "d8cfc2", "b7c4b1", "a9b4c9", "cdbfc9", "8d99a3", "e2ddd3")


@dataclass(frozen=True)
class Person:
    """What makes one person: proportions, colours, hair. Drawn once from the seed."""

    skin: Colour
    hair: Colour
    iris: Colour
    clothes: Colour
    backdrop: Colour
    width: float
    jaw: float
    chin: float
    crown: float
    eye_x: float
    eye_size: float
    eye_open: float
    eye_slant: float
    brow_y: float
    brow_weight: float
    brow_slant: float
    nose_length: float
    nose_width: float
    nose_height: float
    mouth_y: float
    mouth_width: float
    upper_lip: float
    lower_lip: float
    lip_red: float
    cheeks: float
    age: float
    hair_style: str
    beard: str
    glasses: bool
    warp: tuple[float, ...]


@dataclass(frozen=True)
class View:
    """How the person was photographed this time."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    scale: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)
    lamp: tuple[float, float, float] = (-0.45, -0.55, 0.75)
    warmth: float = 0.0
    exposure: float = 1.0
    smile: float = 0.5
    noise: float = 0.004
    even: bool = False
    """Light from everywhere alike: what is drawn is an albedo, to be lit later."""


def linear(code: str) -> Colour:
    """A hex colour in linear light."""
    red, green, blue = ((int(code[i : i + 2], 16) / 255) ** 2.2 for i in (0, 2, 4))
    return red, green, blue


def _pick(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[int(rng.integers(len(options)))]


def person(seed: int) -> Person:
    rng = np.random.default_rng([seed, 77])
    male = rng.random() < 0.5
    age = rng.random() ** 1.3
    skin = int(rng.integers(len(SKINS)))
    hair = int(rng.integers(7, 9)) if age > 0.7 else int(rng.integers(0, 7 if skin < 3 else 3))
    style = _pick(
        rng, ("short", "side", "crop", "bald", "curly") if male else ("long", "bob", "bun", "curly")
    )
    u = rng.uniform
    nose_length = u(0.44, 0.68)
    return Person(
        skin=linear(SKINS[skin]),
        hair=linear(HAIRS[hair]),
        iris=linear(IRISES[int(rng.integers(0, 6 if skin < 3 else 2))]),
        clothes=linear(_pick(rng, CLOTHES)),
        backdrop=linear(_pick(rng, BACKDROPS)),
        width=u(0.84, 1.14),
        jaw=u(2.3, 3.4) if male else u(1.9, 2.5),
        chin=u(1.4, 1.85) if male else u(1.28, 1.62),
        crown=u(1.3, 1.5),
        eye_x=u(0.37, 0.53),
        eye_size=u(0.17, 0.23) if male else u(0.19, 0.27),
        eye_open=u(0.24, 0.46) if male else u(0.32, 0.56),
        eye_slant=u(-0.2, 0.24),
        brow_y=u(-0.31, -0.22) if male else u(-0.38, -0.28),
        brow_weight=u(0.04, 0.09) if male else u(0.022, 0.05),
        brow_slant=u(-0.24, -0.02),
        nose_length=nose_length,
        nose_width=u(0.18, 0.34) if male else u(0.14, 0.28),
        nose_height=u(0.2, 0.46),
        mouth_y=max(u(0.86, 1.0), nose_length + 0.34),
        mouth_width=u(0.3, 0.5),
        upper_lip=u(0.035, 0.08) if male else u(0.05, 0.11),
        lower_lip=u(0.055, 0.11) if male else u(0.07, 0.14),
        lip_red=u(0.15, 0.4) if male else u(0.35, 0.8),
        cheeks=u(0.0, 1.0),
        age=age,
        hair_style=style,
        beard=_pick(rng, ("none", "none", "stubble", "full", "moustache", "goatee"))
        if male
        else "none",
        glasses=rng.random() < 0.2,
        warp=tuple(u(-1, 1, 24)),
    )


def view(seed: int, variation: int) -> View:
    if variation == 0:
        return View()
    rng = np.random.default_rng([seed, variation, 78])
    u = rng.uniform
    return View(
        yaw=u(-0.12, 0.12),
        pitch=u(-0.06, 0.06),
        roll=u(-0.08, 0.08),
        scale=u(0.86, 1.06),
        shift=(u(-0.12, 0.12), u(-0.08, 0.08)),
        lamp=(u(-0.7, 0.7), u(-0.8, -0.2), 0.75),
        warmth=u(-0.12, 0.12),
        exposure=u(0.8, 1.15),
        smile=u(0.0, 0.7),
        noise=u(0.002, 0.012),
    )
