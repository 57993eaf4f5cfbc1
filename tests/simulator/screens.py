"""Presentations on screens: a still on a phone, recordings of other sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.core.liveness.challenge import Challenge, Step, draw_challenge
from facerec.core.liveness.types import Progress
from tests.simulator.actor import Mover
from tests.simulator.camera import from_jpeg, linear
from tests.simulator.living import Living
from tests.simulator.objects import Panel, Sheet
from tests.simulator.people import Floats
from tests.simulator.portraits import portrait
from tests.simulator.prints import Held
from tests.simulator.rays import Pose
from tests.simulator.scene import Scene, Thing
from tests.simulator.session import Prompter, play

RECORDER_FPS = 12.0
"""Frames a second of a recording."""

ELSEWHERE = 700_000
"""Recordings were made in other rooms than the one where they are shown."""

EYES = 58.0
"""Pixels between the eyes at which an attacker holds a screen, give or take."""


@dataclass(frozen=True, slots=True)
class Device:
    """size: of the whole, metres; rim: metres round the screen; panel: the screen."""

    size: tuple[float, float]
    rim: float
    panel: Panel

    @property
    def screen(self) -> tuple[float, float]:
        return self.size[0] - 2 * self.rim, self.size[1] - 2 * self.rim

    def things(self, picture: Floats, shown: tuple[float, float], pose: Pose, later: Pose,
               t: float) -> list[Thing]:  # fmt: skip
        """The device with a picture in the middle of its screen, `shown` metres large."""
        case = np.full((8, 8, 3), 0.02, np.float32)
        near = {"distance": -0.0005}
        return [
            Sheet(case, self.size, pose),  # too even to be worth a motion blur
            Sheet(
                self._filled(picture, shown), self.screen, pose.moved(**near),
                later.moved(**near), panel=self.panel, time=t,
            ),
        ]  # fmt: skip

    def _filled(self, picture: Floats, shown: tuple[float, float]) -> Floats:
        """The picture cut to the screen, or with black beside it, so that it fills the screen."""
        high, wide = picture.shape[:2]
        w, h = round(self.screen[0] / shown[0] * wide), round(self.screen[1] / shown[1] * high)
        x, y = (wide - w) // 2, (high - h) // 2
        part = picture[max(0, y) : y + h, max(0, x) : x + w]
        left, top = max(0, -x), max(0, -y)
        right, bottom = w - left - part.shape[1], h - top - part.shape[0]
        if not (left or top or right or bottom):
            return part
        return cv2.copyMakeBorder(part, top, bottom, left, right, cv2.BORDER_CONSTANT)


def phone(rng: np.random.Generator) -> Device:
    u = rng.uniform
    flicker = (u(0.3, 1.0), u(200, 480)) if rng.random() < 0.6 else (0.0, 240.0)  # OLEDs pulse
    panel = Panel(0.0254 / u(320, 500), u(0.6, 2.2), u(0.0, 0.01), u(0.005, 0.04), flicker)
    return Device((u(0.068, 0.078), u(0.142, 0.162)), u(0.002, 0.005), panel)


def monitor(rng: np.random.Generator) -> Device:
    u = rng.uniform
    flicker = (u(0.1, 0.9), u(200, 1000)) if rng.random() < 0.3 else (0.0, 240.0)
    panel = Panel(0.0254 / u(82, 120), u(0.5, 1.8), u(0.005, 0.02), u(0.005, 0.04), flicker)
    width = u(0.48, 0.6)
    return Device((width, width * 9 / 16), u(0.008, 0.02), panel)


class StillOnPhone(Held):
    """A portrait on a phone that follows the instructions by turning, tilting and approaching."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([seed, 104])
        self.device = phone(rng)
        photo = portrait(seed).cut(rng.uniform(1.2, 1.9), 2.4)
        self._photo = photo.picture
        scale = self.device.screen[0] / photo.size[0]
        self._shown = photo.size[0] * scale, photo.size[1] * scale
        super().__init__(seed, scale)

    def things(self, t: float, later: float) -> Sequence[Thing]:
        mover = self.actor.mover
        return self.device.things(self._photo, self._shown, mover.at(t), mover.at(later), t)


class Recording:
    """Another session of this person, elsewhere, with another challenge. It is made while it is
    watched. eyes: pixels between the eyes at rest."""

    def __init__(self, seed: int, challenge: Challenge, rng: np.random.Generator) -> None:
        living = Living(seed)
        living.scene = Scene(seed + ELSEWHERE)
        living.scene.fps = RECORDER_FPS
        home, eyes = living.actor.home, living.head.points(living.head.eyes)
        left, right = living.scene.lens.project(home.place(eyes))
        self.eyes = float(np.linalg.norm(left - right))
        prompter = Prompter(challenge, rng.uniform(1.0, 1.7), rng.uniform(0.8, 1.3))
        self._coming = (sent for sent, _ in play(living, prompter))
        self._now = self._next = next(self._coming)
        self._picture = linear(from_jpeg(self._now.jpeg))

    def at(self, t: float) -> Floats:
        """The frame that is shown at t, linear; times never run backwards. The last one stays."""
        now = self._now
        while self._next.taken <= t:
            self._now = self._next
            following = next(self._coming, None)
            if following is None:
                break
            self._next = following
        if self._now is not now:
            self._picture = linear(from_jpeg(self._now.jpeg))
        return self._picture


class Replay:
    """A recording of another session, on a phone in the hand or a standing monitor.

    luck: the recording's movements are the asked ones in the asked order, as happens once in so
    many sequences; its pauses and times are its own.
    """

    def __init__(self, seed: int, on: Literal["phone", "monitor"], *, luck: bool = False) -> None:
        self.rng = np.random.default_rng([seed, 105])
        u = self.rng.uniform
        self.seed, self.luck = seed, luck
        self.scene = Scene(seed)
        self.device = phone(self.rng) if on == "phone" else monitor(self.rng)
        self._zoom = u(1.3, 2.2) if on == "phone" else u(1.0, 1.5)
        self._start = u(0.0, 1.2)
        width = self.device.screen[0] * self._zoom
        if on == "monitor":
            width = self.device.screen[1] * 4 / 3 * self._zoom
        self._shown = width, width * 3 / 4
        self._wanted = EYES * u(0.85, 1.2)
        self._sway = np.radians(u(0.4, 1.4)) if on == "phone" else 0.0
        self._recording: Recording
        self._mover: Mover

    def begin(self, challenge: Challenge) -> None:
        chance = Random(int(self.rng.integers(1 << 40)))
        other = draw_challenge(len(challenge.steps), chance)
        if self.luck:
            pairs = zip(challenge.steps, other.steps, strict=True)
            other = Challenge(tuple(Step(a.movement, b.hold) for a, b in pairs))
        else:
            while [s.movement for s in other.steps] == [s.movement for s in challenge.steps]:
                other = draw_challenge(len(challenge.steps), chance)
        self._recording = Recording(self.seed, other, self.rng)
        # The attacker holds the screen where the face has the right size.
        eyes = self._shown[0] * self._recording.eyes / 480
        self._mover = Mover(
            self._home(self.scene.lens.focal * eyes / self._wanted), self._sway, self.rng
        )

    def _home(self, distance: float) -> Pose:
        n = self.rng.normal
        return Pose(
            yaw=np.radians(n(0, 4)), pitch=np.radians(n(0, 4)), roll=np.radians(n(0, 1.5)),
            x=n(0, 0.02) * distance, y=n(0, 0.02) * distance, distance=distance,
        )  # fmt: skip

    def picture(self, t: float, told: Progress | None) -> NDArray[np.uint8]:
        frame = self._recording.at(t - self._start)
        later = self._mover.at(t + self.scene.camera.settings.shutter)
        return self.scene.picture(
            self.device.things(frame, self._shown, self._mover.at(t), later, t), t
        )
