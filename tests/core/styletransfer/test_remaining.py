"""A finished picture, looked into."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from styletransfer.core.features import NetworkExtractor
from styletransfer.core.images import to_tensor
from styletransfer.core.losses import gram_matrix
from styletransfer.core.optimise import as_compared, optimise
from styletransfer.core.types import STYLE_LAYERS, Recipe
from styletransfer.core.visualise.gram_picture import (
    difference_picture,
    gram_pictures,
    strongest_pairs,
    together,
)
from styletransfer.core.visualise.remaining import look_into


def test_what_remains_is_what_the_painting_ended_with(
    lite: NetworkExtractor, content: Image.Image, style: Image.Image
) -> None:
    weights = {"relu1_1": 1.0, "relu3_1": 3.0}
    recipe = Recipe(
        size=128, steps=8, layer_weights=weights, content_layer="relu3_1", style_scales=1
    )
    *_, last = optimise(content, style, lite, recipe)
    c, s = as_compared(content, style, lite, recipe)
    found = {i.layer: i for i in look_into(lite, c, s, last.state().x, STYLE_LAYERS)}
    assert tuple(found) == STYLE_LAYERS
    assert found["relu3_1"].content == pytest.approx(last.losses.content, rel=1e-4)
    for layer, weight in weights.items():
        share = weight / 4 * found[layer].style
        assert share == pytest.approx(last.losses.style_layers[layer], rel=1e-4)


def test_the_two_ends_of_both_scales(
    lite: NetworkExtractor, content: Image.Image, style: Image.Image
) -> None:
    c, s = to_tensor(content), to_tensor(style)
    for insight in look_into(lite, c, s, c, STYLE_LAYERS):
        assert insight.content == pytest.approx(0, abs=1e-6)
        assert insight.style == pytest.approx(1, rel=1e-4)
    for insight in look_into(lite, c, c, c, ["relu2_1"]):
        assert insight.style == pytest.approx(0, abs=1e-6)
        assert np.allclose(insight.of_style, insight.of_picture)
    features = lite(s, ["relu1_1"])["relu1_1"]
    (first,) = look_into(lite, c, s, c, ["relu1_1"])
    mean = gram_matrix(features)[0] / (features.shape[2] * features.shape[3])
    assert np.allclose(first.of_style, mean.numpy(), rtol=1e-4)


def test_keeping_the_colours_is_compared_by_lightness(
    lite: NetworkExtractor, content: Image.Image, style: Image.Image
) -> None:
    c, s = as_compared(content, style, lite, Recipe(size=128, keep_colours=True))
    assert torch.equal(c[:, 0], c[:, 2])
    assert c.mean().item() == pytest.approx(s.mean().item(), abs=0.02)


GRAM = np.array([[9, 4, 1], [4, 4, 2], [1, 2, 1]], np.float32)


def test_a_gram_matrix_in_decades() -> None:
    style = np.array([[1, 0.1], [1e-4, 0]], np.float32)
    shown, other = gram_pictures(style, style * 1e-2)
    assert shown.shape == (2, 2, 3)
    assert shown[0, 0].tolist() == [255, 254, 251]
    assert shown[0, 1].tolist() == [239, 184, 81]  # a decade below is three quarters of the ramp
    assert shown[1, 0].tolist() == shown[1, 1].tolist() == [19, 18, 17]
    assert other[0, 0].tolist() == [200, 66, 32]  # on the same scale, two decades below
    assert gram_pictures(style * 0, style * 0)[0].max() < 20


def test_a_difference_has_its_two_colours() -> None:
    style = np.array([[1, 1], [1, 0]], np.float32)
    shown = difference_picture(style, np.array([[1, 100], [0.01, 0]], np.float32))
    assert shown[0, 0].tolist() == shown[1, 1].tolist() == [28, 26, 24]
    assert shown[0, 1].tolist() == [255, 143, 110]
    assert shown[1, 0].tolist() == [99, 207, 176]


def test_pairs_that_fire_together() -> None:
    assert strongest_pairs(GRAM, 3) == [(0, 1)]  # what is left has no partner
    wider = np.zeros((4, 4), np.float32)
    wider[0, 1] = wider[1, 0] = 5
    wider[1, 2] = wider[2, 1] = 4
    wider[2, 3] = wider[3, 2] = 1
    assert strongest_pairs(wider, 5) == [(0, 1), (2, 3)]
    assert strongest_pairs(wider * 0, 5) == []


def test_together_is_the_cosine() -> None:
    assert together(GRAM, (0, 1)) == pytest.approx(4 / 6)
    assert together(np.array([[4, 6], [6, 9]], np.float32), (0, 1)) == pytest.approx(1)
    assert together(np.zeros((2, 2), np.float32), (0, 1)) == 0
