from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from facerec.core.distance import squared_distance
from facerec.core.losses import Difficulty, active_fraction, difficulty, hinge, triplet_loss


def at(d: float, axis: int = 0) -> np.ndarray:
    """An encoding at squared distance d from the origin."""
    return np.sqrt(d) * np.eye(128)[axis]


def test_the_course_example() -> None:
    loss = triplet_loss(np.zeros(128), at(0.5), at(0.51, axis=1), 0.2)
    assert loss == pytest.approx(0.19)


@pytest.mark.parametrize(
    ("d_positive", "d_negative", "margin", "loss", "kind"),
    [
        (0.25, 1.0, 0.75, 0.0, Difficulty.EASY),  # on the edge, in numbers that are exact
        (0.5, 0.9, 0.2, 0.0, Difficulty.EASY),
        (0.5, 0.51, 0.2, 0.19, Difficulty.SEMI_HARD),
        (0.5, 0.5, 0.2, 0.2, Difficulty.HARD),
        (0.5, 0.25, 0.2, 0.45, Difficulty.HARD),
        (0.0, 0.0, 0.5, 0.5, Difficulty.HARD),  # collapse: everything in one point costs alpha
    ],
)
def test_known_values(
    d_positive: float, d_negative: float, margin: float, loss: float, kind: Difficulty
) -> None:
    found = triplet_loss(np.zeros(128), at(d_positive, 3), at(d_negative, 4), margin)
    assert found == pytest.approx(loss, abs=1e-12)
    assert hinge(np.float64(d_positive), np.float64(d_negative), margin) == pytest.approx(loss)
    assert difficulty(d_positive, d_negative, margin) == kind


@given(st.floats(0, 4), st.floats(0, 4), st.floats(0.01, 2))
def test_easy_is_where_nothing_is_lost(d_positive: float, d_negative: float, margin: float) -> None:
    loss = hinge(np.float64(d_positive), np.float64(d_negative), margin)
    kind = difficulty(d_positive, d_negative, margin)
    assert (loss == 0) == (kind == Difficulty.EASY)
    assert (loss >= margin) == (kind == Difficulty.HARD) or loss == pytest.approx(margin)


def test_tensors_agree_with_arrays_and_only_active_triplets_have_gradients() -> None:
    rng = np.random.default_rng(0)
    anchors, positives = rng.normal(size=(2, 3, 128)) * 0.05
    negatives = anchors + np.array([0.01, 0.02, 1])[:, None]
    tensors = [torch.tensor(x, requires_grad=True) for x in (anchors, positives, negatives)]
    losses = triplet_loss(*tensors, 0.2)
    np.testing.assert_allclose(
        losses.detach().numpy(), triplet_loss(anchors, positives, negatives, 0.2)
    )
    assert active_fraction(losses) == pytest.approx(2 / 3)
    losses.sum().backward()
    # dL/dA = 2 (N - P) by calculus; the third, easy triplet teaches nothing.
    np.testing.assert_allclose(tensors[0].grad[:2], 2 * (negatives - positives)[:2])
    assert not tensors[0].grad[2].any()


def test_one_step_down_the_gradient_brings_the_positive_nearer() -> None:
    a, p, n = (torch.tensor(at(d, i), requires_grad=True) for i, d in enumerate((0.0, 0.5, 0.51)))
    triplet_loss(a, p, n, 0.2).backward()
    with torch.no_grad():
        stepped = [x - 0.01 * x.grad for x in (a, p, n)]
        assert squared_distance(stepped[0], stepped[1]) < 0.5
        assert squared_distance(stepped[0], stepped[2]) > 0.51


def test_active_fraction_of_no_triplets() -> None:
    assert active_fraction(np.empty(0)) == 0
