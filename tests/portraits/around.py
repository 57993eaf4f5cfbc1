"""Paints what is around a face: hair, ears, neck, clothes, glasses."""

from __future__ import annotations

import numpy as np

from tests.portraits.canvas import Canvas, Field, blob, light_on, noise, step
from tests.portraits.person import Person, View


def _streaks(rng: np.random.Generator, s: Field, along: Field) -> Field:
    """Strands of hair: noise across them, almost constant along them."""
    total = np.zeros_like(s)
    for frequency, weight in ((9, 0.35), (23, 0.35), (57, 0.3), (121, 0.2)):
        phase = rng.uniform(0, 6.3)
        total += weight * np.sin(frequency * s + phase + 1.3 * np.sin(2 * along + phase))
    return total


def paint_hair(
    c: Canvas,
    p: Person,
    v: View,
    x: Field,
    y: Field,
    rng: np.random.Generator,
    px: float,
    *,
    front: bool,
) -> None:
    ax, style = np.abs(x), p.hair_style
    if style == "bald":
        if front or p.age < 0.25:
            return
        mask = step(0, 0.05, 1 - (ax / (p.width * 1.07)) ** 4 - ((y + 0.15) / 0.55) ** 4)
        c.paint(mask, p.hair, 0.6 + 0.3 * noise(rng, x.shape, 90))
        return
    lift = {"crop": 0.05, "bun": 0.07, "short": 0.16, "side": 0.2, "long": 0.2, "bob": 0.22}.get(
        style, 0.34
    )
    up, down = np.maximum(-y, 0), np.maximum(y, 0)
    rough = 0.1 * noise(rng, x.shape, 26) if style == "curly" else 0.02 * noise(rng, x.shape, 40)
    female = p.lip_red > 0.42 or style in ("long", "bob", "bun")
    end = {"long": 2.1, "bob": p.chin * 0.82, "curly": 1.25 if female else 0.3}.get(style, 0.3)
    spread = p.width * (1.08 + 0.6 * lift) + (0.12 * np.clip(y, 0, 2) if end > 1 else 0)
    dome = (ax / spread) ** 2.4 + (up / (p.crown + lift)) ** 2.2 + (down / end) ** 9 + rough
    volume = step(0, 0.03, 1 - dome)
    if front:
        top = {
            "crop": -1.0,
            "short": -0.88,
            "side": -0.82,
            "bun": -0.9,
            "long": -0.98,
            "bob": -0.66,
        }.get(style, -0.78)
        if style in ("side", "long"):
            top = top + 0.28 * x - (0.1 * blob(x, y, -0.35, -1, 0.15, 1) if style == "side" else 0)
        side = p.width * (0.98 if end < 1 else 0.9)
        line = top + (0.25 - top) * (ax / side) ** (5 if style != "bob" else 9) + 2 * rough * 0.4
        if style == "long":
            part = np.abs(x + 0.2) / np.where(x < -0.2, p.width - 0.22, p.width + 0.12)
            line = -1.0 + 0.55 * part**1.2 + 2.4 * np.clip(part - 0.55, 0, 1) ** 2.6 * 4
        hairline = step(0, 0.06, line - y + 0.02 * noise(rng, x.shape, 90))
        volume = volume * hairline
        if end < 1:
            volume = volume * step(0, 0.2, 0.35 - y)
    if style == "bun" and not front:
        volume = np.maximum(volume, step(0, 0.03, 0.42 - np.hypot(x, (y + p.crown + 0.22) * 1.1)))
    z = 1.1 * np.maximum(0, 1 - dome) ** 0.5 + (0.1 if front else -0.6)
    if style == "curly":
        strands = 0.7 * noise(rng, x.shape, 34) + 0.5 * noise(rng, x.shape, 70)
        z = z + 0.05 * strands
    else:
        angle = np.arctan2(
            x + (0.3 if style in ("side", "long") else 0.0), 0.4 + np.maximum(y + 1.9, 0)
        )
        strands = _streaks(rng, angle * (1.6 if end > 1 else 1.2), y)
    light, gloss = light_on(z, v, px, 0.12)
    tone = np.clip(1 + 0.33 * strands, 0.3, 1.8) * (1.0 if front else 0.55)
    c.paint(volume, p.hair, tone * (0.25 + light))
    c.rgb += (volume * gloss * np.clip(0.6 + strands, 0, 1.4) * (0.35 if front else 0.1))[..., None]


def paint_body(
    c: Canvas, p: Person, v: View, x: Field, y: Field, rng: np.random.Generator, px: float
) -> None:
    ax = np.abs(x)
    girth = 0.5 if p.jaw < 2.5 else 0.62
    neck = girth + 0.25 * np.clip(y - 1.75, 0, 1) ** 2 + 0.05 * np.clip(1.3 - y, 0, 1)
    z = 0.6 * np.sqrt(np.clip(1 - (ax / neck) ** 2, 0, 1))
    light, _ = light_on(z, v, px, 0)
    shadow = 1 - 0.62 * step(0, 0.7, p.chin + 0.42 - y + 0.1 * x * np.sign(v.lamp[0]))
    c.paint(step(0, 0.03, neck - ax) * step(0, 0.2, y - 0.6), p.skin, light * shadow * 0.95)
    shoulder = 2.02 + 0.3 * np.clip(ax - 0.5, 0, 3) ** 1.6
    collar = np.hypot(x / 0.72, (y - 1.86) / 0.42) - 1
    cloth = step(0, 0.03, y - shoulder + 0.12 * (ax < 0.5)) * step(0, 0.04, collar)
    z = 0.8 * np.sqrt(np.clip(1 - (ax / 2.3) ** 2, 0, 1)) + 0.03 * noise(rng, x.shape, 9)
    z = z - 0.35 * np.exp(-np.clip(y - shoulder, 0, 2) / 0.22)
    light, _ = light_on(z.astype(np.float32), v, px, 0)
    weave = 1 + 0.04 * noise(rng, x.shape, 220)
    c.paint(cloth, p.clothes, (0.15 + 0.85 * light) * weave)
    c.paint(0.5 * cloth * np.exp(-((collar / 0.09) ** 2)), p.clothes, 0.5)


def paint_ears(c: Canvas, p: Person, v: View, x: Field, y: Field, px: float) -> None:
    ax = np.abs(x)
    r = np.hypot((ax - p.width * 0.99) / 0.15, (y - 0.2 - 0.3 * (ax - p.width)) / 0.31)
    z = 0.16 * np.sqrt(np.clip(1 - r**2, 0, 1)) - 0.08 * np.exp(-((r / 0.55) ** 2))
    light, _ = light_on(z.astype(np.float32), v, px, 0)
    c.paint(
        step(0, 0.1, 1 - r), np.array(p.skin, np.float32) * np.array([1, 0.82, 0.78]), light * 0.9
    )


def paint_glasses(c: Canvas, p: Person, x: Field, y: Field) -> None:
    ax = np.abs(x)
    r = ((np.abs(ax - p.eye_x - 0.01) / 0.34) ** 3.2 + (np.abs(y - 0.04) / 0.27) ** 3.2) ** (
        1 / 3.2
    )
    rim = step(0, 0.03, 0.05 - np.abs(r - 1))
    bridge = step(0, 0.02, 0.022 - np.abs(y + 0.03 + 0.25 * x**2)) * step(0, 0.02, 0.15 - ax)
    arm = step(0, 0.02, 0.025 - np.abs(y + 0.03)) * step(0, 0.03, ax - p.eye_x - 0.33)
    arm *= step(0, 0.03, p.width - ax)
    c.paint(np.maximum(np.maximum(rim, bridge), arm), (0.02, 0.018, 0.02), 1.0)
    glint = np.exp(-((((ax - p.eye_x) * 0.7 + y - 0.02) / 0.05) ** 2))
    c.paint((0.015 + 0.06 * glint) * step(0, 0.03, 1 - r), (0.9, 0.95, 1.0))
