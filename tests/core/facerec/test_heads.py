from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from facerec.core.distance import squared_distance
from facerec.core.errors import WeightsCorrupt, WeightsNotFound
from facerec.core.heads import (
    Head,
    RuleName,
    absolute_difference,
    chi_square,
    fit_head,
    rule_of,
    training_pairs,
)
from facerec.core.metrics import tar_at_far

HEADS = [RuleName.ABSOLUTE, RuleName.CHI_SQUARE]
vectors = arrays(np.float64, 128, elements=st.floats(-2, 2))


def test_known_features() -> None:
    x1, x2 = np.array([0.3, -0.1, 0.0, 2.0]), np.array([0.1, 0.1, 0.0, -2.0])
    np.testing.assert_allclose(absolute_difference(x1, x2), [0.2, 0.2, 0, 4])
    # (0.2^2 / 0.4, 0.2^2 / 0.2, 0 / 0 taken as 0, 4^2 / 4)
    np.testing.assert_allclose(chi_square(x1, x2), [0.1, 0.2, 0, 4])


@given(vectors, vectors)
def test_chi_square_is_the_courses_where_that_is_defined(a: np.ndarray, b: np.ndarray) -> None:
    a, b = np.abs(a) + 1e-3, np.abs(b) + 1e-3
    np.testing.assert_allclose(chi_square(a, b), (a - b) ** 2 / (a + b))


@given(vectors, vectors)
def test_features_are_symmetric_not_negative_and_chi_square_is_bounded(a, b) -> None:
    for phi in (absolute_difference, chi_square):
        np.testing.assert_array_equal(phi(a, b), phi(b, a))
        assert (phi(a, b) >= 0).all()
    # The square of a difference below 1e-154 is no normal number any more, and rounded coarsely.
    assert (chi_square(a, b) <= absolute_difference(a, b) * (1 + 1e-9) + 1e-150).all()


def test_known_probability() -> None:
    weights = np.zeros(128)
    weights[:2] = [-2, -3]
    head = Head(RuleName.ABSOLUTE, weights, 1.5)
    x1, x2 = np.zeros(128, np.float32), np.zeros(128, np.float32)
    x2[:2] = [0.5, -0.25]
    logit = 1.5 - 2 * 0.5 - 3 * 0.25
    assert head(x1, x2) == pytest.approx(-logit)
    assert head.probability(x1, x2) == pytest.approx(1 / (1 + np.exp(-logit)))
    assert head.probability(x1, x1) == pytest.approx(0.8175745)  # sigmoid(1.5)


def people(count: int, photos: int, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    """Encodings in which only the first 16 numbers tell people apart; the rest is noise."""
    rng = np.random.default_rng(seed)
    centres = np.zeros((count, 1, 128))
    centres[..., :16] = rng.normal(size=(count, 1, 16)) * 0.2
    encodings = centres + rng.normal(size=(count, photos, 128)) * 0.1
    names = [f"p{i}" for i in range(count) for _ in range(photos)]
    return encodings.reshape(-1, 128).astype(np.float32), names


@pytest.mark.parametrize("rule", HEADS)
def test_a_head_learns_which_numbers_matter_and_then_beats_d(rule: RuleName) -> None:
    train, held_out = people(60, 4, seed=1), people(60, 4, seed=2)
    i, j, same = training_pairs(train[1], seed=0)
    head = fit_head(rule, train[0][i], train[0][j], same)
    assert np.abs(head.weights[:16]).mean() > 3 * np.abs(head.weights[16:]).mean()
    i, j, same = training_pairs(held_out[1], impostors_per_genuine=40, seed=0)
    tar = {}
    for name, rule_ in (("d", squared_distance), ("head", head)):
        score = np.array(
            [float(rule_(held_out[0][a], held_out[0][b])) for a, b in zip(i, j, strict=True)]
        )
        tar[name] = tar_at_far(score[same], score[~same], 1e-2)
    assert tar["head"] > tar["d"] + 0.1


def test_fit_finds_the_minimum() -> None:
    """The gradient of the stated cost vanishes at what is found."""
    encodings, names = people(20, 3)
    i, j, same = training_pairs(names, seed=0)
    head = fit_head(RuleName.ABSOLUTE, encodings[i], encodings[j], same, penalty=0.05)
    phi = absolute_difference(encodings[i], encodings[j]).astype(np.float64)
    share = np.where(same, 0.5 / same.sum(), 0.5 / (~same).sum())
    scale = np.sqrt(share @ (phi - share @ phi) ** 2)
    error = share * (head.probability(encodings[i], encodings[j]) - same)
    gradient = phi.T @ error / scale + 0.05 * head.weights * scale
    assert np.abs(gradient).max() < 1e-5
    assert abs(error.sum()) < 1e-5


@pytest.mark.parametrize("rule", HEADS)
def test_fit_is_deterministic_and_survives_a_number_that_never_varies(rule: RuleName) -> None:
    encodings, names = people(12, 3)
    encodings[:, 100] = 0.25
    i, j, same = training_pairs(names, seed=0)
    one, other = (fit_head(rule, encodings[i], encodings[j], same) for _ in range(2))
    assert one.weights.tolist() == other.weights.tolist()
    assert one.bias == other.bias
    assert one.weights[100] == 0


def test_fit_takes_pairs_of_both_kinds() -> None:
    x = np.zeros((3, 128), np.float32)
    with pytest.raises(ValueError, match="both kinds"):
        fit_head(RuleName.ABSOLUTE, x, x, np.ones(3, bool))


def test_training_pairs() -> None:
    names = ["b", "a", "a", "c", "a", "b"]
    i, j, same = training_pairs(names, impostors_per_genuine=2, seed=0)
    assert same.sum() == 3 + 1
    assert all((names[a] == names[b]) == s for a, b, s in zip(i, j, same, strict=True))
    assert (i != j).all()
    pairs = {tuple(sorted(pair)) for pair in zip(i.tolist(), j.tolist(), strict=True)}
    assert len(pairs) == len(i)


def test_a_head_survives_its_file_and_a_wrong_file_is_refused(tmp_path: Path) -> None:
    head = Head(RuleName.CHI_SQUARE, np.linspace(-1, 1, 128), 0.7)
    path = tmp_path / "head.safetensors"
    sha256 = head.save(path)
    again = Head.load(path, sha256)
    assert again.rule == RuleName.CHI_SQUARE
    x = np.random.default_rng(0).normal(size=(2, 128)).astype(np.float32)
    assert again(x[0], x[1]) == head(x[0], x[1])
    with pytest.raises(WeightsCorrupt, match="SHA-256"):
        Head.load(path, "0" * 64)
    path.write_bytes(b"no safetensors at all")
    with pytest.raises(WeightsCorrupt, match="likeness-head-1"):
        Head.load(path)
    with pytest.raises(WeightsNotFound):
        Head.load(tmp_path / "absent")


def test_what_is_no_head() -> None:
    with pytest.raises(ValueError, match="128 weights"):
        Head(RuleName.ABSOLUTE, np.zeros(3), 0)
    with pytest.raises(ValueError, match="finite"):
        Head(RuleName.ABSOLUTE, np.full(128, np.nan), 0)
    with pytest.raises(ValueError, match="no head"):
        Head(RuleName.DISTANCE, np.zeros(128), 0)
    assert rule_of(RuleName.DISTANCE) is squared_distance
    with pytest.raises(ValueError, match="head of its own"):
        rule_of(RuleName.CHI_SQUARE, Head(RuleName.ABSOLUTE, np.zeros(128), 0))
