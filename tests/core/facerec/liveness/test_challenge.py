"""What is asked: every sequence equally likely, none told in advance, new ones after a loss."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facerec.core.liveness.challenge import (
    HOLD,
    STEPS,
    TURNS,
    Challenge,
    draw_challenge,
    redraw_challenge,
    sequences,
)
from facerec.core.liveness.types import Movement

CHANCE = st.integers(0, 2**32).map(Random)


def movements(challenge: Challenge) -> tuple[Movement, ...]:
    return tuple(step.movement for step in challenge.steps)


def test_how_many_sequences_there_are() -> None:
    """5 x 4 x 4 x 4 without a repeat, less the 3 x 2 x 2 x 2 without a turn."""
    everything = sequences()
    assert len(everything) == len(set(everything)) == 320 - 24


@given(CHANCE)
def test_one_of_them_is_drawn(chance: Random) -> None:
    drawn = draw_challenge(chance=chance)
    assert len(drawn.steps) == STEPS
    assert not any(a is b for a, b in pairwise(movements(drawn)))
    assert not TURNS.isdisjoint(movements(drawn))
    assert all(HOLD[0] <= step.hold <= HOLD[1] for step in drawn.steps)


def test_all_are_equally_likely() -> None:
    """Pearson's chi-squared over 296 sequences: its mean is 295, its standard deviation 24."""
    chance, draws = Random(1), 296 * 40
    seen = Counter(movements(draw_challenge(chance=chance)) for _ in range(draws))
    assert len(seen) == 296
    assert 295 - 4 * 24 < sum((n - 40) ** 2 / 40 for n in seen.values()) < 295 + 4 * 24


@given(CHANCE, st.integers(0, STEPS))
def test_after_a_loss_what_was_seen_stays(chance: Random, done: int) -> None:
    first = draw_challenge(chance=chance)
    second = redraw_challenge(first, done, chance)
    assert second.steps[:done] == first.steps[:done]
    assert movements(second) in set(sequences())


@pytest.mark.parametrize("done", [0, 1, 2, 3])
def test_and_every_way_to_go_on_is_equally_likely(done: int) -> None:
    chance = Random(2)
    first = draw_challenge(chance=chance)
    ways = {s for s in sequences() if s[:done] == movements(first)[:done]}
    seen = Counter(movements(redraw_challenge(first, done, chance)) for _ in range(40 * len(ways)))
    assert set(seen) == ways
    assert min(seen.values()) > 40 - 6 * 40**0.5


@given(CHANCE)
def test_json_there_and_back(chance: Random) -> None:
    drawn = draw_challenge(chance=chance)
    assert Challenge.from_json(json.loads(json.dumps(drawn.as_json()))) == drawn
