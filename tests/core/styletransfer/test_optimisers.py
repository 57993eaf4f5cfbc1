from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from styletransfer.core.objective import Evaluation
from styletransfer.core.optimisers import HISTORY, LBFGS, Optimiser, build_optimiser
from styletransfer.core.types import DEFAULT_LEARNING_RATES, Losses

NO_LOSSES = Losses(0, 0, 0, {}, 0, 0, 0)
TARGET = torch.linspace(0.2, 0.8, 12, dtype=torch.float64).view(1, 3, 2, 2)
STIFFNESS = torch.logspace(0, 3, 12, dtype=torch.float64).view(1, 3, 2, 2)


class Bowl:
    """½ Σ k (x − target)², with condition number 1000; counts its evaluations."""

    def __init__(self) -> None:
        self.evaluations = 0

    def __call__(self, x: Tensor) -> Evaluation:
        self.evaluations += 1
        gap = x - TARGET
        return Evaluation(0.5 * (STIFFNESS * gap.pow(2)).sum().item(), STIFFNESS * gap, NO_LOSSES)


def descend(optimiser: Optimiser, steps: int, bowl: Bowl | None = None) -> tuple[Tensor, list]:
    bowl = bowl or Bowl()
    x = torch.full_like(TARGET, 0.5)
    here, values = bowl(x), []
    for _ in range(steps):
        x, here = optimiser.step(x, here, bowl)
        values.append(here.value)
    return x, values


@pytest.mark.parametrize("name", DEFAULT_LEARNING_RATES)
def test_each_lowers_the_cost(name: str) -> None:
    _, values = descend(build_optimiser(name, DEFAULT_LEARNING_RATES[name]), 60)
    assert values[-1] < 0.2 * values[0]


def test_gradient_descent_is_the_rule_of_the_course() -> None:
    bowl = Bowl()
    x = torch.full_like(TARGET, 0.5)
    here = bowl(x)
    optimiser = build_optimiser("gd", 0.5)
    first, there = optimiser.step(x, here, bowl)
    assert (first - x).abs().mean().item() == pytest.approx(0.5 * 0.01)
    second, _ = optimiser.step(first, there, bowl)
    rate = ((x - first) / here.gradient).mean()
    assert torch.allclose(first - second, rate * there.gradient)


def test_adam_agrees_with_torch() -> None:
    x, reference = torch.full_like(TARGET, 0.5), torch.full_like(TARGET, 0.5).requires_grad_()
    ours, theirs = build_optimiser("adam", 0.01), torch.optim.Adam([reference], lr=0.01, eps=1e-12)
    bowl = Bowl()
    here = bowl(x)
    for _ in range(10):
        x, here = ours.step(x, here, bowl)
        reference.grad = bowl(reference.detach()).gradient
        theirs.step()
    assert torch.allclose(x, reference.detach(), atol=1e-6)


def test_lbfgs_never_rises_and_finds_the_minimum() -> None:
    bowl = Bowl()
    x, values = descend(build_optimiser("lbfgs", 1.0), 120, bowl)
    assert all(b <= a for a, b in pairwise(values))
    assert torch.allclose(x, TARGET, atol=1e-4)
    assert bowl.evaluations < 180


def test_lbfgs_stays_put_at_a_minimum() -> None:
    bowl = Bowl()
    here = bowl(TARGET)
    x, there = build_optimiser("lbfgs", 1.0).step(TARGET, here, bowl)
    assert x is TARGET
    assert there is here


def test_lbfgs_survives_a_cost_that_never_falls() -> None:
    """A gradient that points the wrong way: it must give up, not loop or jump."""

    def liar(x: Tensor) -> Evaluation:
        honest = Bowl()(x)
        return Evaluation(honest.value, -honest.gradient, NO_LOSSES)

    x = torch.full_like(TARGET, 0.5)
    moved, there = LBFGS(1.0).step(x, liar(x), liar)
    assert torch.equal(moved, x)
    assert there.value == liar(x).value


@pytest.mark.parametrize("name", DEFAULT_LEARNING_RATES)
def test_values_stay_within_the_box(name: str) -> None:
    def outwards(x: Tensor) -> Evaluation:
        return Evaluation(-x.sum().item(), -torch.ones_like(x), NO_LOSSES)

    optimiser, x = build_optimiser(name, 1.0), torch.full_like(TARGET, 0.5)
    here = outwards(x)
    for _ in range(80):
        x, here = optimiser.step(x, here, outwards)
    assert torch.allclose(x, torch.ones_like(x))


@pytest.mark.parametrize("name", DEFAULT_LEARNING_RATES)
def test_the_state_is_all_there_is(name: str) -> None:
    rate = DEFAULT_LEARNING_RATES[name]
    straight, _ = descend(build_optimiser(name, rate), 30)
    first, second, bowl = build_optimiser(name, rate), build_optimiser(name, rate), Bowl()
    x, _ = descend(first, 14)
    second.load_state_dict({k: v.clone() for k, v in first.state_dict().items()})
    here = bowl(x)
    for _ in range(16):
        x, here = second.step(x, here, bowl)
    assert torch.equal(x, straight)
    assert all(isinstance(v, Tensor) for v in first.state_dict().values())
    assert build_optimiser(name, rate).state_dict() == {}


def test_lbfgs_history_is_bounded() -> None:
    optimiser, short = LBFGS(1.0), build_optimiser("lbfgs", 1.0, history=3)
    for bounded in (optimiser, short):
        descend(bounded, 40)
    assert len(optimiser.state_dict()["s"]) <= HISTORY
    assert len(short.state_dict()["s"]) <= 3


@pytest.mark.parametrize("name", DEFAULT_LEARNING_RATES)
def test_without_bounds_values_go_where_they_must(name: str) -> None:
    def far(x: Tensor) -> Evaluation:
        gap = x - 3.0
        return Evaluation(0.5 * gap.pow(2).sum().item(), gap, NO_LOSSES)

    x = torch.zeros_like(TARGET)
    optimiser, here = build_optimiser(name, DEFAULT_LEARNING_RATES[name], None), far(x)
    for _ in range(200):
        x, here = optimiser.step(x, here, far)
    assert x.mean() > 1.2
