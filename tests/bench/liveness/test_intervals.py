from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.liveness.intervals import Share, at_most, clopper_pearson, trials_for


@pytest.mark.parametrize(
    ("count", "trials", "low", "high"),
    [  # by the quantiles of the beta distribution
        (0, 300, 0, 0.0122210),
        (0, 10, 0, 0.3084971),
        (1, 100, 0.0002531, 0.0544594),
        (5, 10, 0.1870860, 0.8129140),
        (10, 10, 0.6915029, 1),
        (3, 400, 0.0015489, 0.0217602),
        (40, 1000, 0.0287276, 0.0540727),
    ],
)
def test_clopper_pearson_has_its_known_values(
    count: int, trials: int, low: float, high: float
) -> None:
    assert clopper_pearson(count, trials) == pytest.approx((low, high), abs=1e-6)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_each_end_leaves_a_fortieth_beyond(counted: tuple[int, int]) -> None:
    count, trials = counted
    low, high = clopper_pearson(count, trials)
    assert low <= count / trials <= high
    if count:
        assert 1 - at_most(count - 1, trials, low) == pytest.approx(0.025, abs=1e-6)
    if count < trials:
        assert at_most(count, trials, high) == pytest.approx(0.025, abs=1e-6)


@pytest.mark.parametrize(("count", "trials"), [(-1, 5), (6, 5), (0, 0)])
def test_no_share_of_nothing(count: int, trials: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        clopper_pearson(count, trials)


def test_how_many_clean_ones_a_bound_needs() -> None:
    assert trials_for(0.01) == 368
    assert trials_for(0.01, confidence=0.9) == 299  # one-sided 95 %: the rule of three
    assert clopper_pearson(0, 368)[1] <= 0.01 < clopper_pearson(0, 367)[1]


def test_a_share_of_none_is_not_a_number() -> None:
    nothing = Share(0, 0)
    assert math.isnan(nothing.value)
    assert str(nothing) == "–"
    assert nothing.as_json() == {"count": 0, "n": 0, "share": None, "low": None, "high": None}


def test_a_share_says_its_interval() -> None:
    assert str(Share(3, 400)) == "0.8 % [0.2 2.2]"
