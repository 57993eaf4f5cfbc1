from __future__ import annotations

import pytest
import torch

from styletransfer.core.filters import Bank, RandomFilters
from styletransfer.core.media.types import MediumError


@pytest.mark.parametrize(
    ("shape", "filters"),
    [((14, 14, 14, 1), (10, 10, 10, 16)), ((14, 1), (10, 16)), ((14, 14, 3), (10, 10, 16))],
)
def test_the_courses_example_in_one_two_and_three_dimensions(
    shape: tuple[int, ...], filters: tuple[int, ...]
) -> None:
    """14×14×14×1 with sixteen filters of 5×5×5 gives 10×10×10×16, as the notes write it."""
    *sides, channels = shape
    network = RandomFilters(channels, len(sides), [Bank("conv", 5, 16)])
    seen = network(torch.rand(1, channels, *sides), ["conv"])["conv"]
    assert seen.movedim(1, -1).shape == (1, *filters)


def test_it_is_the_convolution_and_the_relu() -> None:
    x = torch.randn(1, 2, 9)
    network = RandomFilters(2, 1, [Bank("a", 3, 4, dilation=2)], seed=3)
    weights = torch.randn(4, 2, 3, generator=torch.Generator().manual_seed(3)) * (2 / 6) ** 0.5
    by_hand = torch.stack([(weights * x[:, :, p : p + 5 : 2]).sum((1, 2)) for p in range(5)], -1)
    assert torch.allclose(network(x, ["a"])["a"][0], by_hand.clamp(min=0), atol=1e-6)


def test_the_seed_is_the_network() -> None:
    x, bank, more = torch.rand(1, 1, 40), Bank("a", 5, 8), Bank("b", 9, 8, shrink=2)
    one, same, other = (RandomFilters(1, 1, [bank], seed=s) for s in (1, 1, 2))
    longer = RandomFilters(1, 1, [bank, more], seed=1)
    assert torch.equal(one(x, ["a"])["a"], same(x, ["a"])["a"])
    assert torch.equal(one(x, ["a"])["a"], longer(x, ["a", "b"])["a"])
    assert not torch.equal(one(x, ["a"])["a"], other(x, ["a"])["a"])
    assert len({one.version, other.version, longer.version}) == 3
    assert longer.version == "seed 1: a 8×5¹, b 8×9¹ shrink 2"


def test_a_coarser_scale_has_fewer_positions() -> None:
    network = RandomFilters(1, 2, [Bank("a", 3, 2, shrink=4)])
    assert network(torch.rand(1, 1, 21, 16), ["a"])["a"].shape == (1, 2, 3, 2)


@pytest.mark.parametrize("bank", [Bank("a", 5, 2), Bank("a", 3, 2, dilation=3, shrink=2)])
def test_a_value_sees_its_receptive_field(bank: Bank) -> None:
    x = torch.ones(1, 1, 60, requires_grad=True)
    network = RandomFilters(1, 1, [bank], seed=1)
    (gradient,) = torch.autograd.grad(network(x, ["a"])["a"][0, :, 1].sum(), x)
    seen = gradient[0, 0].nonzero()
    first = bank.field.start + bank.field.stride
    assert (seen.min().item(), seen.max().item()) == (first, first + bank.field.size - 1)


def test_what_is_too_small_is_said() -> None:
    network = RandomFilters(1, 3, [Bank("a", 5, 2, shrink=2)])
    with pytest.raises(MediumError, match=r"10 values wide.* only 9"):
        network(torch.rand(1, 1, 9, 20, 20), ["a"])
    with pytest.raises(KeyError, match="no bank b"):
        network(torch.rand(1, 1, 20, 20, 20), ["b"])
    with pytest.raises(ValueError, match="4 spatial axes"):
        RandomFilters(1, 4, [])
