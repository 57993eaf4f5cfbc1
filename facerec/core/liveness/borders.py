"""Straight edges round a face that move: the rim of a sheet of paper or of a screen in a hand.

A door frame or a shelf behind somebody is as straight, but stays where it is in the picture. So
each frame gives the straightest edge on each side of the face, and the session how often there was
an edge where it lay: what was there in one frame and not in the others was carried.

Source: the Hough transform (Duda and Hart 1972), over the few tilts that a held sheet has.
"""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from typing import Any, NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.core.types import DetectedFace

WIDTH, HEIGHT = 160, 120
"""Pixels at which edges are looked for: an edge is wide, and a hand trembles by some pixels."""

MOST = 250
"""Frames that count; a session has fewer."""

STRAIGHT = 0.7
"""The share of a line that must be edge."""

_TILTS = np.linspace(-0.32, 0.32, 9)  # the tangent of a line's angle to the upright or the level
_STEEP = 1.2  # by how much an edge must lie more along a line than across
_LEAST, _OVER = 6, 2.0  # an edge, in grey levels over two pixels, and in medians of the picture
_SHORTEST = 12  # pixels of a line

# Distances between the eyes. A head has no more beside, above and below them; a line must go on
# beyond it, or straight hair would do.
_BESIDE, _ABOVE, _BELOW = 1.5, 1.7, 2.4
_UP, _DOWN, _ASIDE = 1.6, 2.8, 2.0

_ALONG = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 1))

Edges = NDArray[np.uint8]


class Line(NamedTuple):
    """A line in a map of edges. at: where it crosses the row `middle`; tilt: columns a row; share:
    how much of it is edge; first, last: its rows, the last not included."""

    at: int
    tilt: float
    share: float
    first: int
    last: int
    middle: float

    def share_of(self, edges: NDArray[np.floating]) -> float:
        """How much there is along this line in another map, which may be a mean of maps."""
        rows = np.arange(self.first, self.last)
        columns = np.round(self.at + self.tilt * (rows - self.middle)).astype(int)
        return float(edges[rows, np.clip(columns, 0, edges.shape[1] - 1)].mean())


class Borders:
    """What a session showed round a face."""

    def __init__(self) -> None:
        self._frames: list[list[Line | None]] = []
        self._upright = np.zeros((HEIGHT, WIDTH), np.uint8)  # how often there was an edge
        self._level = np.zeros((WIDTH, HEIGHT), np.uint8)  # transposed, so that lines go down too

    def add(self, image: NDArray[np.uint8], face: DetectedFace) -> None:
        """One frame more. image: uint8 RGB (H, W, 3)."""
        if len(self._frames) == MOST:
            return
        upright, level = _edges(image)
        scale = np.array([WIDTH / image.shape[1], HEIGHT / image.shape[0]])
        eyes = np.array(face.landmarks[:4]) * scale
        x, y = eyes.mean(axis=0)
        e = float(np.hypot(*(eyes[:2].mean(axis=0) - eyes[2:].mean(axis=0))))
        lines = _beside(upright, (y - _UP * e, y + _DOWN * e), (x - _BESIDE * e, x + _BESIDE * e))
        lines += _beside(level, (x - _ASIDE * e, x + _ASIDE * e), (y - _ABOVE * e, y + _BELOW * e))
        self._frames.append(lines)
        self._upright += upright
        self._level += level

    def carried(self) -> float:
        """How much of a rim went along, in [0, 1]: of each frame the second best side's share of
        edge, less how often there was an edge; the mean over frames. One side alone may be a limb
        or a door that opens. 0 before the second frame, and where nothing moves."""
        if len(self._frames) < 2:
            return 0.0
        count = len(self._frames)
        often = [self._upright / count] * 2 + [self._level / count] * 2
        seconds = []
        for lines in self._frames:
            moved = [
                max(0.0, line.share - line.share_of(edges))
                for line, edges in zip(lines, often, strict=True)
                if line is not None and line.share > STRAIGHT
            ]
            seconds.append(sorted([0.0, 0.0, *moved])[-2])
        return float(np.mean(seconds))

    def as_json(self) -> dict[str, Any]:
        return {
            "frames": self._frames,
            "upright": _packed(self._upright),
            "level": _packed(self._level),
        }

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Self:
        borders = cls()
        borders._frames = [
            [None if line is None else Line(*line) for line in lines] for lines in state["frames"]
        ]
        borders._upright = _unpacked(state["upright"], (HEIGHT, WIDTH))
        borders._level = _unpacked(state["level"], (WIDTH, HEIGHT))
        return borders


def _edges(image: NDArray[np.uint8]) -> tuple[Edges, Edges]:
    """Where upright edges are (HEIGHT, WIDTH) and, transposed, level ones (WIDTH, HEIGHT): 1 on
    the ridge of the gradient and beside it, else 0."""
    small = cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    across, down = _slope(small, 1, 0), _slope(small, 0, 1)
    return _ridges(across, down), _ridges(down.T.copy(), across.T.copy())


def _slope(image: NDArray[Any], dx: int, dy: int) -> Edges:
    """The steepest of the three channels across or down, in grey levels over two pixels."""
    slopes = cv2.convertScaleAbs(cv2.Sobel(image, cv2.CV_16S, dx, dy), alpha=0.25)
    red, green, blue = cv2.split(slopes)
    return np.asarray(cv2.max(cv2.max(red, green), blue), dtype=np.uint8)


def _ridges(along: Edges, other: Edges) -> Edges:
    least = max(_LEAST, _OVER * float(np.median(along)))
    ridge = (along == cv2.dilate(along, _ALONG)) & (along > least) & (along > _STEEP * other)
    ridge[:, :2] = ridge[:, -2:] = False  # the picture's own edge
    return np.asarray(cv2.dilate(ridge.astype(np.uint8), _ALONG), dtype=np.uint8)


def _beside(
    edges: Edges, rows: tuple[float, float], columns: tuple[float, float]
) -> list[Line | None]:
    """The line with most edge in these rows, left of the columns and right of them."""
    first, last = max(0, int(rows[0])), min(edges.shape[0], int(rows[1]))
    middle = (rows[0] + rows[1]) / 2
    if last - first < _SHORTEST:
        return [None, None]
    part, width = edges[first:last] * np.uint8(255), edges.shape[1]
    shares = np.empty((len(_TILTS), width), np.float32)
    for share, tilt in zip(shares, _TILTS, strict=True):
        shear = np.array([[1, tilt, -tilt * (middle - first)], [0, 1, 0]], np.float32)
        flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        straightened = cv2.warpAffine(part, shear, (width, last - first), flags=flags)
        share[:] = cv2.reduce(straightened, 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F)[0] / 255
    sides = slice(0, max(0, int(columns[0]))), slice(max(0, int(columns[1]) + 1), width)
    found: list[Line | None] = []
    for side in sides:
        there = shares[:, side]
        if not there.size:
            found.append(None)
            continue
        tilt, column = (int(i) for i in np.unravel_index(int(there.argmax()), there.shape))
        best = round(float(there[tilt, column]), 3)
        at = column + side.start
        found.append(Line(at, float(_TILTS[tilt]), best, first, last, round(middle, 2)))
    return found


def _packed(counts: NDArray[np.uint8]) -> str:
    return b64encode(zlib.compress(counts.tobytes(), 1)).decode()


def _unpacked(text: str, shape: tuple[int, int]) -> NDArray[np.uint8]:
    return np.frombuffer(zlib.decompress(b64decode(text)), np.uint8).reshape(shape).copy()
