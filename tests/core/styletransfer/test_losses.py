from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from styletransfer.core.losses import (
    content_loss,
    gram_loss,
    gram_matrix,
    style_loss,
    total_cost,
    total_variation,
)


def features(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_gram_of_two_channels() -> None:
    a = torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]])
    assert gram_matrix(a).tolist() == [[[5.0, 11.0], [11.0, 25.0]]]


@pytest.mark.parametrize("spatial", [(), (7,), (3, 5), (2, 3, 4)])
def test_gram_sums_over_all_positions_of_any_number_of_axes(spatial: tuple[int, ...]) -> None:
    a = features(2, 3, *spatial)
    by_hand = torch.einsum("ncp,ndp->ncd", a.reshape(2, 3, -1), a.reshape(2, 3, -1))
    assert torch.allclose(gram_matrix(a), by_hand)


@given(
    n=st.integers(1, 2),
    channels=st.integers(1, 5),
    spatial=st.lists(st.integers(1, 4), max_size=3),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_gram_is_symmetric_and_positive(
    n: int, channels: int, spatial: list[int], seed: int
) -> None:
    gram = gram_matrix(features(n, channels, *spatial, seed=seed))
    assert gram.shape == (n, channels, channels)
    assert torch.allclose(gram, gram.transpose(1, 2))
    assert torch.linalg.eigvalsh(gram).min() > -1e-9


@given(seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_gram_does_not_see_where_things_are(seed: int) -> None:
    a = features(1, 4, 9, seed=seed)
    shuffled = a[..., torch.randperm(9, generator=torch.Generator().manual_seed(seed))]
    assert torch.allclose(gram_matrix(a), gram_matrix(shuffled))


def test_gram_of_half_precision_does_not_overflow() -> None:
    gram = gram_matrix(torch.full((1, 1, 40, 40), 10.0, dtype=torch.float16))
    assert gram.dtype == torch.float32
    assert gram.item() == pytest.approx(160_000)


def test_content_loss_is_half_the_squared_distance() -> None:
    a, b = torch.zeros(1, 2, 2, 1), torch.tensor([1.0, 2.0, 3.0, 4.0]).view(1, 2, 2, 1)
    assert content_loss(a, b).item() == pytest.approx(15.0)
    with pytest.raises(ValueError, match="shape"):
        content_loss(a, b[..., :1, :])


def test_style_loss_has_the_factor_of_the_course() -> None:
    # nH = nW = 2, nC = 3: the Grams differ by 4 in nine places, 9 · 16 / (2 · 2 · 2 · 3)² = 0.25
    assert style_loss(torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2)).item() == pytest.approx(0.25)


def test_style_loss_of_one_texture_in_two_sizes_is_zero() -> None:
    tile = features(1, 3, 2, 2)
    assert style_loss(tile.repeat(1, 1, 3, 2), tile).item() == pytest.approx(0, abs=1e-12)


def test_style_loss_of_equal_sizes_needs_no_rescaling() -> None:
    a, b = features(1, 3, 4, 5, seed=1), features(1, 3, 4, 5, seed=2)
    gap = (gram_matrix(a) - gram_matrix(b)).pow(2).sum()
    assert style_loss(a, b).item() == pytest.approx((gap / (2 * 20 * 3) ** 2).item())
    fused = gram_loss(gram_matrix(a), gram_matrix(b), 20)
    assert fused.item() == pytest.approx(style_loss(a, b).item())


def test_style_loss_refuses_other_channels() -> None:
    with pytest.raises(ValueError, match="channels"):
        style_loss(features(1, 3, 2, 2), features(1, 4, 2, 2))


def test_gradients_are_the_analytic_ones() -> None:
    target, a = features(1, 3, 2, 2, seed=1), features(1, 3, 2, 2, seed=2).requires_grad_()
    (of_content,) = torch.autograd.grad(content_loss(target, a), a)
    assert torch.allclose(of_content, a - target)
    (of_style,) = torch.autograd.grad(style_loss(target, a), a)
    gap = gram_matrix(a) - gram_matrix(target)  # Gatys et al. (2015), equation 6
    analytic = 4 / (2 * 4 * 3) ** 2 * (gap @ a.flatten(2)).view_as(a)
    assert torch.allclose(of_style, analytic)


@pytest.mark.parametrize("loss", [content_loss, style_loss])
def test_gradients_agree_with_finite_differences(loss) -> None:
    target, a = features(1, 2, 2, 3, seed=1), features(1, 2, 2, 3, seed=2).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss(target, x), (a,))


def test_total_cost_weighs_the_two() -> None:
    assert total_cost(10.0, 2.0, 40.0, 0.5) == pytest.approx(40.0)
    assert total_cost(1.0, torch.tensor(3.0), 2.0, torch.tensor(4.0)).item() == pytest.approx(11.0)


def test_total_variation_of_a_step() -> None:
    image = torch.zeros(1, 3, 2, 4)
    image[..., 2:] = 1
    assert total_variation(image).item() == pytest.approx(1 / 3)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_total_variation_sums_over_any_number_of_axes(axes: int) -> None:
    """A ramp along the last axis has one slope, whatever the others are; one value has none."""
    ramp = torch.arange(5.0).mul(0.5).expand(1, 2, *[4] * (axes - 1), 5)
    assert total_variation(ramp).item() == pytest.approx(0.5)
    diagonal = sum(torch.arange(4.0).view(-1, *[1] * after) for after in range(axes))
    assert total_variation(diagonal[None, None]).item() == pytest.approx(axes)
    assert total_variation(torch.ones(1, 1, *[1] * axes)).item() == 0
