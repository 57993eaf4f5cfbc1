from __future__ import annotations

import pytest
import torch
from torch import Tensor

from styletransfer.core.features import NetworkExtractor
from styletransfer.core.filters import Bank, RandomFilters
from styletransfer.core.losses import style_loss
from styletransfer.core.texture import TextureObjective

SIDES = {1: (60,), 2: (24, 20), 3: (12, 11, 10)}
BANKS = [Bank("fine", 3, 4), Bank("coarse", 3, 5, shrink=2)]


@pytest.fixture(params=SIDES)
def axes(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
def network(axes: int) -> RandomFilters:
    return RandomFilters(2, axes, BANKS, seed=1)


def noise(axes: int, seed: int, *, more: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, 2, *[n + more for n in SIDES[axes]], generator=generator)


def test_each_layer_is_the_formula_over_its_value_at_the_start(axes, network) -> None:
    s, start, x = noise(axes, 1, more=3), noise(axes, 2) * 0.3, noise(axes, 3)
    objective = TextureObjective(network, s, start, layer_weights={"fine": 3.0, "coarse": 1.0})
    assert objective.evaluate(start).losses.layers == pytest.approx({"fine": 0.75, "coarse": 0.25})
    of_s, of_start, of_x = (network(v, network.layers) for v in (s, start, x))
    losses = objective.evaluate(x).losses
    for name, share in (("fine", 0.75), ("coarse", 0.25)):
        cost, unit = (style_loss(of_s[name], v[name]).item() for v in (of_x, of_start))
        assert losses.layers[name] == pytest.approx(share * cost / unit, rel=1e-4)
    assert losses.total == losses.style == pytest.approx(sum(losses.layers.values()), rel=1e-5)
    assert losses.content == 0


def test_the_example_itself_costs_nothing(axes, network) -> None:
    s = noise(axes, 1)
    objective = TextureObjective(network, s, torch.zeros_like(s))
    assert objective.evaluate(s).value == pytest.approx(0, abs=1e-6)
    assert objective.evaluate(torch.zeros_like(s)).value == pytest.approx(1)
    assert objective.natural == 1


def test_content_and_terms_are_weighed(axes, network) -> None:
    s, c, x = noise(axes, 1), noise(axes, 2), noise(axes, 3)
    objective = TextureObjective(
        network,
        s,
        c,
        content=c,
        content_layer="fine",
        alpha=2.0,
        beta=10.0,
        terms={"brightness": (0.5, lambda v: v.mean())},
    )
    at_content, elsewhere = objective.evaluate(c).losses, objective.evaluate(x).losses
    assert at_content.content == pytest.approx(0, abs=1e-7)
    assert elsewhere.content > 0.5
    assert elsewhere.layers["brightness"] == pytest.approx(0.5 * x.mean().item())
    assert elsewhere.style == pytest.approx(sum(elsewhere.layers.values()), rel=1e-5)
    total = 2 * elsewhere.content + 10 * elsewhere.style
    assert elsewhere.total == pytest.approx(total, rel=1e-5)
    assert objective.natural == 12


def test_several_examples_count_by_position(axes, network) -> None:
    """An example given twice is the example; two are what lies between."""
    a, b, x = noise(axes, 1), noise(axes, 2, more=4) * 0.5, noise(axes, 3)
    value = {
        key: TextureObjective(network, given, torch.zeros_like(x)).evaluate(x).value
        for key, given in {"a": a, "aa": [a, a], "ab": [a, b], "b": b}.items()
    }
    assert value["aa"] == pytest.approx(value["a"], rel=1e-5)
    assert min(value["a"], value["b"]) != pytest.approx(value["ab"], rel=1e-2)


def test_the_gradient_agrees_with_finite_differences(axes, network) -> None:
    s, c, x = noise(axes, 1).double(), noise(axes, 2).double(), noise(axes, 3).double()
    objective = TextureObjective(
        network, s, c, content=c, content_layer="coarse", terms={"e": (1.0, lambda v: (v**2).sum())}
    )
    direction = torch.randn(x.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(4))
    ahead, behind = (objective.evaluate(x + t * direction).value for t in (1e-5, -1e-5))
    slope = (objective.evaluate(x).gradient * direction).sum().item()
    assert (ahead - behind) / 2e-5 == pytest.approx(slope, rel=1e-3)


def test_a_batch_of_frames_each_with_the_style(lite: NetworkExtractor) -> None:
    s, frames = torch.rand(1, 3, 48, 40), torch.rand(3, 3, 32, 32) * 0.3
    objective = TextureObjective(lite, s, frames, layer_weights={"relu1_1": 1.0, "relu2_1": 1.0})
    evaluation = objective.evaluate(frames)
    assert evaluation.value == pytest.approx(1, rel=1e-4)
    assert evaluation.gradient.shape == frames.shape
