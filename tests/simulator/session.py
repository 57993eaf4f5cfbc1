"""The closed loop: what the page shows, what somebody does then, what the judge sees of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from facerec.core.liveness.challenge import Challenge
from facerec.core.liveness.types import Frame, Ground, Phase, Progress, Verdict
from tests.simulator.camera import from_jpeg, jpeg
from tests.simulator.scene import Scene

LIMIT = 60.0
"""Seconds after which a session without a verdict is given up."""

JUDGING = 0.03, 0.06
"""Seconds that the worker takes for a frame."""

DISPLAY = 0.02
"""Seconds from a message to what the screen shows."""


class Presentation(Protocol):
    """Somebody or something before a camera."""

    scene: Scene

    def picture(self, t: float, told: Progress | None) -> NDArray[np.uint8]:
        """The camera's picture at t, uint8 RGB (360, 480, 3), knowing what the page shows by
        then. Called with rising t."""

    def begin(self, challenge: Challenge) -> None:
        """Told before the first picture, for species that have luck (a replay whose order happens
        to be right). Nobody else looks at it."""


class Judge(Protocol):
    @property
    def verdict(self) -> Verdict | None: ...

    def see(self, frame: Frame) -> Progress: ...


@dataclass(frozen=True, slots=True)
class Sent:
    """One frame as it was sent: JPEG and times (seconds)."""

    jpeg: bytes
    taken: float
    arrived: float
    judged: float


@dataclass
class Result:
    """How a session ended. seconds: from the first frame to the verdict. sent: only if asked."""

    verdict: Verdict | None
    grounds: list[Ground]
    scores: dict[str, float]
    seconds: float
    frames: int
    log: list[Progress] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    judge: Any = None


def run(
    presentation: Presentation,
    judge_factory: Callable[[Challenge], Judge],
    challenge: Challenge,
    *,
    limit: float = LIMIT,
    keep: bool = False,
) -> Result:
    """One session, from the first frame to the verdict; deterministic.

    Frames leave at the scene's rate, with jitter; each is a JPEG. keep: the frames come back with
    the result, to be stored or replayed.
    """
    presentation.begin(challenge)
    judge = judge_factory(challenge)
    result = Result(None, [], {}, 0.0, 0, judge=judge)
    for sent, progress in play(presentation, judge, limit):
        result.frames += 1
        result.seconds = sent.taken
        result.log.append(progress)
        if keep:
            result.sent.append(sent)
    result.verdict = judge.verdict
    result.grounds = list(getattr(judge, "grounds", []))
    result.scores = dict(getattr(judge, "scores", {}))
    return result


def play(
    presentation: Presentation, judge: Judge, limit: float = LIMIT
) -> Iterator[tuple[Sent, Progress]]:
    """Frame by frame, what was sent and what the judge said to it, until there is a verdict."""
    scene = presentation.scene
    rng = np.random.default_rng([scene.seed, 96])
    up, down = scene.latency
    shown: list[tuple[float, Progress]] = []
    free = 0.0  # when the worker has judged what it has
    t, told = 0.0, None
    while t < limit and judge.verdict is None:
        while shown and shown[0][0] <= t:
            told = shown.pop(0)[1]
        data = jpeg(presentation.picture(t, told), scene.camera.settings.quality)
        arrived = t + up * rng.uniform(0.8, 1.4)
        free = judged = max(free, arrived) + rng.uniform(*JUDGING)
        progress = judge.see(Frame(from_jpeg(data), t, arrived, judged))
        shown.append((judged + down * rng.uniform(0.8, 1.4) + DISPLAY, progress))
        yield Sent(data, t, arrived, judged), progress
        t += rng.uniform(0.85, 1.2) / scene.fps


class Prompter:
    """Asks for the movements of a challenge by the clock alone and passes everybody: to record
    somebody, and to try out the simulator."""

    def __init__(self, challenge: Challenge, move: float = 1.5, back: float = 1.1) -> None:
        steps = challenge.steps
        self._steps = len(steps)
        self._plan: list[tuple[float, Progress]] = []
        at = 0.6
        for i, step in enumerate(steps):
            self._plan.append((at, Progress(Phase.HOLD, i, self._steps)))
            at += step.hold
            self._plan.append((at, Progress(Phase.MOVE, i, self._steps, step.movement)))
            at += move
            self._plan.append((at, Progress(Phase.RETURN, i, self._steps, share=1.0)))
            at += back
        self._plan.append(
            (at, Progress(Phase.DONE, self._steps, self._steps, verdict=Verdict.LIVE))
        )
        self.verdict: Verdict | None = None

    def see(self, frame: Frame) -> Progress:
        told = Progress(Phase.FIND, 0, self._steps)
        for at, progress in self._plan:
            if at <= frame.taken:
                told = progress
        self.verdict = told.verdict
        return told
