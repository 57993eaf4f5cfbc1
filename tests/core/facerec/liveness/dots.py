"""A face of dots: a small world that renders in a millisecond and whose every point is known.

It has no skin and no light; those are the simulator's. What is rendered is tracked, fitted and
judged by the real modules; only the eyes are given, as nothing in it looks like a face to a
detector.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.core.alignment import AlignedFace
from facerec.core.liveness.challenge import Challenge, Step
from facerec.core.liveness.judge import LivenessJudge
from facerec.core.liveness.types import Frame, Movement, Phase, Progress
from facerec.core.types import Box, DetectedFace, Encoding

WIDTH, HEIGHT = 480, 360
FOCAL = 400.0
FPS = 10.0

Floats = NDArray[np.float64]


def head(x: Floats, y: Floats) -> Floats:
    """A head's depth in eye distances: a ball with a cone for a nose."""
    ball = np.sqrt(np.maximum(0, 1.4**2 - x**2 - (0.7 * (y - 0.4)) ** 2))
    nose = np.maximum(0, 0.4 - np.hypot(1.6 * x, 0.8 * (y - 0.6)))
    return np.asarray(ball + nose)


def flat(x: Floats, y: Floats) -> Floats:
    return np.full_like(x, 1.2)


def bent(x: Floats, y: Floats) -> Floats:
    """A sheet around a cylinder of three eye distances' radius: a mug."""
    return np.asarray(np.sqrt(9 - x**2) - 1.8)


@dataclass(frozen=True)
class Place:
    """Where a face is: degrees to the person's left, down and clockwise, eye distances to the
    camera, and pixels from the picture's middle."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    distance: float = 7.0
    x: float = 0.0
    y: float = -25.0


@dataclass
class Dots:
    """One face. person: whom an encoder would take it for."""

    depth: Callable[[Floats, Floats], Floats] = head
    person: int = 0
    seed: int = 0
    _points: Floats = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        x, y = rng.uniform([[-1.3], [-0.9]], [[1.3], [1.9]], (2, 260))
        self._points = np.stack([x, y, self.depth(x, y)], axis=1)
        self._size = rng.uniform(0.02, 0.06, 260)
        self._tone = rng.integers(0, 256, 260)
        lx, ly = np.array([0.7, 0.3, -0.7, -0.3, 0.0]), np.array([0.0, 0.0, 0.0, 0.0, 0.78])
        self._landmarks = np.stack([lx, ly, self.depth(lx, ly)], axis=1)

    def pixels(self, points: Floats, place: Place) -> tuple[Floats, Floats]:
        """Points of the face (N, 3) -> where they are seen (N, 2), and pixels per unit (N,)."""
        yaw, pitch, roll = np.radians((place.yaw, place.pitch, place.roll))
        x, y, z = points.T
        x, z = x * np.cos(yaw) + z * np.sin(yaw), z * np.cos(yaw) - x * np.sin(yaw)
        y, z = y * np.cos(pitch) + z * np.sin(pitch), z * np.cos(pitch) - y * np.sin(pitch)
        x, y = x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll)
        zoom = FOCAL / (place.distance - z)
        seen = np.stack([x * zoom + WIDTH / 2 + place.x, y * zoom + HEIGHT / 2 + place.y], axis=1)
        return seen, zoom

    def landmarks(self, place: Place) -> Floats:
        return self.pixels(self._landmarks, place)[0]

    def draw(self, place: Place) -> NDArray[np.uint8]:
        image = np.full((HEIGHT, WIDTH), 120, np.uint8)
        seen, zoom = self.pixels(self._points, place)
        for (x, y), size, tone in zip(seen * 16, self._size * zoom * 16, self._tone, strict=True):
            centre = round(float(x)), round(float(y))
            cv2.circle(image, centre, round(float(size)), int(tone), -1, cv2.LINE_AA, 4)
        return np.asarray(np.repeat(cv2.GaussianBlur(image, (3, 3), 0.7)[..., None], 3, axis=2))


class GivenEyes:
    """Knows what is in the picture: whoever draws says so before the judge looks."""

    def __init__(self) -> None:
        self.faces_there: list[tuple[Dots, Place]] = []
        rng = np.random.default_rng(5)
        self._chip = cv2.resize(
            rng.integers(60, 200, (50, 50, 3), dtype=np.uint8), (150, 150), interpolation=0
        )
        self._people = rng.normal(size=(9, 128)).astype(np.float32)
        self._people /= np.linalg.norm(self._people, axis=1, keepdims=True)

    def faces(self, image: NDArray[np.uint8], near: Box | None = None) -> list[AlignedFace]:
        found = [self._face(dots, place) for dots, place in self.faces_there]
        return found[:1] if near is not None else found

    def encode(self, chips: NDArray[np.uint8]) -> Encoding:
        return self._people[chips[:, 0, 0, 0]]

    def _face(self, dots: Dots, place: Place) -> AlignedFace:
        a, b, c, d, e = ((float(x), float(y)) for x, y in np.round(dots.landmarks(place)))
        eyes = FOCAL / (place.distance - 1.2)
        x, y = (np.array(a) + np.array(c)) / 2
        box = Box(round(x - 1.2 * eyes), round(y - 0.7 * eyes), *[round(2.4 * eyes)] * 2)
        chip = self._chip.copy()
        chip[0, 0, 0] = dots.person
        return AlignedFace(DetectedFace(box, (a, b, c, d, e), 1.0), chip)


DONE = {
    Movement.TURN_LEFT: Place(yaw=24),
    Movement.TURN_RIGHT: Place(yaw=-24),
    Movement.LOOK_UP: Place(pitch=-17),
    Movement.LOOK_DOWN: Place(pitch=17),
    Movement.COME_CLOSER: Place(distance=5.6),
}


class Obedient:
    """Does what is asked, a quarter of a second later and within half a second. Tests override
    `wish` (what to do) or `look` (what is there to see)."""

    reaction = 0.25
    pace = 0.5

    def __init__(self, dots: Dots | None = None) -> None:
        self.dots = dots or Dots()
        self.place = self.goal = self.home = Place()
        self._pending: list[tuple[float, Place]] = []
        self._told: tuple[Phase, Movement | None] | None = None
        self._from, self._begun = self.place, 0.0

    def wish(self, told: Progress) -> Place:
        return self.home if told.movement is None else DONE[told.movement]

    def hear(self, now: float, told: Progress) -> None:
        if (told.phase, told.movement) != self._told:
            self._told = told.phase, told.movement
            self._pending.append((now + self.reaction, self.wish(told)))

    def at(self, now: float) -> Place:
        while self._pending and self._pending[0][0] <= now:
            begun, goal = self._pending.pop(0)
            self._from, self.goal, self._begun = self.at_goal(begun), goal, begun
        return self.at_goal(now)

    def at_goal(self, now: float) -> Place:
        s = min(1.0, max(0.0, (now - self._begun) / self.pace))
        s = s * s * (3 - 2 * s)
        a, b = self._from, self.goal
        names = ("yaw", "pitch", "roll", "distance", "x", "y")
        return replace(a, **{n: getattr(a, n) * (1 - s) + getattr(b, n) * s for n in names})

    def look(self, now: float, told: Progress | None) -> list[tuple[Dots, Place]]:
        """What the camera sees: faces, the first before the others."""
        return [(self.dots, self.at(now))]


def steps(*movements: Movement, hold: float = 0.3) -> Challenge:
    return Challenge(tuple(Step(movement, hold) for movement in movements))


@dataclass
class Session:
    """A closed loop between somebody and a judge."""

    who: Obedient
    judge: LivenessJudge
    eyes: GivenEyes
    now: float = 0.0
    told: Progress | None = None
    frames: list[Frame] = field(default_factory=list)

    def times(self, now: float) -> tuple[float, float]:
        """When the browser says that a frame was taken, and when it arrives."""
        return 1000 + now, now + 0.03

    def step(self) -> Progress:
        """One frame."""
        if self.told is not None:
            self.who.hear(self.now, self.told)
        seen = self.who.look(self.now, self.told)
        self.eyes.faces_there = seen
        image = seen[0][0].draw(seen[0][1]) if seen else np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
        taken, arrived = self.times(self.now)
        frame = Frame(image, taken, arrived, arrived + 0.02)
        self.frames.append(frame)
        self.told = self.judge.see(frame)
        self.now += 1 / FPS
        return self.told

    def until(self, phase: Phase = Phase.DONE, seconds: float = 40) -> Progress:
        """Frames until that phase or the verdict. Raises AssertionError if it does not come."""
        end = self.now + seconds
        while self.now < end:
            told = self.step()
            if told.phase in (phase, Phase.DONE):
                return told
        raise AssertionError(f"no {phase} within {seconds} s: {self.told}")


def session(challenge: Challenge, who: Obedient | None = None, **options: object) -> Session:
    eyes = GivenEyes()
    return Session(who or Obedient(), LivenessJudge(challenge, eyes, **options), eyes)  # type: ignore[arg-type]
