"""A random sequence of movements, so that a recording of another session shows the wrong ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product
from random import Random, SystemRandom
from typing import Any, Self

from facerec.core.liveness.types import Movement

STEPS = 3
"""A willing person does three in about nine seconds and four in twelve; a recording of another
session has the right order by luck once in 66 sequences, or in 262."""

HOLD = 0.2, 0.6
"""Seconds to hold still before a movement is asked, drawn evenly: a recording with the right order
must have the right pauses too."""

TURNS = frozenset({Movement.TURN_LEFT, Movement.TURN_RIGHT})
"""They show depth best: every challenge has one."""


@dataclass(frozen=True, slots=True)
class Step:
    movement: Movement
    hold: float


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is asked of a person, step by step. A client learns a step when it is its turn."""

    steps: tuple[Step, ...]

    def as_json(self) -> list[dict[str, Any]]:
        return [{"movement": step.movement.value, "hold": step.hold} for step in self.steps]

    @classmethod
    def from_json(cls, steps: list[dict[str, Any]]) -> Self:
        return cls(tuple(Step(Movement(step["movement"]), float(step["hold"])) for step in steps))


@cache
def sequences(steps: int = STEPS) -> tuple[tuple[Movement, ...], ...]:
    """Every sequence that may be drawn: none asks the same twice running, each has a turn, and who
    came closer is not asked to again, since that shows hardly any depth."""
    return tuple(
        movements
        for movements in product(Movement, repeat=steps)
        if not any(a is b for a, b in pairwise(movements))
        and not TURNS.isdisjoint(movements)
        and movements.count(Movement.COME_CLOSER) <= 1
    )


def redraw_challenge(challenge: Challenge, done: int, chance: Random | None = None) -> Challenge:
    """The first `done` steps, which were seen, and others after them: what else was told of the
    challenge is worth nothing to whoever learnt it. All that go on so are equally likely."""
    chance = chance or SystemRandom()
    kept = challenge.steps[:done]
    seen = tuple(step.movement for step in kept)
    going_on = [s for s in sequences(len(challenge.steps)) if s[:done] == seen]
    movements = chance.choice(going_on)[done:]
    return Challenge(kept + tuple(Step(m, round(chance.uniform(*HOLD), 2)) for m in movements))


def draw_challenge(steps: int = STEPS, chance: Random | None = None) -> Challenge:
    """One of the sequences, all equally likely, by the system's own randomness unless told."""
    chance = chance or SystemRandom()
    movements = chance.choice(sequences(steps))
    return Challenge(tuple(Step(m, round(chance.uniform(*HOLD), 2)) for m in movements))
