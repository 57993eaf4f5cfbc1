from __future__ import annotations

import pytest
import torch
from PIL import Image
from torch import Tensor

from styletransfer.core.errors import PictureError
from styletransfer.core.features import NetworkExtractor, build_extractor
from styletransfer.core.images import to_tensor
from styletransfer.core.losses import content_loss, style_loss, total_variation
from styletransfer.core.objective import Objective
from styletransfer.core.types import Recipe

WEIGHTS = {"relu1_1": 0.5, "relu3_1": 2.0, "relu5_1": 0.0}


@pytest.fixture
def pictures(content: Image.Image, style: Image.Image) -> tuple[Tensor, Tensor, Tensor]:
    noise = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    return to_tensor(content), to_tensor(style), noise


def test_the_raw_costs_are_those_of_the_formulas(lite: NetworkExtractor, pictures) -> None:
    c, s, g = pictures
    recipe = Recipe(layer_weights=WEIGHTS, content_layer="relu3_1", style_weight=30)
    losses = Objective(lite, c, s, recipe).evaluate(g).losses
    layers = ("relu1_1", "relu3_1")
    of_c, of_s, of_g = (lite(x, layers) for x in (c, s, g))
    content = content_loss(of_c["relu3_1"], of_g["relu3_1"]).item()
    style = sum(WEIGHTS[k] * style_loss(of_s[k], of_g[k]).item() for k in layers)
    assert losses.course_content == pytest.approx(content, rel=1e-4)
    assert losses.course_style == pytest.approx(style, rel=1e-4)
    assert losses.course_total == pytest.approx(
        recipe.alpha * content + recipe.beta * style, rel=1e-4
    )


def test_the_normalised_terms_have_their_fixed_points(lite: NetworkExtractor, pictures) -> None:
    c, s, g = pictures
    objective = Objective(lite, c, s, Recipe(tv_weight=0))
    at_content, at_noise = objective.evaluate(c).losses, objective.evaluate(g).losses
    assert at_content.content == pytest.approx(0, abs=1e-6)
    assert at_content.style == pytest.approx(1, rel=1e-4)
    assert at_content.total == pytest.approx(Recipe().beta, rel=1e-4)
    assert at_noise.content > 0.1
    assert sum(at_noise.style_layers.values()) == pytest.approx(at_noise.style, rel=1e-4)
    at_style = Objective(lite, c, c, Recipe()).evaluate(c).losses
    assert at_style.style == pytest.approx(0, abs=1e-5)


def test_only_the_layers_asked_for_count(lite: NetworkExtractor, pictures) -> None:
    c, s, g = pictures
    losses = Objective(lite, c, s, Recipe(layer_weights=WEIGHTS)).evaluate(g).losses
    assert set(losses.style_layers) == {"relu1_1", "relu3_1"}


def test_total_variation_is_added_with_its_weight(lite: NetworkExtractor, pictures) -> None:
    c, s, g = pictures
    without = Objective(lite, c, s, Recipe(tv_weight=0.0, style_weight=0)).evaluate(g).value
    with_it = Objective(lite, c, s, Recipe(tv_weight=2.0, style_weight=0)).evaluate(g).value
    assert with_it - without == pytest.approx(2 * total_variation(g).item(), rel=1e-3)


def test_the_gradient_agrees_with_finite_differences(lite: NetworkExtractor, pictures) -> None:
    c, s, g = pictures
    objective = Objective(lite, c, s, Recipe(style_weight=30))
    direction = objective.evaluate(g).gradient
    slope = direction.pow(2).sum().item()
    step = 1e-3 / direction.abs().max()
    ahead, behind = (objective.evaluate(g + t * direction).value for t in (step, -step))
    assert (ahead - behind) / (2 * step.item()) == pytest.approx(slope, rel=0.02)


def test_bfloat16_features_give_nearly_the_same_costs(lite: NetworkExtractor, pictures) -> None:
    c, s, g = pictures
    exact = Objective(lite, c, s, Recipe()).evaluate(g)
    rough = Objective(build_extractor("lite", bf16=True), c, s, Recipe()).evaluate(g)
    assert rough.value == pytest.approx(exact.value, rel=0.03)
    cosine = torch.cosine_similarity(rough.gradient.flatten(), exact.gradient.flatten(), dim=0)
    assert cosine > 0.97


def test_a_picture_without_structure_divides_by_nothing(lite: NetworkExtractor) -> None:
    black, grey = torch.zeros(1, 3, 64, 64), torch.full((1, 3, 64, 64), 0.5)
    evaluation = Objective(lite, black, black, Recipe()).evaluate(grey)
    assert torch.isfinite(evaluation.gradient).all()
    assert evaluation.value < float("inf")


def test_scales_compare_the_style_at_half_size_too(lite: NetworkExtractor, pictures) -> None:
    c, s, g = pictures
    half = [torch.nn.functional.interpolate(x, scale_factor=0.5, mode="area") for x in (c, s, g)]
    one, both = (Objective(lite, c, s, Recipe(style_scales=n)).evaluate(g).losses for n in (1, 2))
    small = Objective(lite, half[0], half[1], Recipe(style_scales=1)).evaluate(half[2]).losses
    assert both.style == pytest.approx((one.style + small.style) / 2, rel=0.25)
    assert both.style != pytest.approx(one.style, rel=0.01)
    assert sum(both.style_layers.values()) == pytest.approx(both.style, rel=1e-4)
    assert both.course_style == pytest.approx(one.course_style, rel=1e-5)


def test_a_narrow_picture_has_fewer_scales_and_a_sliver_none(lite: NetworkExtractor) -> None:
    narrow, sliver = torch.rand(1, 3, 128, 20), torch.rand(1, 3, 128, 15)
    assert (
        Objective(lite, narrow, narrow, Recipe(style_scales=3)).evaluate(narrow).losses.style < 1e-4
    )
    with pytest.raises(PictureError, match="15 px"):
        Objective(lite, narrow, sliver, Recipe())
