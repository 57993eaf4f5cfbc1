"""Paints a face: skin, lips, brows, beard, eyes."""

from __future__ import annotations

import numpy as np

from tests.portraits.canvas import Canvas, Colour, Field, blob, light_on, noise, step
from tests.portraits.head import outline
from tests.portraits.person import Person, View


def paint_skin(
    c: Canvas, p: Person, v: View, x: Field, y: Field, z: Field, rng: np.random.Generator, px: float
) -> None:
    ax = np.abs(x)
    r = outline(p, x, y)
    pores = 0.0012 * noise(rng, x.shape, 150) + 0.002 * noise(rng, x.shape, 60)
    light, gloss = light_on(np.where(r < 1.02, z + pores, 0).astype(np.float32), v, px, 0.1)
    skin = np.ones((*x.shape, 3), np.float32) * np.array(p.skin, np.float32)
    grain = 0.035 * noise(rng, x.shape, 200) + 0.05 * noise(rng, x.shape, 40)
    skin *= 1 + grain[..., None]
    blush = 0.2 * blob(ax, y, 0.56, 0.45, 0.28, 0.24) + 0.15 * blob(x, y, 0, 0.55, 0.18, 0.15)
    skin *= 1 + blush[..., None] * np.array([0.5, -0.7, -0.6], np.float32)
    tired = (0.12 + 0.2 * p.age) * blob(ax, y, p.eye_x, 0.17, 0.2, 0.07)
    tired = tired + 0.22 * blob(ax, y, p.eye_x, -0.1, 0.25, 0.07)
    skin *= 1 - tired[..., None] * np.array([0.6, 0.9, 0.8], np.float32)
    _paint_lips(skin, p, v, x, y)
    gloss = gloss * (1 - _paint_beard(skin, p, x, y, rng))
    _paint_brows(skin, p, x, y, rng)
    nostrils = blob(ax, y, 0.55 * p.nose_width, p.nose_length + 0.105, 0.075, 0.034)
    skin *= 1 - 0.85 * nostrils[..., None]
    c.paint(step(0, 0.02, 1 - r), skin, light)
    c.rgb += (step(0, 0.02, 1 - r) * gloss)[..., None]
    _paint_eyes(c, p, x, y, light, px)


def _mix(base: Field, mask: Field, colour: Field | Colour) -> None:
    base += np.clip(mask, 0, 1)[..., None] * (np.asarray(colour, np.float32) - base)


def _paint_lips(skin: Field, p: Person, v: View, x: Field, y: Field) -> None:
    ax = np.abs(x)
    t = ax / p.mouth_width
    my = p.mouth_y - 0.11 * v.smile * t**2
    shape = np.clip(1 - t**2.2, 0, 1)
    bow = 1 - 0.3 * np.exp(-((x / 0.06) ** 2)) + 0.12 * np.exp(-(((ax - 0.1) / 0.07) ** 2))
    top, bottom = my - 1.75 * p.upper_lip * shape * bow, my + 1.85 * p.lower_lip * shape**0.8
    lips = step(0, 0.035, y - top) * step(0, 0.05, bottom - y) * step(0, 0.05, 1 - t)
    red = np.array(p.skin, np.float32) * np.array([0.85, 0.5, 0.5], np.float32)
    red = red + p.lip_red * (np.array([0.42, 0.06, 0.08], np.float32) - red) * 0.75
    _mix(skin, 0.9 * lips, red)
    line = np.exp(-(((y - my - 0.012 * np.cos(x * 18)) / 0.017) ** 2)) * step(0, 0.06, 1.03 - t)
    skin *= 1 - 0.82 * line[..., None]


def _paint_brows(skin: Field, p: Person, x: Field, y: Field, rng: np.random.Generator) -> None:
    ax = np.abs(x)
    t = (ax - 0.14) / 0.66
    arc = p.brow_y - p.brow_slant * (t - 0.5) + 0.26 * (t - 0.55) ** 2 - 0.03
    half = p.brow_weight * (1 - 0.75 * np.clip(t, 0, 1) ** 2.2)
    strands = 0.8 + 0.25 * noise(rng, x.shape, 160)
    mask = step(0, 0.05, half - np.abs(y - arc)) * step(0, 0.12, t) * step(0, 0.1, 1 - t)
    _mix(skin, 0.95 * mask * strands, np.array(p.hair, np.float32) * 0.6)


def _paint_beard(skin: Field, p: Person, x: Field, y: Field, rng: np.random.Generator) -> Field:
    if p.beard == "none":
        return np.zeros_like(x)
    ax = np.abs(x)
    lip = step(0, 0.12, y - (p.nose_length + 0.13 + 0.1 * (ax / 0.4) ** 2)) * step(
        0, 0.2, 0.52 - ax
    )
    lip *= step(0, 0.1, p.mouth_y - 0.5 * p.upper_lip - y)
    jaw = step(0, 0.22, y - (0.35 + 0.85 * (1 - np.clip(ax / 0.95, 0, 1) ** 2.5)))
    jaw *= step(0, 0.1, np.hypot(x / (p.mouth_width * 1.05), (y - p.mouth_y) / 0.2) - 1)
    chin = step(0, 0.2, 0.42 - ax) * step(0, 0.15, y - p.mouth_y - 0.18)
    mask = {
        "stubble": 0.4 * np.maximum(lip, jaw),
        "full": 0.96 * np.maximum(lip, np.maximum(jaw, chin)),
        "moustache": 0.95 * lip,
        "goatee": 0.95 * np.maximum(lip * step(0, 0.15, 0.45 - ax), chin),
    }[p.beard]
    hairs = np.clip(mask * (0.88 + 0.25 * noise(rng, x.shape, 240)), 0, 1)
    tone = 0.9 + 0.3 * noise(rng, x.shape, 200)
    _mix(skin, hairs, (0.8 * np.array(p.hair, np.float32) + 0.012) * tone[..., None])
    return hairs


def _paint_eyes(c: Canvas, p: Person, x: Field, y: Field, light: Field, px: float) -> None:
    size, height = p.eye_size, p.eye_size * p.eye_open * 1.25
    ax = np.abs(x)
    dx = ax - p.eye_x
    yy = y + p.eye_slant * dx
    t = np.clip(np.abs(dx / size), 0, 1)
    upper, lower = -height * (1 - t**2.0) ** 0.75, 0.75 * height * (1 - t**2.4)
    inside = (
        step(0, 0.02, yy - upper) * step(0, 0.02, lower - yy) * step(0, 0.03, size - np.abs(dx))
    )
    ball = 0.62 * (1 - 0.5 * t**2) * (0.5 + 0.5 * step(0, 0.12, yy - upper)) + 0.05
    lit = 0.45 + 0.55 * np.clip(light, 0, 1.2)
    c.paint(inside, (0.86, 0.8, 0.76), ball * lit)
    radius = np.hypot(dx, yy + 0.015)
    iris = step(0, 0.018, 0.47 * size - radius) * inside
    ring = 0.45 + 1.1 * step(0.2 * size, 0.3 * size, radius) * step(0, 0.05, 0.46 * size - radius)
    c.paint(iris, p.iris, ring * (0.55 + 0.45 * step(0, 0.1, yy - upper)) * lit)
    c.paint(step(0, 0.014, 0.2 * size - radius) * inside, (0.006, 0.005, 0.005))
    spark = np.hypot(dx * np.sign(x) + 0.035, yy + 0.06)
    c.paint(0.9 * step(0, 0.016, 0.024 - spark) * inside, (0.95, 0.95, 0.95))
    near = step(0, 0.05, size * 1.06 - np.abs(dx))
    lash = np.exp(-(((yy - upper + 0.008) / 0.02) ** 2)) * near
    c.paint(0.9 * lash, (0.02, 0.013, 0.01))
    c.paint(0.35 * np.exp(-(((yy - lower) / 0.014) ** 2)) * near, (0.1, 0.04, 0.03))
    crease = np.exp(-(((yy - upper * 1.15 + 0.062) / 0.02) ** 2)) * near
    c.paint(0.4 * crease, np.array(p.skin, np.float32) * 0.25, 1.0)
