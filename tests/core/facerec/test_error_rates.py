"""FMR and FNMR over all pairs of a labelled set."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facerec.core.error_rates import LabelledSet, error_rates, thresholds_at, wilson


def made_up(
    people: int = 60, photos: int = 4, seed: int = 0, spread: float = 1 / 40
) -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(people, 128)) / 16
    encodings = centres[:, None] + rng.normal(size=(people, photos, 128)) * spread
    names = [f"person {i}" for i in range(people) for _ in range(photos)]
    return encodings.reshape(-1, 128).astype(np.float32), names


def on_a_line(places: dict[str, list[float]]) -> tuple[np.ndarray, list[str]]:
    """Encodings of one number that differ as told, so that d is its square."""
    encodings = np.zeros((sum(map(len, places.values())), 128), np.float32)
    encodings[:, 0] = [place for those in places.values() for place in those]
    return encodings, [name for name, those in places.items() for _ in those]


def test_known_rates() -> None:
    # Pairs of people: a-b 1, a-c 9 and 16, b-c 4 and 9; of c alone: 1.
    labelled = LabelledSet.of(*on_a_line({"a": [0], "b": [1], "c": [3, 4]}))
    fmr, fnmr = error_rates(labelled, np.array([0.5, 1.0, 4.0, 9.0, 16.0]))
    # c's two photos count half each: (1), (1 + .5), (1 + .5 + 1), all 3 of 3 pairs of people.
    assert fmr.rate == pytest.approx([0, 1 / 3, 1.5 / 3, 2.5 / 3, 1])
    assert fnmr.rate == pytest.approx([1, 0, 0, 0, 0])
    assert (labelled.person_pairs, labelled.impostor_pairs, labelled.genuine_pairs) == (3, 5, 1)
    assert labelled.genuine_people == 1


def test_people_weigh_alike_in_the_fnmr_too() -> None:
    # a's one pair is missed at 2; b's three pairs (1, 1, 4): one of them.
    labelled = LabelledSet.of(*on_a_line({"a": [0, 10], "b": [50, 51, 52]}))
    assert error_rates(labelled, np.array([2.0])).fnmr.rate == pytest.approx([(1 + 1 / 3) / 2])


def test_photos_of_two_folds_are_not_compared() -> None:
    encodings, people = on_a_line({"a": [0], "b": [1], "c": [0], "d": [2]})
    labelled = LabelledSet.of(encodings, people, folds=[0, 0, 1, 1])
    assert labelled.person_pairs == labelled.impostor_pairs == 2  # a-b at 1, c-d at 4
    assert error_rates(labelled, np.array([0.0, 1.0, 4.0])).fmr.rate == pytest.approx([0, 0.5, 1])
    with pytest.raises(ValueError, match="several folds"):
        LabelledSet.of(encodings, ["a", "a", "b", "c"], folds=[0, 1, 1, 1])


def test_only_a_part() -> None:
    labelled = LabelledSet.of(*on_a_line({"a": [0], "b": [1], "c": [3, 4]}))
    part = labelled.only(["a", "c", "stranger"])
    assert part.names == ("a", "c")
    assert error_rates(part, np.array([9.0])).fmr.rate == pytest.approx([0.5])


@given(seed=st.integers(0, 50), level=st.floats(0.005, 0.4))
@settings(max_examples=25, deadline=None)
def test_a_threshold_accepts_no_more_than_asked_and_hardly_less(seed: int, level: float) -> None:
    labelled = LabelledSet.of(*made_up(people=30, photos=2, seed=seed))
    [threshold] = thresholds_at(labelled, np.array([level]))
    [rate] = error_rates(labelled, np.array([threshold])).fmr.rate
    assert rate <= level + 1e-6
    assert rate >= level - 0.25 / labelled.person_pairs * 4 - 0.003


def test_thresholds_of_a_rule_whose_numbers_are_negative() -> None:
    encodings, people = made_up(people=30, photos=2)

    def shifted(probe: np.ndarray, others: np.ndarray) -> np.ndarray:
        return ((others - probe) ** 2).sum(-1) - 50

    plain = LabelledSet.of(encodings, people)
    other = LabelledSet.of(encodings, people, dissimilarity=shifted)
    levels = np.array([0.01, 0.1])
    assert thresholds_at(other, levels) == pytest.approx(
        thresholds_at(plain, levels) - 50, abs=1e-4
    )


def test_the_interval_holds_the_rate_of_the_population() -> None:
    """Of 20 sets of 40 people each, drawn from one population, nearly all intervals hold it."""
    threshold = np.array([0.35])
    truth = error_rates(LabelledSet.of(*made_up(people=600, photos=2, seed=99)), threshold)
    held = np.zeros(2)
    for seed in range(20):
        found = error_rates(LabelledSet.of(*made_up(people=40, photos=2, seed=seed)), threshold)
        for kind, (band, true) in enumerate(zip(found, truth, strict=True)):
            assert band.low[0] <= band.rate[0] <= band.high[0]
            held[kind] += band.low[0] <= true.rate[0] <= band.high[0]
    assert (held >= 17).all()


def test_people_who_are_like_many_widen_the_interval() -> None:
    """One person who matches everybody: the pairs are not independent, and the interval says so."""
    encodings, people = made_up(people=60, photos=1)
    encodings[0] = encodings[1:].mean(axis=0)
    labelled = LabelledSet.of(encodings, people)
    threshold = thresholds_at(labelled, np.array([0.03]))
    fmr = error_rates(labelled, threshold).fmr
    low, high = wilson(fmr.rate, labelled.person_pairs)
    assert fmr.high[0] - fmr.low[0] > 1.5 * (high[0] - low[0])


def test_where_nobody_has_two_photos_there_is_no_fnmr() -> None:
    fmr, fnmr = error_rates(LabelledSet.of(*made_up(people=5, photos=1)), np.array([0.1]))
    assert np.isfinite(fmr.rate).all()
    assert np.isnan(fnmr.rate).all()
    assert np.isnan(fnmr.high).all()


@pytest.mark.parametrize(
    ("rate", "trials", "low", "high"),
    [(0.0, 100, 0.0, 0.03699), (0.5, 100, 0.40383, 0.59617), (1.0, 10, 0.72247, 1.0)],
)
def test_wilson(rate: float, trials: int, low: float, high: float) -> None:
    [found_low], [found_high] = wilson(np.array([rate]), trials)
    assert (found_low, found_high) == pytest.approx((low, high), abs=1e-5)
