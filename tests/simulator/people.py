"""Heads: a texture over a height field, drawn by tests/portraits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.portraits.around import paint_body, paint_ears, paint_glasses, paint_hair
from tests.portraits.canvas import Canvas
from tests.portraits.head import depth, outline, warped
from tests.portraits.person import Person, View, person
from tests.portraits.skin import paint_skin
from tests.simulator.cast import EVEN, ODD

Floats = NDArray[np.float32]

UNIT = 0.07
"""Metres in a head's unit: half the width of a face."""

TEXELS = 120
"""Texels in a unit; a face before a webcam has 50 to 90 pixels in one."""

WIDTH, HEIGHT = 480, 576
CENTRE = WIDTH / 2, HEIGHT * 0.46
"""The texel between the eyes."""

BACK = -0.55
"""How far behind the ears the sides of a head go straight back, in units. A skull is longer but
rounds off: at 35 degrees either is seen 1.13 units wide."""

NECK = (0.0, 0.7, -0.2)
"""The joint about which a head turns, in units: between the ears and below them."""


BODY_WIDTH, BODY_HEIGHT, BODY_TEXELS, BODY_TOP = 480, 300, 60, 0.4
"""Neck and shoulders: texels, texels in a unit, where their texture begins below the eyes."""


@dataclass(frozen=True, eq=False)
class Head:
    """One person, to be seen from any side up to about 45 degrees.

    albedo (H, W, 3): linear; height (H, W): units towards the viewer, below BACK where there is
    nothing; normals (H, W, 3): unit vectors, z towards the viewer; body (H, W, 4): what does not
    turn, lit, premultiplied. eyes: texels of the two pupils; eye: half width and half height of an
    eye's opening in texels; mouth: texel of its middle and its half width.
    """

    albedo: Floats
    height: Floats
    body: Floats
    eyes: tuple[tuple[float, float], tuple[float, float]]
    eye: tuple[float, float]
    mouth: tuple[float, float, float]
    normals: Floats = field(init=False)

    def __post_init__(self) -> None:
        # Of the smoothed field: texels of a wall are no facets, and skin scatters light.
        smooth = cv2.GaussianBlur(np.maximum(self.height, BACK) * TEXELS, (0, 0), 1.2)
        gy, gx = np.gradient(smooth)
        normals = np.dstack([-gx, -gy, np.ones_like(gx)])
        normals /= np.linalg.norm(normals, axis=2, keepdims=True)
        object.__setattr__(self, "normals", normals.astype(np.float32))

    def points(self, at: Sequence[tuple[float, float]]) -> Floats:
        """Texels -> points of the surface, in units (N, 3)."""
        xy = np.array(at, np.float32)
        z = cv2.remap(self.height, xy[None], None, cv2.INTER_LINEAR)[0]
        return np.column_stack([(xy - np.array(CENTRE, np.float32)) / TEXELS, z])


class Layer(Canvas):
    """A canvas that knows what it has covered, premultiplied."""

    def __init__(self, shape: tuple[int, int]) -> None:
        super().__init__(shape, (0.0, 0.0, 0.0))
        self.alpha = np.zeros(shape, np.float32)

    def paint(self, mask, colour, light=1.0) -> None:  # type: ignore[no-untyped-def]
        super().paint(mask, colour, light)
        self.alpha += np.clip(mask, 0, 1) * (1 - self.alpha)


_given: tuple[list[Head], list[Head]] = ([], [])


def cast(heads: Sequence[Head]) -> None:
    """From now on these play all parts, the even ones those of even seeds; without any, the drawn
    people do again. At least one for each half."""
    _given[0][:], _given[1][:] = heads[0::2], heads[1::2]


def head(seed: int) -> Head:
    """The person of this seed; the two halves of the seeds share nobody."""
    given = _given[seed % 2]
    if given:
        return given[seed // 2 % len(given)]
    lots = (EVEN, ODD)[seed % 2]
    return _drawn(lots[seed // 2 % len(lots)])


@lru_cache(maxsize=48)
def _drawn(lot: int) -> Head:
    return draw_head(lot)


def draw_head(lot: int, smile: float | None = None) -> Head:
    """The person of this number in tests/portraits, whether or not a detector finds them."""
    rng = np.random.default_rng([lot, 80])
    p = person(lot)
    v = View(even=True, smile=rng.uniform(0, 0.6) if smile is None else smile)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    hx, hy = (columns - CENTRE[0]) / TEXELS, (rows - CENTRE[1]) / TEXELS
    x, y = warped(p, hx, hy)
    z = depth(p, v, x, y)

    layer = Layer(x.shape)
    covered = {}
    paint_hair(layer, p, v, hx, hy, rng, TEXELS, front=False)
    covered["back"] = layer.alpha.copy()
    paint_ears(layer, p, v, hx, hy, TEXELS)
    covered["ears"] = layer.alpha.copy()
    paint_skin(layer, p, v, x, y, z, rng, TEXELS)
    front = Layer(x.shape)
    paint_hair(front, p, v, hx, hy, np.random.default_rng([lot, 81]), TEXELS, front=True)
    covered["front"] = front.alpha
    layer.rgb += front.rgb - front.alpha[..., None] * layer.rgb
    layer.alpha += front.alpha * (1 - layer.alpha)
    if p.glasses:
        paint_glasses(layer, p, x, y)

    dx, dy = _unwarped(p, p.eye_x, 0.0)
    _, my = _unwarped(p, 0.0, p.mouth_y)
    return Head(
        albedo=_continued(layer.rgb, layer.alpha),
        height=_heights(p, hx, x, y, z, covered, layer.alpha),
        body=draw_body(p, replace(v, even=False), rng),
        eyes=(
            (CENTRE[0] - dx * TEXELS, CENTRE[1] + dy * TEXELS),
            (CENTRE[0] + dx * TEXELS, CENTRE[1] + dy * TEXELS),
        ),
        eye=(p.eye_size * TEXELS, p.eye_size * p.eye_open * 1.25 * TEXELS),
        mouth=(CENTRE[0], CENTRE[1] + my * TEXELS, p.mouth_width * TEXELS),
    )


def draw_body(p: Person, v: View, rng: np.random.Generator) -> Floats:
    """Neck and shoulders, lit, premultiplied."""
    rows, columns = np.mgrid[0:BODY_HEIGHT, 0:BODY_WIDTH].astype(np.float32)
    x = (columns - BODY_WIDTH / 2) / BODY_TEXELS
    y = rows / BODY_TEXELS + BODY_TOP
    body = Layer(x.shape)
    paint_body(body, p, v, x, y, rng, BODY_TEXELS)
    # Beyond the torso, where its shading has a seam, sleeves go on evenly.
    left, right = (round(BODY_WIDTH / 2 + u * BODY_TEXELS) for u in (-2.1, 2.1))
    body.rgb[:, :left] = body.rgb[:, left : left + 1] * body.alpha[:, :left, None]
    body.rgb[:, right:] = body.rgb[:, right - 1 : right] * body.alpha[:, right:, None]
    within = np.clip((3.1 - np.abs(x)) * 8, 0, 1)[..., None]  # shoulders end
    return np.dstack([body.rgb, body.alpha]) * within


def _unwarped(p: Person, x: float, y: float) -> tuple[float, float]:
    """Where the feature lies that is drawn at (x, y)."""
    u, v = np.float32(x), np.float32(y)
    for _ in range(8):
        wx, wy = warped(p, np.array([u]), np.array([v]))
        u, v = u + np.float32(x) - wx[0], v + np.float32(y) - wy[0]
    return float(u), float(v)


def _heights(
    p: Person, hx: Floats, x: Floats, y: Floats, z: Floats, covered: dict[str, Floats], all_: Floats
) -> Floats:
    """The height field of face, hair and ears: of several that cover a texel the foremost."""
    r = outline(p, x, y)
    h = np.full_like(z, 2 * BACK)
    h = np.where(r < 1, z, h)
    ears = (covered["ears"] - covered["back"]) > 0.5
    h = np.where(ears, np.maximum(h, 0.05 - 0.6 * (np.abs(hx) - p.width)), h)
    # Hair is as thick as it is far from its edge, up to a limit; in front it lies on the skull.
    for name, base, rise in (("back", -0.5, 0.45), ("front", -0.45, 0.7)):
        mask = (covered[name] > 0.5).astype(np.uint8)
        if not mask.any():
            continue
        inside = cv2.distanceTransform(mask, cv2.DIST_L2, 5) / TEXELS
        t = np.clip(inside / 0.55, 0, 1)
        bulge = base + rise * np.sqrt(1 - (1 - t) ** 2)
        if name == "front":
            bulge = np.maximum(bulge, np.where(r < 1, z + 0.1 * t, bulge))
        h = np.where(mask > 0, np.maximum(h, bulge), h)
    # The sides go back to the back of the head and taper there.
    outside = cv2.distanceTransform((all_ <= 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    edge = cv2.dilate(np.where(all_ > 0.5, h, 2 * BACK), np.ones((7, 7)))
    h = np.where(all_ > 0.5, h, np.where(outside < 3, np.minimum(edge, BACK), 2 * BACK))
    return cv2.GaussianBlur(h.astype(np.float32), (0, 0), 0.8)


def _continued(rgb: Floats, alpha: Floats) -> Floats:
    """The colours where something was painted, carried on beyond its edges."""
    sure = np.clip((alpha - 0.6) / 0.4, 0, 1)
    out = rgb / np.maximum(alpha, 1e-3)[..., None] * sure[..., None]
    known, filled = out.copy(), sure.copy()
    for sigma in (2, 6, 18, 54, 150):
        mass = cv2.GaussianBlur(sure, (0, 0), sigma)
        near = cv2.GaussianBlur(known, (0, 0), sigma) / np.maximum(mass, 1e-6)[..., None]
        reached = mass > 0.01
        out += np.where(reached & (filled < 1), 1 - filled, 0)[..., None] * near
        filled[reached] = 1
    return out.astype(np.float32)
