"""A clip as a block: its frames one behind the other, cut open halfway, seen from around.

Where it is cut, a row of the picture lies there through time: what moves draws a slanted line,
what flickers a comb.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from styletransfer.core.media.sheet import GROUND
from styletransfer.core.media.types import Clip, Pixels

_LONGEST: Final = 256
"""Pixels along the longer side of the block's frames; more is scaled down."""

_DEPTH: Final = 1.1
"""Length of time, over the longer side of a frame."""

_CUT_TIME, _CUT_ROW = 0.42, 0.45
"""From this share of time on, the block has no rows above that share of its height."""

_TILT: Final = math.radians(27)
_DISTANCE: Final = 4.2
"""Of the camera, in half diagonals of the block."""

_FINE: Final = 2
"""Drawn so many times larger, then averaged: smooth edges."""

_SHADES: Final = {"front": 1.0, "back": 0.92, "left": 0.72, "right": 0.8, "top": 1.0}

Points = npt.NDArray[np.float64]


class Block:
    """A clip's block, ready to be looked at. Axes: x to the right, y down, z from first frame to
    last."""

    def __init__(self, clip: Clip) -> None:
        self._frames = _small(clip.frames)
        count, height, width = self._frames.shape[:3]
        longer = max(width, height)
        self._extent = np.array([width / longer, height / longer, _DEPTH])
        time = min(count - 1, max(1, round(count * _CUT_TIME)))
        row = min(height - 1, max(1, round(height * _CUT_ROW)))
        whole, low = self._frames[:time], self._frames[time:, row:]
        self._cut = self._box(time, count, row)[0, 2]
        self._parts = [
            (self._box(0, time, 0), _faces(whole)),
            (self._box(time, count, row), _faces(low)),
        ]

    def view(self, degrees: float, side: int) -> Image.Image:
        """(side, side), the block turned about the vertical axis."""
        turn = _rotation(math.radians(degrees))
        scene = Image.new("RGB", (side * _FINE, side * _FINE), GROUND)
        # Two boxes, one behind the other along z: the one beyond the cut is drawn first.
        camera = -_DISTANCE * turn[2, 2]
        order = self._parts[::-1] if camera < self._cut else self._parts
        for corners, faces in order:
            for name, face in faces.items():
                _draw(scene, corners[_CORNERS[name]] @ turn.T, face)
        return scene.reduce(_FINE)

    def _box(self, first: int, after: int, row: int) -> Points:
        """The eight corners of a part, with the whole block's middle at 0 and its half diagonal
        as unit; corner 4·z + 2·y + x."""
        count, height = self._frames.shape[:2]
        shares = [
            (x, y, z)
            for z in (first / count, after / count)
            for y in (row / height, 1)
            for x in (0, 1)
        ]
        return np.asarray(
            (np.array(shares) - 0.5) * self._extent * (2 / np.linalg.norm(self._extent))
        )


_CORNERS: Final = {
    "front": [0, 1, 3, 2],
    "back": [5, 4, 6, 7],
    "left": [4, 0, 2, 6],
    "right": [1, 5, 7, 3],
    "top": [4, 5, 1, 0],
}
"""The corners of each face as one looks at it from outside: top left, then clockwise."""


def _small(frames: Pixels) -> Pixels:
    scale = _LONGEST / max(frames.shape[1:3])
    if scale >= 1:
        return frames
    size = max(2, round(frames.shape[2] * scale)), max(2, round(frames.shape[1] * scale))
    return np.stack([np.asarray(Image.fromarray(f).resize(size)) for f in frames])


def _faces(part: Pixels) -> dict[str, Image.Image]:
    """What is seen on each side of a part (T, H, W, 3), as seen from outside."""
    sides: dict[str, npt.NDArray[Any]] = {
        "front": part[0],
        "back": part[-1, :, ::-1],
        "left": part[::-1, :, 0].transpose(1, 0, 2),
        "right": part[:, :, -1].transpose(1, 0, 2),
        "top": part[::-1, 0],
    }
    return {
        name: Image.fromarray((side * _SHADES[name]).astype(np.uint8))
        for name, side in sides.items()
    }


def _rotation(turn: float) -> Points:
    """Turned about y, then tilted so that one looks at it from above."""
    c, s = math.cos(turn), math.sin(turn)
    about = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    c, s = math.cos(_TILT), math.sin(_TILT)
    return np.asarray(np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ about)


def _draw(scene: Image.Image, corners: Points, face: Image.Image) -> None:
    """A face in perspective, if its outer side is turned to the camera."""
    away = corners[:, 2] + _DISTANCE
    flat = corners[:, :2] / away[:, None]
    a, b = flat[1] - flat[0], flat[3] - flat[0]
    if a[0] * b[1] - a[1] * b[0] <= 1e-9:
        return
    side = scene.width
    at = flat * (side * 0.485 * _DISTANCE) + side / 2
    middle = at.mean(0)
    at += (at - middle) / np.linalg.norm(at - middle, axis=1, keepdims=True)  # closes the seams
    left, top = np.floor(at.min(0)).astype(int)
    right, bottom = np.ceil(at.max(0)).astype(int)
    width, height = face.size
    texture = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    shown = face.convert("RGBA").transform(
        (int(right - left), int(bottom - top)),
        Image.Transform.PERSPECTIVE,
        _homography(at - (left, top), texture),
        Image.Resampling.BILINEAR,
    )
    scene.paste(shown, (int(left), int(top)), shown.getchannel("A"))


def _homography(source: Points, target: Points) -> list[float]:
    """The eight numbers with which four points go to four others: (x, y) to
    ((ax + by + c) / (gx + hy + 1), (dx + ey + f) / (gx + hy + 1))."""
    rows, values = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    found: list[float] = np.linalg.solve(np.array(rows), np.array(values)).tolist()
    return found
