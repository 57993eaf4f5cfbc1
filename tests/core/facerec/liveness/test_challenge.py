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


@pytest.mark.parametrize(("steps", "count"), [(3, 80 - 12 - 2), (4, 320 - 24 - 2 * 12 - 10)])
def test_how_many_sequences_there_are(steps: int, count: int) -> None:
    """Of three, 5 x 4 x 4 have no repeat; 3 x 2 x 2 of them no turn; 2 come closer, turn and come
    closer. Of four, 5 x 4 x 4 x 4 and 3 x 2 x 2 x 2; those with a turn that come closer twice do so
    1st and 3rd or 2nd and 4th (4 x 4 less 2 x 2 each), or 1st and 4th (4 x 3 less 2)."""
    everything = sequences(steps)
    assert len(everything) == len(set(everything)) == count


@given(CHANCE, st.sampled_from([3, 4]))
def test_one_of_them_is_drawn(chance: Random, steps: int) -> None:
    drawn = draw_challenge(steps, chance)
    assert len(drawn.steps) == steps
    assert not any(a is b for a, b in pairwise(movements(drawn)))
    assert not TURNS.isdisjoint(movements(drawn))
    assert movements(drawn).count(Movement.COME_CLOSER) <= 1
    assert all(HOLD[0] <= step.hold <= HOLD[1] for step in drawn.steps)


def test_all_are_equally_likely() -> None:
    """Pearson's chi-squared over 262 sequences: its mean is 261, its standard deviation 23."""
    chance, draws = Random(1), 262 * 40
    seen = Counter(movements(draw_challenge(4, chance)) for _ in range(draws))
    assert len(seen) == 262
    assert 261 - 4 * 23 < sum((n - 40) ** 2 / 40 for n in seen.values()) < 261 + 4 * 23


@given(CHANCE, st.integers(0, STEPS))
def test_after_a_loss_what_was_seen_stays(chance: Random, done: int) -> None:
    first = draw_challenge(chance=chance)
    second = redraw_challenge(first, done, chance)
    assert second.steps[:done] == first.steps[:done]
    assert movements(second) in set(sequences())


@pytest.mark.parametrize("done", range(STEPS))
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
