"""A pinhole camera, a turned head, and where the one's rays meet the other.

A head is a height field. Each ray is followed through it from the front to the back in even steps
and the crossing made exact by two secants: what is in front hides what is behind, as in life.
Source: Policarpo et al. 2005, Real-time relief mapping on arbitrary polygonal surfaces.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.simulator.people import BACK, CENTRE, NECK, TEXELS, UNIT, Floats, Head

cv2.setNumThreads(1)

STEPS = 26


@dataclass(frozen=True, slots=True)
class Lens:
    """A pinhole: pixels of the picture, focal length in pixels."""

    width: int
    height: int
    focal: float

    def rays(self, box: Box, pose: Pose) -> tuple[Floats, Floats, Floats]:
        """Directions through the pixels of a box, in the axes of what has this pose: three times
        (h, w). Not of unit length: a step of 1 is a metre away from the camera."""
        u = (np.arange(box.left, box.right, dtype=np.float32) + 0.5 - self.width / 2) / self.focal
        v = (np.arange(box.top, box.bottom, dtype=np.float32) + 0.5 - self.height / 2) / self.focal
        along_u, along_v, ahead = pose.matrix.astype(np.float32)
        u, v = u.astype(np.float32)[None, :], v.astype(np.float32)[:, None]
        x, y, z = (along_u[i] * u + (along_v[i] * v + ahead[i]) for i in range(3))
        return x, y, z

    def project(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        """Points before the camera (..., 3) -> pixel coordinates (..., 2), centres at .5."""
        xy = points[..., :2] / points[..., 2:3]
        return xy * self.focal + np.array([self.width / 2, self.height / 2], xy.dtype)


class Box(NamedTuple):
    """Pixels of a picture: left and top within, right and bottom without."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def empty(self) -> bool:
        return self.right <= self.left or self.bottom <= self.top

    @classmethod
    def around(cls, points: NDArray[np.floating], lens: Lens, margin: int = 2) -> Self:
        low = np.floor(points.min(0)).astype(int) - margin
        high = np.ceil(points.max(0)).astype(int) + margin
        return cls(
            int(np.clip(low[0], 0, lens.width)),
            int(np.clip(low[1], 0, lens.height)),
            int(np.clip(high[0], 0, lens.width)),
            int(np.clip(high[1], 0, lens.height)),
        )


@dataclass(frozen=True, slots=True)
class Pose:
    """Where something is and how it is turned.

    yaw > 0 looks to the picture's right (the person's own left), pitch > 0 down, roll > 0 leans
    clockwise in the picture; radians. x, y, distance: metres from the camera to the joint that it
    turns about (a head's neck, a sheet's middle).
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    x: float = 0.0
    y: float = 0.0
    distance: float = 0.5

    @property
    def position(self) -> NDArray[np.float64]:
        return np.array([self.x, self.y, self.distance])

    def moved(self, **changes: float) -> Pose:
        """This pose with these amounts added."""
        return replace(self, **{name: getattr(self, name) + v for name, v in changes.items()})

    def between(self, other: Pose, share: float) -> Pose:
        return Pose(
            *(
                getattr(self, n) + share * (getattr(other, n) - getattr(self, n))
                for n in Pose.__slots__
            )
        )

    @property
    def matrix(self) -> NDArray[np.float64]:
        """From own axes (x right, y down, z towards the viewer) to the camera's (z away)."""
        cy, sy = np.cos(self.yaw), np.sin(self.yaw)
        cp, sp = np.cos(self.pitch), np.sin(self.pitch)
        cr, sr = np.cos(self.roll), np.sin(self.roll)
        yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        pitch = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
        roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        return np.diag([1.0, 1.0, -1.0]) @ roll @ yaw @ pitch

    def place(
        self, points: NDArray[np.floating], unit: float = UNIT, joint: tuple[float, ...] = NECK
    ) -> NDArray[np.floating]:
        """Own points (..., 3), in units -> before the camera, in metres."""
        own = (points - np.asarray(joint, points.dtype)) * points.dtype.type(unit)
        return own @ self.matrix.T.astype(points.dtype) + self.position.astype(points.dtype)


class Hits(NamedTuple):
    """What the rays of a box met: where, in the head's units (h, w, 3); whether, (h, w)."""

    box: Box
    points: Floats
    hit: NDArray[np.bool_]


def _corners(head: Head) -> Floats:
    """The box that holds a head, in its units."""
    solid = head.height > BACK
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    xs = (np.array([columns[0], columns[-1]]) - CENTRE[0]) / TEXELS
    ys = (np.array([rows[0], rows[-1]]) - CENTRE[1]) / TEXELS
    zs = np.array([BACK, head.height.max()])
    return np.array(np.meshgrid(xs, ys, zs), np.float32).reshape(3, -1).T


def meet(head: Head, pose: Pose, lens: Lens, steps: int = STEPS) -> Hits:
    """Where the camera's rays meet the head."""
    box = Box.around(lens.project(pose.place(_corners(head))), lens)
    if box.empty:
        return Hits(box, np.zeros((0, 0, 3), np.float32), np.zeros((0, 0), bool))
    matrix = pose.matrix
    eye = (np.array(NECK) - matrix.T @ pose.position / UNIT).astype(np.float32)
    dx, dy, dz = lens.rays(box, pose)
    slope = cv2.merge([dx / dz, dy / dz])  # units across for each unit deep
    texel = slope * np.float32(TEXELS)
    start = (eye[:2] - slope * eye[2]) * TEXELS + np.array(CENTRE, np.float32)

    top = float(head.height.max()) + 0.01
    depths = np.linspace(top, BACK, steps, dtype=np.float32)
    shape = slope.shape[:2]
    near, far = np.full(shape, top, np.float32), np.full(shape, BACK, np.float32)
    above, below = np.full(shape, 1.0, np.float32), np.full(shape, -1.0, np.float32)
    hit = np.zeros(shape, bool)
    above_there = depths[0] - _heights(head, start, texel, depths[0])
    for previous, z in pairwise(depths):
        gap = z - _heights(head, start, texel, z)
        new = (gap <= 0) & ~hit
        near[new], far[new] = previous, z
        above[new], below[new] = above_there[new], gap[new]
        hit |= new
        above_there = gap
    z = near
    for _ in range(3):  # regula falsi
        z = near + (far - near) * (above / np.maximum(above - below, 1e-6))
        gap = z - _heights(head, start, texel, z)
        front = gap > 0
        near, above = np.where(front, z, near), np.where(front, gap, above)
        far, below = np.where(front, far, z), np.where(front, below, gap)
    xy = slope * (z - eye[2])[..., None] + eye[:2]
    return Hits(box, np.dstack([xy, z]), hit)


def _heights(head: Head, start: Floats, texel: Floats, z: Floats | np.float32) -> Floats:
    depth = z[..., None] if isinstance(z, np.ndarray) and z.ndim else z
    at = start + texel * depth
    return cv2.remap(
        head.height,
        at,
        None,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=2 * BACK,
    )


def texels(points: Floats) -> Floats:
    """A head's units (h, w, 3) -> coordinates for cv2.remap on its textures (h, w, 2)."""
    return points[..., :2] * np.float32(TEXELS) + np.array(CENTRE, np.float32)
