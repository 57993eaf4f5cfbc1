"""Presentations of paper: flat, bent, cut out, exchanged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from facerec.core.liveness.challenge import Challenge
from facerec.core.liveness.types import Movement, Phase, Progress
from tests.simulator.actor import Actor, Mover, Temper, willing
from tests.simulator.objects import Bend, Raster, Sheet
from tests.simulator.people import UNIT, Floats, Head, head
from tests.simulator.portraits import PHOTO_SCALE, Portrait, photograph, portrait
from tests.simulator.rays import Pose
from tests.simulator.scene import Person, Scene, Thing

OTHERS = 24
"""How far on in the cast an attacker is from the person whom they pretend to be."""


def hand(rng: np.random.Generator) -> Temper:
    """Somebody who follows the instructions with a sheet in the hand: it may turn far."""
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
            y=rng.normal(0.0, 0.01),
            distance=u(0.34, 0.55),
        ),
    )


class Held:
    """Something that a hand holds before the camera and moves as it is told.

    scale: of life; what is small is held nearer, so that it looks as large.
    """

    def __init__(self, seed: int, scale: float) -> None:
        self.rng = np.random.default_rng([seed, 100])
        self.scene = Scene(seed)
        self.scale = scale
        temper = hand(self.rng)
        home = replace(temper.home, distance=temper.home.distance * scale)
        self.actor = Actor(seed, replace(temper, home=home))

    def begin(self, challenge: Challenge) -> None:
        pass

    def picture(self, t: float, told: Progress | None) -> NDArray[np.uint8]:
        self.actor.hear(t, told)
        self.hear(t, told)
        return self.scene.picture(self.things(t, t + self.scene.camera.settings.shutter), t)

    def hear(self, t: float, told: Progress | None) -> None:
        """What else somebody does who reads the page."""

    def things(self, t: float, later: float) -> Sequence[Thing]:
        raise NotImplementedError


class FlatPrint(Held):
    """A printed portrait, moved by a hand that follows the instructions."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, np.random.default_rng([seed, 101]).uniform(0.7, 1.1))
        u = self.rng.uniform
        self._half, self._border = u(1.3, 2.4), int(u(8, 40)) if self.rng.random() < 0.5 else 0
        self._ink = int(self.rng.integers(1 << 30))
        self.paper = self.print_of(portrait(seed))
        # Between newsprint and a photo printer; some printers leave no raster.
        self.raster = (
            Raster(u(60, 150) / 0.0254, u(0.2, 1.3), u(0.4, 0.9))
            if self.rng.random() < 0.7
            else None
        )

    def print_of(self, photo: Portrait) -> Portrait:
        photo = photo.cut(self._half, self._half * 1.3)
        return photo.printed(np.random.default_rng(self._ink), self._border)

    def things(self, t: float, later: float) -> Sequence[Thing]:
        return [self.sheet(self.paper, t, later)]

    def sheet(self, paper: Portrait, t: float, later: float) -> Sheet:
        size = paper.size[0] * self.scale, paper.size[1] * self.scale
        mover = self.actor.mover
        return Sheet(
            paper.picture, size, mover.at(t), mover.at(later),
            self.bend(t), self.bend(later), self.raster,
        )  # fmt: skip

    def bend(self, t: float) -> Bend:
        return Bend()


class BentPrint(FlatPrint):
    """Bent about an upright or slanted axis; it stays so, or bends in step with the turn."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        u = self.rng.uniform
        # Bending a small print as far as a large one needs a smaller radius.
        curvature = 1 / (u(0.08, 0.3) * max(self.scale, 0.85))
        self._rest, self._step = curvature, 0.0
        if self.rng.random() < 0.5:
            self._rest, self._step = u(-0.2, 0.5) * curvature, u(0.5, 1.0) * curvature
        self._axis = np.radians(self.rng.normal(0, 14))

    def bend(self, t: float) -> Bend:
        home, pose = self.actor.home, self.actor.mover.at(t)
        moved = np.hypot(pose.yaw - home.yaw, pose.pitch - home.pitch)
        share = min(moved / self.actor.temper.turn, 1.0)
        return Bend(self._rest + self._step * share, self._axis)


class CutOut:
    """A life-size print with holes for the eyes, often for the mouth, before a living face that
    does what is asked. The paper is held flat or lies round the face."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([seed, 102])
        u = rng.uniform
        self.scene = Scene(seed)
        self.wearer = head(seed + OTHERS)
        self.actor = Actor(seed, willing(seed), self.wearer)
        photo = portrait(seed).cut(u(1.2, 1.7), u(1.6, 2.1))
        self.paper = photo.printed(rng, 0)
        self.bend = Bend(1 / u(0.09, 0.2) if rng.random() < 0.6 else 0.0, 0.0)
        eyes = self.wearer.points(self.wearer.eyes)
        self.scale = float(
            np.linalg.norm(eyes[0] - eyes[1])
            * UNIT
            * PHOTO_SCALE
            / np.linalg.norm(self.paper.marks[0] - self.paper.marks[1])
        )
        self.texture = self._holed(head(seed), mouth=rng.random() < 0.5)
        # The paper's middle in the wearer's units: printed eyes over living ones.
        shift = -self.paper.place(self.paper.marks[:2].mean(0)) * self.scale / UNIT
        front = 0.75 if self.bend.curvature else 1.25
        middle = eyes.mean(0) + np.array([shift[0], shift[1], 0])
        self.middle = np.array([middle[0], middle[1], front + 0.15], np.float32)

    def begin(self, challenge: Challenge) -> None:
        pass

    def picture(self, t: float, told: Progress | None) -> NDArray[np.uint8]:
        self.actor.hear(t, told)
        pose, face = self.actor.at(t)
        later, _ = self.actor.at(t + self.scene.camera.settings.shutter)
        size = self.paper.size[0] * self.scale, self.paper.size[1] * self.scale
        mask = Sheet(self.texture, size, self._worn(pose), self._worn(later), self.bend, self.bend)
        return self.scene.picture([Person(self.wearer, pose, later, face), mask], t)

    def _worn(self, pose: Pose) -> Pose:
        x, y, distance = (float(v) for v in pose.place(self.middle))
        return replace(pose, x=x, y=y, distance=distance)

    def _holed(self, someone: Head, mouth: bool) -> Floats:
        high, wide = self.paper.picture.shape[:2]
        y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
        open_ = np.zeros((high, wide), np.float32)
        texel = UNIT * PHOTO_SCALE / 120  # pixels of the print to one of the head's texture
        holes = [(m, someone.eye[0] * 1.15, someone.eye[1] * 1.7) for m in self.paper.marks[:2]]
        if mouth:
            holes.append((self.paper.marks[2], someone.mouth[2] * 1.1, 0.16 * 120))
        for (cx, cy), w, h in holes:
            r = ((x - cx) / (w * texel)) ** 2 + ((y - cy) / (h * texel)) ** 2
            open_ = np.maximum(open_, np.clip((1 - r) * 4, 0, 1))
        return np.dstack([self.paper.picture, 1 - open_])


TURNED = {
    Movement.TURN_LEFT: Pose(yaw=1.0),
    Movement.TURN_RIGHT: Pose(yaw=-1.0),
    Movement.LOOK_UP: Pose(pitch=-0.8),
    Movement.LOOK_DOWN: Pose(pitch=0.8),
}
"""How the head is turned in the photo that is shown when this is asked, times the angle."""


@dataclass
class Slide:
    """A sheet that is pulled aside and pushed back. seconds: for either; way: metres."""

    seconds: float
    way: tuple[float, float]
    _since: float = -9.0
    _away: bool = False

    def pull(self, t: float) -> None:
        if not self._away:
            self._since, self._away = t, True

    def push(self, t: float) -> None:
        if self._away:
            self._since, self._away = t, False

    def at(self, t: float) -> float:
        """0 in place to 1 away."""
        share = float(np.clip((t - self._since) / self.seconds, 0, 1))
        return share if self._away else 1 - share

    def moved(self, pose: Pose, t: float) -> Pose:
        share = self.at(t)
        return pose.moved(x=self.way[0] * share, y=self.way[1] * share)


class SwappedPrints(FlatPrint):
    """Two prints: the front one is pulled away when a movement is asked and shows one of the head
    really turned; then it is pushed back. Coming closer is done with both."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        u = self.rng.uniform
        angle = np.radians(u(18, 32))
        self._turned = {
            movement: self.print_of(
                photograph(head(seed), seed, Pose(pose.yaw * angle, pose.pitch * angle))
            )
            for movement, pose in TURNED.items()
        }
        self._behind = Movement.TURN_LEFT
        side = self.rng.integers(3)
        way = self.paper.size[0] * self.scale * 1.3, self.paper.size[1] * self.scale * 1.3
        self._slide = Slide(u(0.1, 0.6), ((0.0, way[1]), (way[0], 0.0), (-way[0], 0.0))[int(side)])
        self._asked: tuple[Phase, int] | None = None
        self._due: tuple[float, bool] | None = None
        # The hand only brings the prints closer; it turns nothing.
        self.actor.temper = replace(self.actor.temper, turn=0.02, nod=0.02)

    def hear(self, t: float, told: Progress | None) -> None:
        if told is not None and (told.phase, told.done) != self._asked:
            self._asked = told.phase, told.done
            movement = told.movement if told.phase is Phase.MOVE else None
            if movement in self._turned:
                self._behind = movement
            self._due = t + self.actor.temper.reaction, movement in self._turned
        if self._due is not None and t >= self._due[0]:
            (self._slide.pull if self._due[1] else self._slide.push)(self._due[0])
            self._due = None

    def things(self, t: float, later: float) -> Sequence[Thing]:
        behind = self.sheet(self._turned[self._behind], t, later)
        front = self.sheet(self.paper, t, later)
        front = replace(
            front,
            pose=self._slide.moved(front.pose, t).moved(distance=-0.003),
            later=self._slide.moved(front.later or front.pose, later).moved(distance=-0.003),
        )
        return [front] if self._slide.at(t) == 0 else [behind, front]


class SwappedPerson:
    """A living person does the movements; whenever the face is frontal, a print of somebody else
    is held before theirs. With some only in the first or the last of these phases."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([seed, 103])
        u = rng.uniform
        self.scene = Scene(seed)
        self.someone = head(seed + OTHERS)
        temper = willing(seed)
        # Somebody who holds a print before the face waits until it is gone.
        self.delay = u(0.05, 0.2)
        self.actor = Actor(seed, replace(temper, slip=0.0, late=0.0), self.someone)
        self.when = ("always", "always", "first", "last")[int(rng.integers(4))]
        photo = portrait(seed).cut(u(1.4, 2.0), u(1.8, 2.4))
        self.paper = photo.printed(rng, 0)
        self.ahead = u(0.08, 0.14)  # metres from the neck's joint to the print
        way = 0.35 if rng.random() < 0.5 else -0.35
        self._slide = Slide(u(0.1, 0.4), (0.0, 0.4) if rng.random() < 0.5 else (way, 0.0))
        if self.when == "last":
            self._slide.pull(-9.0)  # long ago
        self._asked: tuple[Phase, int] | None = None
        self._due: tuple[float, bool] | None = None
        self._mover = Mover(Pose(), 0.01, rng)

    def begin(self, challenge: Challenge) -> None:
        pass

    def picture(self, t: float, told: Progress | None) -> NDArray[np.uint8]:
        self.actor.hear(t, told)
        self._hear(t, told)
        shutter = self.scene.camera.settings.shutter
        pose, face = self.actor.at(t)
        later, _ = self.actor.at(t + shutter)
        things: list[Thing] = [Person(self.someone, pose, later, face)]
        if self._slide.at(t) < 1 or self._slide.at(t + shutter) < 1:
            things.append(Sheet(self.paper.picture, self.paper.size, self._held(t),
                                self._held(t + shutter)))  # fmt: skip
        return self.scene.picture(things, t)

    def _hear(self, t: float, told: Progress | None) -> None:
        if told is not None and (told.phase, told.done) != self._asked:
            self._asked = told.phase, told.done
            frontal = told.phase in (Phase.FIND, Phase.HOLD)
            cover = frontal and (
                self.when == "always"
                or (self.when == "first" and told.done == 0)
                or (self.when == "last" and told.done >= told.steps - 1)
            )
            self._due = t + self.delay, not cover
        if self._due is not None and t >= self._due[0]:
            (self._slide.pull if self._due[1] else self._slide.push)(self._due[0])
            self._due = None

    def _held(self, t: float) -> Pose:
        home, sway = self.actor.home, self._mover.at(t)
        # Its eyes where the living ones are.
        eyes = self.paper.place(self.paper.marks[:2].mean(0))
        x, y, _ = home.place(self.someone.points(self.someone.eyes).mean(0))
        pose = Pose(sway.yaw, sway.pitch, sway.roll, x - eyes[0], y - eyes[1],
                    home.distance - self.ahead)  # fmt: skip
        return self._slide.moved(pose, t)
