"""A head as a height field: an ellipsoid with nose, brows, sockets and lips.

Units: half the width of a face. The eyes lie at y = 0; y points down.
"""

from __future__ import annotations

import numpy as np

from tests.portraits.canvas import Field, blob, enlarged, step
from tests.portraits.person import Person, View


def outline(p: Person, x: Field, y: Field) -> Field:
    """0 in the middle of the face, 1 on its outline. Above the eyes an ellipse, below a
    superellipse whose exponent squares the jaw."""
    below = np.maximum(y, 0) / p.chin
    above = np.maximum(-y, 0) / p.crown
    return (np.abs(x) / p.width) ** 2.15 + below**p.jaw + above**2.1


def warped(p: Person, x: Field, y: Field) -> tuple[Field, Field]:
    """Displaces the features smoothly and alike on both sides: no two faces differ only in the
    lengths that have a name."""
    a, ax = np.array(p.warp).reshape(2, 3, 4), np.abs(x)
    shift = [
        sum(
            a[axis, i, 0]
            * np.sin((i + 1) * 1.5 * ax + 3 * a[axis, i, 1])
            * np.cos((i + 1) * 1.3 * y + 3 * a[axis, i, 2])
            / (i + 1)
            for i in range(3)
        )
        for axis in range(2)
    ]
    return x + 0.06 * np.tanh(4 * x) * shift[0], y + 0.06 * shift[1]


def depth(p: Person, v: View, x: Field, y: Field, rim: float = 0.46) -> Field:
    """The head's height field, towards the camera. rim: how steeply it falls at the outline."""
    z = np.maximum(0, 1 - outline(p, x, y)) ** rim
    ax = np.abs(x)
    z += 0.07 * blob(ax, y, p.eye_x * 0.9, p.brow_y + 0.02, 0.36, 0.13)
    z += 0.03 * blob(x, y, 0, -0.75, 0.6, 0.4)
    z -= 0.15 * blob(ax, y, p.eye_x * 0.93, 0.0, 0.24, 0.17)
    z += 0.075 * blob(ax, y, p.eye_x, 0.015, 0.17, 0.13)
    z += (0.03 + 0.05 * p.cheeks) * blob(ax, y, 0.62, 0.42, 0.26, 0.22)
    tip = p.nose_length
    along = np.clip((y + 0.12) / (tip + 0.12), 0, 1)
    bridge = np.exp(-((ax / (0.085 + 0.09 * along * p.nose_width / 0.22)) ** 2))
    ramp = step(-0.12, 0.45, y) * (1 - step(tip + 0.07, 0.16, y))
    z += p.nose_height * (0.3 + 0.7 * along**1.3) * bridge * ramp
    z += 0.11 * blob(x, y, 0, tip - 0.02, 0.13, 0.12)
    z += 0.13 * blob(ax, y, p.nose_width * 0.78, tip + 0.02, 0.1, 0.1)
    z -= 0.03 * blob(x, y, 0, (tip + p.mouth_y) / 2 + 0.05, 0.04, 0.1)
    my = p.mouth_y - 0.11 * v.smile * (ax / p.mouth_width) ** 2
    inside = 1 - step(p.mouth_width * 0.9, 0.2, ax)
    z += 0.07 * blob(x, y, 0, p.mouth_y, 0.42, 0.24)
    z += 0.055 * inside * np.exp(-(((y - my + p.upper_lip * 0.7) / p.upper_lip) ** 2))
    z += 0.07 * inside * np.exp(-(((y - my - p.lower_lip * 0.75) / p.lower_lip) ** 2))
    z -= 0.06 * inside * np.exp(-(((y - my) / 0.025) ** 2))
    z -= 0.05 * blob(x, y, 0, p.mouth_y + 0.27, 0.25, 0.06)
    z += 0.08 * blob(x, y, 0, p.chin - 0.24, 0.26, 0.15)
    fold = ax - (p.nose_width + 0.06 + 0.32 * np.clip((y - tip) / 0.5, 0, 1))
    weight = (0.008 + 0.025 * p.age + 0.02 * v.smile) * step(tip - 0.05, 0.1, y)
    z -= weight * (1 - step(p.mouth_y + 0.1, 0.25, y)) * np.exp(-((fold / 0.07) ** 2))
    lines = np.sin((y + 0.9) * 34) * np.exp(-(((y + 0.72) / 0.2) ** 2)) * (1 - step(0.5, 0.3, ax))
    return (z + 0.006 * p.age * lines).astype(np.float32)


def turned(p: Person, v: View, hx: Field, hy: Field) -> tuple[Field, Field]:
    """Where the rays through (hx, hy) meet the turned height field: a few fixed-point steps, at a
    third of the resolution."""
    sx, sy = hx[::3, ::3], hy[::3, ::3]
    x, y = sx, sy
    for _ in range(3):
        z = depth(p, v, *warped(p, x, y), rim=1.0) - 0.4
        x = (sx - z * np.sin(v.yaw)) / np.cos(v.yaw)
        y = (sy - z * np.sin(v.pitch)) / np.cos(v.pitch)
    return hx + enlarged(x - sx, hx.shape), hy + enlarged(y - sy, hy.shape)
