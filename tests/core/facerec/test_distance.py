from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from facerec.core.distance import pairwise_squared_distance, squared_distance

vectors = arrays(np.float64, 128, elements=st.floats(-2, 2))


def test_known_values() -> None:
    zero, ones, unit = np.zeros(128), np.ones(128), np.eye(128)[5]
    assert squared_distance(zero, ones) == 128
    assert squared_distance(zero, unit) == 1
    assert squared_distance(unit, -unit) == 4  # squared: the L2 distance is 2
    assert squared_distance(np.array([1.0, 2.0]), np.array([4.0, 6.0])) == 25


def test_equal_encodings_are_exactly_zero_apart() -> None:
    x = np.random.default_rng(0).normal(size=(7, 128)).astype(np.float32) * 1e3
    assert (squared_distance(x, x.copy()) == 0).all()


def test_broadcasts_over_leading_axes() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(3, 1, 128)), rng.normal(size=(1, 5, 128))
    d = squared_distance(a, b)
    assert d.shape == (3, 5)
    assert d[2, 4] == pytest.approx(np.linalg.norm(a[2, 0] - b[0, 4]) ** 2)


def test_tensors_agree_with_arrays_and_carry_gradients() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(4, 128)), rng.normal(size=(4, 128))
    x = torch.tensor(a, requires_grad=True)
    d = squared_distance(x, torch.tensor(b))
    np.testing.assert_allclose(d.detach().numpy(), squared_distance(a, b))
    d.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * (a - b))  # the derivative of a square


@given(vectors, vectors)
def test_symmetric_and_not_negative(a: np.ndarray, b: np.ndarray) -> None:
    assert squared_distance(a, b) == squared_distance(b, a) >= 0


@given(vectors, vectors, vectors)
def test_its_root_obeys_the_triangle_inequality(a, b, c) -> None:
    ab, bc, ac = (np.sqrt(squared_distance(*pair)) for pair in ((a, b), (b, c), (a, c)))
    assert ac <= ab + bc + 1e-9


def test_pairwise_equals_one_by_one_without_cancellation() -> None:
    rng = np.random.default_rng(3)
    gallery = (rng.normal(size=(20, 128)) + 100).astype(np.float32)
    probes = np.concatenate([gallery[:2] + np.float32(1e-4), gallery[5:6]])
    d = pairwise_squared_distance(probes, gallery)
    assert d.shape == (3, 20)
    assert d[2, 5] == 0
    np.testing.assert_allclose(d, squared_distance(probes[:, None], gallery[None]), rtol=1e-5)
