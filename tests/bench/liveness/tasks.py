"""Presentations, each ready to be judged in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from facerec.core.liveness.challenge import STEPS, Challenge, draw_challenge
from facerec.core.liveness.eyes import FaceEyes
from facerec.core.liveness.judge import LivenessJudge
from facerec.core.liveness.limits import SHIPPED, Limits
from facerec.core.liveness.types import Frame, Progress, Verdict
from tests.bench.liveness.outcomes import Outcome, Skipped
from tests.bench.liveness.recordings import Recording, RecordingError
from tests.simulator.attacks import SPECIES
from tests.simulator.people import Head, cast
from tests.simulator.photos import heads_from_folder
from tests.simulator.session import run


class Half(Enum):
    """People, scenes and cameras by the parity of their seeds. Limits are fitted to the first,
    figures are measured on the second."""

    FITTING = 0
    TEST = 1

    def seeds(self, count: int) -> range:
        return range(self.value, 2 * count + self.value, 2)


class Timed:
    """A judge whose frames are timed."""

    def __init__(self, judge: LivenessJudge) -> None:
        self._judge = judge
        self.milliseconds: list[float] = []

    def see(self, frame: Frame) -> Progress:
        began = time.perf_counter()
        progress = self._judge.see(frame)
        self.milliseconds.append(round(1e3 * (time.perf_counter() - began), 1))
        return progress

    def __getattr__(self, name: str) -> Any:
        return getattr(self._judge, name)


@cache
def eyes() -> FaceEyes:
    """One a process: the networks take a second to load."""
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    return FaceEyes.build()


@dataclass(frozen=True, slots=True)
class Simulated:
    """A presentation of the simulator. faces: a folder of photos that its people are made of;
    without one they are drawn. steps: movements in a challenge."""

    species: str
    seed: int
    limits: Limits = SHIPPED
    faces: Path | None = None
    steps: int = STEPS

    @property
    def key(self) -> str:
        return f"{self.species}-{self.seed}"

    def judge(self) -> Outcome:
        cast_people(self.faces)
        judges: list[Timed] = []

        def judge_for(challenge: Challenge) -> Timed:
            judges.append(Timed(LivenessJudge(challenge, eyes(), self.limits)))
            return judges[-1]

        challenge = draw_challenge(self.steps, Random(self.key))
        result = run(SPECIES[self.species](self.seed), judge_for, challenge)
        return outcome_of(self.species, self.key, judges[-1], result.seconds, self.limits)


def counts(told: str | None, n: int) -> dict[str, int]:
    """How many presentations of each species. told: `a,b:300`, those of b being so many and the
    others n; None: n of all that there are. Raises ValueError, with a sentence."""
    if told is None:
        return dict.fromkeys(SPECIES, n)
    wanted = {}
    for part in told.split(","):
        species, _, number = part.partition(":")
        if species not in SPECIES:
            raise ValueError(f"There is no species {species}. There are {', '.join(SPECIES)}.")
        wanted[species] = int(number or n)
    return wanted


def simulated(
    wanted: Mapping[str, int],
    half: Half,
    limits: Limits = SHIPPED,
    *,
    faces: Path | None = None,
    steps: int = STEPS,
) -> list[Simulated]:
    """So many of each species, in turns: an interrupted run has about as many of each."""
    return [
        Simulated(species, seed, limits, faces, steps)
        for number, seed in enumerate(half.seeds(max(wanted.values())))
        for species, n in wanted.items()
        if number < n
    ]


@cache
def heads(faces: Path) -> tuple[list[Head], list[str]]:
    """The heads that a folder of photos makes, and a sentence for each photo that makes none."""
    made, refused = [], []
    for path, head in heads_from_folder(faces):
        if isinstance(head, Head):
            made.append(head)
        else:
            refused.append(f"{path.name}: {head}.")
    return made, refused


def cast_people(faces: Path | None) -> None:
    """Who plays all parts from now on. No limit was fitted to photographed people, so each of
    them plays in both halves."""
    cast([] if faces is None else [head for head in heads(faces)[0] for _ in Half])


@dataclass(frozen=True, slots=True)
class Recorded:
    """A site's recording."""

    path: Path
    limits: Limits = SHIPPED

    @property
    def key(self) -> str:
        return f"recorded-{self.path.name}"

    def judge(self) -> Outcome | Skipped:
        try:
            recording = Recording.open(self.path)
            judge = Timed(LivenessJudge(recording.challenge, eyes(), self.limits))
            for frame in recording.frames():
                if judge.see(frame).verdict is not None:
                    break
        except RecordingError as error:
            return Skipped(self.path.name, f"{self.path.name}: {error}.")
        first, last = recording.times[0].arrived, frame.arrived
        if judge.verdict is None:  # it was broken off
            judge.time_out(last + GONE)
        return outcome_of(recording.species, self.path.name, judge, last - first, self.limits)


GONE = 60.0
"""Seconds after which every deadline of a session has passed."""


def outcome_of(species: str, name: str, judge: Timed, seconds: float, limits: Limits) -> Outcome:
    """What a judge made of a session; one without a verdict is inconclusive."""
    verdict = judge.verdict or Verdict.INCONCLUSIVE
    passive = judge.scores.get("passive", 0.0)
    caught = verdict is Verdict.LIVE and passive > limits.passive_most
    return Outcome(
        species,
        name,
        verdict,
        Verdict.NOT_LIVE if caught else verdict,
        tuple(judge.grounds),
        round(seconds, 2),
        len(judge.milliseconds),
        tuple(judge.milliseconds),
        dict(judge.scores),
    )
