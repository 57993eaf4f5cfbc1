"""Photos of the simulated people by another camera, and the same as ink on paper."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.simulator.camera import Camera, linear
from tests.simulator.people import UNIT, Floats, Head, head
from tests.simulator.rays import Lens, Pose
from tests.simulator.scene import Person, Scene

PHOTO = 560, 720
PHOTO_SCALE = 1570.0
"""Pixels of a portrait, and how many show a metre of life."""

PHOTO_DISTANCE = 1.3
"""Metres from which portraits are taken."""

STUDIO = 500_000
"""Portraits are taken in other rooms than sessions."""

TRIAL, FACE_LIGHT = 0.45, 0.28
"""The exposure of a first shot, and what a face's mean linear light is to be in the second."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """A photo of somebody, life-size at PHOTO_SCALE pixels a metre: linear (H, W, 3), and where in
    it both eyes and the mouth are, pixels (3, 2)."""

    picture: Floats
    marks: NDArray[np.floating]

    @property
    def size(self) -> tuple[float, float]:
        high, wide = self.picture.shape[:2]
        return wide / PHOTO_SCALE, high / PHOTO_SCALE

    def place(self, mark: NDArray[np.floating]) -> NDArray[np.floating]:
        """A pixel -> metres from the middle of the print."""
        high, wide = self.picture.shape[:2]
        return (mark - np.array([wide / 2, high / 2])) / PHOTO_SCALE

    def cut(self, half: float, tall: float) -> Portrait:
        """Cut to so many units on each side of the face's middle, as far as there is picture."""
        high, wide = self.picture.shape[:2]
        x, y = self.marks[:2].mean(0) + np.array([0, 0.35 * UNIT * PHOTO_SCALE])
        dx, dy = half * UNIT * PHOTO_SCALE, tall * UNIT * PHOTO_SCALE
        left, right = max(0, int(x - dx)), min(wide, int(x + dx))
        top, bottom = max(0, int(y - dy)), min(high, int(y + dy))
        return Portrait(self.picture[top:bottom, left:right].copy(), self.marks - [left, top])

    def printed(self, rng: np.random.Generator, border: int) -> Portrait:
        """As ink on paper: no deep black, no full white, paler colours, a white border."""
        u = rng.uniform
        grey = self.picture.mean(2, keepdims=True)
        picture = grey + u(0.6, 0.95) * (self.picture - grey)
        tint = 1 + np.array([u(-0.04, 0.05), 0, u(-0.06, 0.03)], np.float32)
        paper = (u(0.02, 0.06) + u(0.7, 0.85) * np.clip(picture * u(0.8, 1.3), 0, 1)) * tint
        edges = (border, border, border, border)
        paper = cv2.copyMakeBorder(paper, *edges, cv2.BORDER_CONSTANT, value=(0.82, 0.82, 0.82))
        return Portrait(paper.astype(np.float32), self.marks + border)


def photograph(someone: Head, seed: int, turned: Pose | None = None) -> Portrait:
    """A portrait of somebody by another camera. turned: how the head is turned in it."""
    studio = Scene(seed + STUDIO)
    studio.lens = Lens(*PHOTO, focal=PHOTO_SCALE * PHOTO_DISTANCE)
    grey = 0.1 + 0.5 * np.random.default_rng([seed, 97]).random(3, np.float32)
    studio.backdrop = np.ones((PHOTO[1], PHOTO[0], 3), np.float32) * grey
    settings = replace(studio.camera.settings, read=0.002, shot=0.004, sharpen=0.3, vignette=0.05)
    pose = replace(turned or Pose(), x=0.0, y=0.05, distance=PHOTO_DISTANCE)
    marks = studio.lens.project(pose.place(someone.points([*someone.eyes, someone.mouth[:2]])))

    def shot(exposure: float) -> Floats:
        studio.camera = Camera(replace(settings, exposure=exposure), seed)
        return linear(studio.picture([Person(someone, pose, pose)], 0.0))

    # Exposed for the face: whoever attacks takes a photo that shows it well.
    (left, top), (right, bottom) = marks.min(0).astype(int), marks.max(0).astype(int)
    face = float(shot(TRIAL)[top:bottom, left:right].mean())
    return Portrait(shot(min(0.95, TRIAL * (FACE_LIGHT / face) ** (1 / 2.2))), marks)


def portrait(seed: int) -> Portrait:
    """This seed's person from the front."""
    return _from_the_front(head(seed), seed)


@lru_cache(maxsize=4)
def _from_the_front(someone: Head, seed: int) -> Portrait:
    return photograph(someone, seed)
