"""A willing person before the camera, who does what the page asks, in a person's way."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from facerec.core.liveness.types import Hint, Movement, Phase, Progress
from tests.simulator.people import TEXELS, Head
from tests.simulator.rays import Pose
from tests.simulator.scene import Face

NEAREST, FARTHEST = 0.27, 0.9
"""Metres from the camera to the neck's joint that a person keeps to. Who holds something small
starts nearer, and may come as near as 0.6 of that."""

TRY_HARDER = 1.5
"""Seconds after which somebody whose movement was not enough goes further."""


@dataclass(frozen=True, slots=True)
class Temper:
    """How somebody moves.

    reaction, pace: seconds until and for a movement. turn, nod: radians. closer: share of the
    distance. overshoot: share of a movement. sway: radians, and tenths of a metre, of unrest.
    late, slip: chance that a movement begins late, or in the wrong direction. gaze: share of a
    turn that the eyes make good by staying on the screen. home: the pose at rest.
    """

    reaction: float
    pace: float
    turn: float
    nod: float
    closer: float
    overshoot: float
    sway: float
    late: float
    slip: float
    gaze: float
    home: Pose


def willing(seed: int) -> Temper:
    """Somebody who wants to pass. Some are slow, some move little, some sit far off."""
    rng = np.random.default_rng([seed, 94])
    u = rng.uniform
    return Temper(
        reaction=u(0.25, 0.6) + (u(0.1, 0.3) if rng.random() < 0.15 else 0),
        pace=u(0.35, 0.8) + (u(0.2, 0.5) if rng.random() < 0.1 else 0),
        turn=np.radians(12 + 23 * rng.beta(2.4, 1.8)),
        nod=np.radians(10 + 15 * rng.beta(2.2, 1.8)),
        closer=u(0.2, 0.45),
        overshoot=max(0.0, u(-0.1, 0.2)),
        sway=np.radians(u(0.15, 0.8)),
        late=0.05,
        slip=0.03,
        gaze=u(0.2, 0.9),
        home=Pose(
            yaw=np.radians(rng.normal(0, 2.5)),
            pitch=np.radians(u(-3, 9)),  # the camera stands above the screen
            roll=np.radians(rng.normal(0, 2.5)),
            x=rng.normal(0, 0.012),
            y=u(0.02, 0.07),
            distance=u(0.4, 0.66),
        ),
    )


class Mover:
    """Something that is moved from pose to pose, smoothly: keyframes with least jerk between.
    Source: Flash and Hogan 1985, The coordination of arm movements."""

    def __init__(self, home: Pose, sway: float, rng: np.random.Generator) -> None:
        self._keys: list[tuple[float, Pose]] = [(-1.0, home)]
        self._sway = sway
        self._waves = rng.uniform([0.15, 0], [1.1, 6.28], (6, 3, 2))

    def planned(self, t: float) -> Pose:
        """The pose at t, without the unrest."""
        after = next((i for i, (at, _) in enumerate(self._keys) if at > t), None)
        if after is None:
            return self._keys[-1][1]
        if after == 0:
            return self._keys[0][1]
        (t0, a), (t1, b) = self._keys[after - 1], self._keys[after]
        s = (t - t0) / (t1 - t0)
        return a.between(b, s**3 * (10 - 15 * s + 6 * s * s))

    def at(self, t: float) -> Pose:
        w = self._sway * np.sin(6.28 * self._waves[..., 0] * t + self._waves[..., 1]).sum(1) / 2
        return self.planned(t).moved(
            yaw=w[0], pitch=0.7 * w[1], roll=0.5 * w[2],
            x=0.1 * w[3], y=0.07 * w[4], distance=0.15 * w[5],
        )  # fmt: skip

    def go(self, start: float, *stations: tuple[float, Pose]) -> None:
        """From wherever it will be at `start`, to these poses, each in so many seconds."""
        keys = [(at, pose) for at, pose in self._keys if at < start]
        keys.append((start, self.planned(start)))
        for seconds, pose in stations:
            keys.append((keys[-1][0] + seconds, pose))
        self._keys = keys[-8:]

    @property
    def busy_until(self) -> float:
        return self._keys[-1][0]


class Actor:
    """Does what the page asks. `hear` what it shows; `at` any time after that says where the head
    is and what the face does."""

    def __init__(self, seed: int, temper: Temper | None = None, head: Head | None = None) -> None:
        self._rng = np.random.default_rng([seed, 95])
        self.temper = temper or willing(seed)
        self.home = self.temper.home
        self.mover = Mover(self.home, self.temper.sway, self._rng)
        self._head = head
        self._asked: tuple[Phase, int, Movement | None] | None = None
        self._since = 0.0
        self._hinted = -9.0
        self._effort = 1.0
        self._blinks = np.cumsum(self._rng.uniform(1.5, 6, 30))
        self._mouth = self._rng.uniform(0.5, 2.5)

    def hear(self, t: float, told: Progress | None) -> None:
        """What the page shows at t; times never run backwards."""
        if told is None or told.phase is Phase.DONE:
            return
        asked = told.phase, told.done, told.movement
        if asked != self._asked:
            self._asked, self._since, self._effort = asked, t, 1.0
            if told.phase is Phase.MOVE and told.movement is not None:
                self._move(t, told.movement)
            else:
                self._rest(t)
        elif told.phase is Phase.MOVE and told.movement is not None:
            if t > self.mover.busy_until + TRY_HARDER and self._effort < 1.7:
                self._effort *= 1.35
                self.mover.go(t + 0.1, (self.temper.pace, self.target(told.movement)))
        elif told.phase is Phase.FIND and told.hint is not None and t > self._hinted + 1.2:
            self._hinted = t
            self._follow(t, told.hint)

    def target(self, movement: Movement) -> Pose:
        """The pose that somebody takes who is asked for this movement."""
        k, s = self.temper, self._effort * self._rng.uniform(0.88, 1.12)
        turn, nod = min(k.turn * s, 0.8), min(k.nod * s, 0.6)
        home = self.home
        match movement:
            case Movement.TURN_LEFT:
                return home.moved(yaw=turn, roll=0.1 * turn, x=0.02 * turn, pitch=0.05 * turn)
            case Movement.TURN_RIGHT:
                return home.moved(yaw=-turn, roll=-0.1 * turn, x=-0.02 * turn, pitch=0.05 * turn)
            case Movement.LOOK_UP:
                return home.moved(pitch=-nod, y=-0.01 * nod, distance=0.03 * nod)
            case Movement.LOOK_DOWN:
                return home.moved(pitch=nod, y=0.01 * nod, distance=-0.03 * nod)
            case Movement.COME_CLOSER:
                nearer = max(self._nearest, home.distance * (1 - min(k.closer * s, 0.55)))
                return replace(home.moved(pitch=-0.04), y=home.y * 0.9, distance=nearer)

    @property
    def _nearest(self) -> float:
        return min(NEAREST, 0.6 * self.temper.home.distance)

    def _move(self, t: float, movement: Movement) -> None:
        k, rng = self.temper, self._rng
        start = t + k.reaction * rng.uniform(0.8, 1.25)
        if rng.random() < k.late:
            start += rng.uniform(0.6, 1.5)
        target = self.target(movement)
        stations = []
        if rng.random() < k.slip:  # wrong way round at first, then right
            stations.append((0.35, self.home.between(target, -rng.uniform(0.2, 0.5))))
            stations.append((0.1, stations[-1][1]))
        if k.overshoot:
            stations.append((k.pace, self.home.between(target, 1 + k.overshoot)))
            stations.append((0.25, target))
        else:
            stations.append((k.pace, target))
        self.mover.go(start, *stations)

    def _rest(self, t: float) -> None:
        # What was begun is broken off no sooner than one reacts.
        start = t + self.temper.reaction * self._rng.uniform(0.7, 1.1)
        if self.mover.planned(start) != self.home or self.mover.busy_until > start:
            self.mover.go(start, (self.temper.pace * self._rng.uniform(0.85, 1.15), self.home))

    def _follow(self, t: float, hint: Hint) -> None:
        home = self.home
        match hint:
            case Hint.CLOSER:
                home = replace(home, distance=max(self._nearest, home.distance * 0.82))
            case Hint.FARTHER:
                home = replace(home, distance=min(FARTHEST, home.distance * 1.2))
            case Hint.CENTRE:
                home = replace(home, x=home.x * 0.2, y=0.04)
            case Hint.SHOW_FACE:  # one comes a little nearer and looks straight
                nearer = max(self._nearest, home.distance * 0.88)
                home = Pose(home.yaw * 0.5, home.pitch * 0.7, 0.0, home.x * 0.2, home.y, nearer)
            case Hint.STRAIGHT:
                home = replace(home, yaw=home.yaw * 0.4, pitch=home.pitch * 0.4, roll=0.0)
            case _:
                return
        self.home = home
        self.mover.go(t + self.temper.reaction, (0.6, home))

    def at(self, t: float) -> tuple[Pose, Face]:
        pose = self.mover.at(t)
        away = self.temper.gaze * 0.17 * TEXELS
        gaze = np.clip([-away * np.sin(pose.yaw), -away * np.sin(pose.pitch)], -9, 9)
        wander = 0.8 * np.sin(0.7 * t + self._mouth), 0.5 * np.sin(0.45 * t)
        blink = np.abs(self._blinks - t).min()
        return pose, Face(
            gaze=(float(gaze[0] + wander[0]), float(gaze[1] * 0.5 + wander[1])),
            lids=float(np.clip(1.4 - blink / 0.08, 0, 1)),
            mouth=float(self._mouth * np.sin(0.6 * t + 1) ** 3),
        )
