"""The species of presentation: a living person, and what pretends to be one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.core.liveness.challenge import Challenge
from facerec.core.liveness.types import Progress
from tests.simulator.actor import Actor, Mover, Temper
from tests.simulator.camera import Camera, linear
from tests.simulator.objects import Bend, Raster, Sheet
from tests.simulator.people import UNIT, Floats, Head, head
from tests.simulator.rays import Lens, Pose
from tests.simulator.scene import Person, Scene, Thing
from tests.simulator.session import Presentation

FRONT = Pose()

PHOTO = 560, 720
PHOTO_SCALE = 1570.0
"""Pixels of a portrait, and how many show a metre of life."""

PHOTO_DISTANCE = 1.3
"""Metres from which portraits are taken."""

STUDIO = 500_000
"""Portraits are taken in other rooms than sessions."""


class Living:
    """A willing person in a room of their own."""

    def __init__(self, seed: int) -> None:
        self.scene = Scene(seed)
        self.head = head(seed)
        self.actor = Actor(seed)

    def begin(self, challenge: Challenge) -> None:
        pass

    def picture(self, t: float, told: Progress | None) -> NDArray[np.uint8]:
        self.actor.hear(t, told)
        return self.scene.picture([self.person(t)], t)

    def person(self, t: float) -> Person:
        pose, face = self.actor.at(t)
        later, _ = self.actor.at(t + self.scene.camera.settings.shutter)
        return Person(self.head, pose, later, face)


def photo(head: Head, seed: int, turned: Pose = FRONT) -> Floats:
    """A portrait of somebody by another camera, linear, life-size at PHOTO_SCALE pixels a metre.
    turned: how the head is turned in it."""
    studio = Scene(seed + STUDIO)
    studio.lens = Lens(*PHOTO, focal=PHOTO_SCALE * PHOTO_DISTANCE)
    grey = 0.1 + 0.5 * np.random.default_rng([seed, 97]).random(3, np.float32)
    studio.backdrop = np.ones((PHOTO[1], PHOTO[0], 3), np.float32) * grey
    settings = replace(studio.camera.settings, read=0.002, shot=0.004, sharpen=0.3, vignette=0.05)
    studio.camera = Camera(replace(settings, exposure=0.45), seed)
    pose = replace(turned, x=0.0, y=0.05, distance=PHOTO_DISTANCE)
    return linear(studio.picture([Person(head, pose, pose)], 0.0))


def printed(picture: Floats, seed: int) -> Floats:
    """As ink on paper: no deep black, no full white, paler colours, sometimes a white border."""
    rng = np.random.default_rng([seed, 98])
    u = rng.uniform
    grey = picture.mean(2, keepdims=True)
    picture = grey + u(0.6, 0.95) * (picture - grey)
    tint = 1 + np.array([u(-0.04, 0.05), 0, u(-0.06, 0.03)], np.float32)
    paper = (u(0.02, 0.06) + u(0.7, 0.85) * np.clip(picture * u(0.8, 1.3), 0, 1)) * tint
    if rng.random() < 0.5:
        b = int(u(8, 40))
        paper = cv2.copyMakeBorder(paper, b, b, b, b, cv2.BORDER_CONSTANT, value=(0.82,) * 3)
    return paper.astype(np.float32)


def hand(seed: int) -> Temper:
    """Somebody who follows the instructions with a sheet in the hand: it may turn far."""
    rng = np.random.default_rng([seed, 99])
    u = rng.uniform
    return Temper(
        reaction=u(0.25, 0.6),
        pace=u(0.4, 1.0),
        turn=np.radians(u(15, 45)),
        nod=np.radians(u(10, 40)),
        closer=u(0.2, 0.45),
        overshoot=max(0.0, u(-0.1, 0.15)),
        sway=np.radians(u(0.4, 1.6)),
        late=0.0,
        slip=0.0,
        gaze=0.0,
        home=Pose(
            yaw=np.radians(rng.normal(0, 3)),
            pitch=np.radians(rng.normal(0, 3)),
            roll=np.radians(rng.normal(0, 3)),
            x=rng.normal(0, 0.01),
            y=rng.normal(0.005, 0.01),
            distance=u(0.34, 0.55),
        ),
    )


class FlatPrint:
    """A printed portrait, moved by a hand that follows the instructions."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([seed, 100])
        self.scene = Scene(seed)
        self.hand = Actor(seed, hand(seed))
        self.paper = printed(cut(photo(head(seed), seed), rng), seed)
        self.scale = rng.uniform(0.75, 1.1)  # of life
        lines = rng.uniform(60, 150) / 0.0254 if rng.random() < 0.7 else None
        self.raster = Raster(lines, rng.uniform(0.2, 1.3), rng.uniform(0.4, 0.9)) if lines else None
        home = self.hand.home
        self.hand.home = replace(home, distance=home.distance * self.scale)
        self.hand.mover = Mover(self.hand.home, self.hand.temper.sway, rng)

    def begin(self, challenge: Challenge) -> None:
        pass

    def picture(self, t: float, told: Progress | None) -> NDArray[np.uint8]:
        self.hand.hear(t, told)
        later = t + self.scene.camera.settings.shutter
        return self.scene.picture(self.things(t, later), t)

    def things(self, t: float, later: float) -> list[Thing]:
        return [self.sheet(self.paper, t, later)]

    def sheet(self, paper: Floats, t: float, later: float) -> Sheet:
        size = tuple(n / PHOTO_SCALE * self.scale for n in (paper.shape[1], paper.shape[0]))
        return Sheet(
            paper, size, self.hand.mover.at(t), self.hand.mover.at(later),
            self.bend(t), self.bend(later), self.raster,
        )  # fmt: skip

    def bend(self, t: float) -> Bend:
        return Bend()


def cut(picture: Floats, rng: np.random.Generator) -> Floats:
    """A portrait cut to anything between a passport's and half length; the face in the middle."""
    height, width = picture.shape[:2]
    half = int(rng.uniform(1.25, 2.2) * UNIT * PHOTO_SCALE)
    middle = height // 2 - int(0.1 * UNIT * PHOTO_SCALE)
    tall = int(half * rng.uniform(1.15, 1.45))
    left, right = max(0, width // 2 - half), min(width, width // 2 + half)
    return picture[max(0, middle - tall) : min(height, middle + tall), left:right].copy()


SPECIES: dict[str, Callable[[int], Presentation]] = {
    "bona_fide": Living,
    "flat_print": FlatPrint,
}
