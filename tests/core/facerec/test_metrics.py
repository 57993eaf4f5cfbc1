from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from facerec.core import metrics

distances = arrays(np.float64, st.integers(1, 40), elements=st.integers(0, 20).map(float))


def test_every_pair_once() -> None:
    encodings = np.zeros((4, 128), np.float32)
    encodings[:, 0] = [0, 1, 3, 7]
    scores = metrics.genuine_impostor(encodings, ["b", "b", "a", "b"])
    assert scores.genuine.tolist() == [1, 36, 49]
    assert scores.impostor.tolist() == [4, 9, 16]
    assert scores.genuine_person.tolist() == [1, 1, 1]  # b is the second name
    assert scores.photos.tolist() == [1, 3]
    assert {tuple(sorted(pair)) for pair in scores.impostor_people.tolist()} == {(0, 1)}


def test_weights_of_a_draw_and_of_people() -> None:
    encodings = np.arange(4 * 128, dtype=np.float32).reshape(4, 128)
    scores = metrics.genuine_impostor(encodings, ["a", "a", "a", "b"])
    genuine, impostor = scores.weights(np.array([2.0, 3.0]))
    assert genuine.tolist() == [2, 2, 2]
    assert impostor.tolist() == [6, 6, 6]
    genuine, impostor = scores.weights(by_person=True)
    assert genuine.sum() == pytest.approx(1)  # one person with pairs
    assert impostor.sum() == pytest.approx(1)  # one pair of people


def test_tar_at_far_of_known_numbers() -> None:
    genuine = np.array([0.1, 0.2, 0.3, 0.4])
    impostor = np.array([0.25, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2])
    assert metrics.tar_at_far(genuine, impostor, 0.0) == 0.5  # below the nearest impostor
    assert metrics.tar_at_far(genuine, impostor, 0.09) == 0.5
    assert metrics.tar_at_far(genuine, impostor, 0.1) == 0.75  # one accepted of ten
    assert metrics.tar_at_far(genuine, impostor, 0.2) == 1.0
    assert metrics.tar_at_far(np.append(genuine, np.inf), impostor, 0.2) == 0.8  # one refused
    with pytest.raises(ValueError, match="impostor"):
        metrics.tar_at_far(genuine, impostor[:0], 0.1)


@given(distances, st.floats(0, 1))
def test_no_more_impostors_pass_than_asked(impostor: np.ndarray, far: float) -> None:
    threshold = metrics.threshold_at_far(impostor, far)
    assert (impostor < threshold).mean() <= far + 1e-9
    if np.isfinite(threshold):  # and at the next larger one too many would
        assert (impostor <= threshold).mean() > far


@given(distances, distances, st.floats(0, 1))
def test_a_weight_of_two_is_the_pair_twice(g: np.ndarray, i: np.ndarray, far: float) -> None:
    two_g, two_i = np.resize([1, 2], len(g)), np.resize([2, 1], len(i))
    weighted = metrics.tar_at_far(g, i, far, genuine_weights=two_g, impostor_weights=two_i)
    assert weighted == pytest.approx(
        metrics.tar_at_far(np.repeat(g, two_g), np.repeat(i, two_i), far)
    )


def test_the_det_curve_counts() -> None:
    genuine, impostor = np.array([1.0, 2, 3, 4]), np.array([2.5, 3.5, 4.5, 5.5])
    curve = metrics.det_curve(genuine, impostor)
    assert curve.threshold.tolist() == [2.5, 3.5, 4.5, 5.5]
    assert curve.fmr.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve.fnmr.tolist() == [0.5, 0.25, 0, 0]
    far, tar = metrics.roc(genuine, impostor)
    assert tar.tolist() == [0.5, 0.75, 1, 1]
    assert far.tolist() == curve.fmr.tolist()


@given(distances, distances)
def test_the_det_curve_only_trades(genuine: np.ndarray, impostor: np.ndarray) -> None:
    curve = metrics.det_curve(genuine, impostor)
    assert (np.diff(curve.threshold) > 0).all()
    assert (np.diff(curve.fmr) >= 0).all()
    assert (np.diff(curve.fnmr) <= 0).all()
    for threshold, fmr, fnmr in zip(*curve, strict=True):
        assert fmr == pytest.approx((impostor <= threshold).mean())
        assert fnmr == pytest.approx((genuine > threshold).mean())


def test_equal_error_rate() -> None:
    curve = metrics.det_curve(np.array([1.0, 2, 3, 5]), np.array([4.0, 6, 7, 8]))
    assert metrics.equal_error_rate(curve) == 0.25


def test_d_prime_of_two_normals_two_deviations_apart() -> None:
    rng = np.random.default_rng(0)
    genuine, impostor = rng.normal(0, 1, 50_000), rng.normal(2, 1, 50_000)
    assert metrics.d_prime(genuine, impostor) == pytest.approx(2, abs=0.03)
    assert metrics.d_prime(np.append(genuine, np.inf), impostor) == pytest.approx(2, abs=0.03)
    assert metrics.d_prime(np.array([0.0, 2]), np.array([10.0, 12])) == 10


def test_a_fold_is_decided_by_the_others_threshold() -> None:
    # The first fold's own best threshold lies at 2.5; the second's, which decides it, at 1.5.
    d = np.array([1.0, 2, 3, 4, 1, 1, 2, 3])
    same = np.array([1, 1, 0, 0, 1, 1, 0, 0], bool)
    found = metrics.k_fold_accuracy(d, same, np.repeat([0, 1], 4))
    assert found.thresholds == (1.5, 2.5)
    assert found.folds == (0.75, 0.75)
    assert found.mean == 0.75
    assert found.standard_error == 0
    with pytest.raises(ValueError, match="two folds"):
        metrics.k_fold_accuracy(d, same, np.zeros(8, int))


def test_a_refused_pair_is_never_accepted() -> None:
    d = np.array([1.0, np.inf, np.inf, 4, 1, 1, 3, 3])
    same = np.array([1, 1, 0, 0, 1, 1, 0, 0], bool)
    found = metrics.k_fold_accuracy(d, same, np.repeat([0, 1], 4))
    assert found.folds == (0.75, 1.0)


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=30))
def test_no_threshold_is_better_than_the_best(pairs: list[tuple[int, bool]]) -> None:
    d = np.array([float(distance) for distance, _ in pairs])
    same = np.array([kind for _, kind in pairs])
    right = ((d <= metrics.best_threshold(d, same)) == same).sum()
    assert right == max(((d <= t) == same).sum() for t in np.arange(-0.5, 10.5, 0.5))


def test_the_bootstrap_draws_people() -> None:
    # The mean of n people's values has a standard error of s / sqrt(n).
    values = np.random.default_rng(3).normal(size=400)
    low, high = metrics.bootstrap_by_person(
        400, lambda counts: float(np.average(values, weights=counts)), rounds=400
    )
    error = values.std() / 20
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.3 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.3 * error)
    again = metrics.bootstrap_by_person(400, lambda c: float(np.average(values, weights=c)))
    assert again == metrics.bootstrap_by_person(400, lambda c: float(np.average(values, weights=c)))


def test_the_identification_table() -> None:
    gallery = np.zeros((2, 128), np.float32)
    gallery[1, 0] = 10
    people = np.array([5, 6])
    probes = np.zeros((5, 128), np.float32)
    probes[:, 0] = [1, 9, 2, 8.5, 4]
    known = metrics.nearest(probes[:3], gallery, people)
    assert known.distance.tolist() == [1, 1, 4]
    assert known.person.tolist() == [5, 6, 5]
    strangers = metrics.nearest(probes[3:], gallery, people)
    strict, lax = metrics.identification_table(known, np.array([5, 6, 6]), strangers, 2, [1.0, 5.0])
    assert (strict.right, strict.wrong, strict.missed, strict.accepted) == (2, 0, 1, 0)
    assert (lax.right, lax.wrong, lax.missed, lax.accepted) == (2, 1, 0, 1)
    assert (lax.enrolled, lax.known, lax.strangers) == (2, 3, 2)
