"""The distributions of responses: what they tell apart where Gram matrices do not."""

from __future__ import annotations

import pytest
import torch

from styletransfer.core.filters import Bank
from styletransfer.core.responses import ResponseDistributions

BANKS = [Bank("1", 5, 4), Bank("1/4", 5, 4, shrink=4)]


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_the_same_distributions_cost_nothing_whatever_their_order() -> None:
    style = noise(1, 2, 800)
    term = ResponseDistributions(BANKS, style, 800, seed=1)
    assert term(style) == pytest.approx(0, abs=1e-9)
    moved = torch.cat([style[..., 400:], style[..., :400]], -1)
    assert term(moved) < 1e-3
    assert term(noise(1, 2, 800, seed=1)) < 0.02


def test_a_shift_costs_the_squared_wasserstein_distance() -> None:
    """One tap: the responses are the values times the weight, so both the shift and the unit
    scale with it."""
    style = noise(1, 1, 1000)
    term = ResponseDistributions([Bank("1", 1, 1)], style, 1000, seed=1)
    shifted = style + 2.0
    weights = term._weights[0].flatten()
    wanted = (weights.pow(2) * 4).mean() / (weights[:, None] * style[0]).var()
    assert term(shifted) == pytest.approx(float(wanted), rel=1e-3)


def test_lengths_may_differ() -> None:
    style = noise(1, 1, 3000)
    assert ResponseDistributions(BANKS, style, 500, seed=1)(noise(1, 1, 500, seed=2)) < 0.05


def test_even_and_uneven_events_of_the_same_energy_differ() -> None:
    even, uneven = torch.zeros(2, 1, 1, 1000)
    even[..., ::100] = 1.0
    uneven[..., ::200] = 2**0.5
    assert even.pow(2).sum() == pytest.approx(float(uneven.pow(2).sum()))
    term = ResponseDistributions(BANKS, even, 1000, seed=1)
    assert term(uneven) > 0.05
    assert uneven.requires_grad_() is not None
    (gradient,) = torch.autograd.grad(term(uneven), uneven)
    assert gradient.abs().max() > 0
