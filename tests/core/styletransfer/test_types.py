from __future__ import annotations

import json
import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from styletransfer.core.errors import RecipeError
from styletransfer.core.types import BOUNDS, LAYERS, Recipe


def test_the_defaults_are_a_recipe_and_survive_json() -> None:
    recipe = Recipe()
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
    assert Recipe.from_dict({}) == recipe


@given(
    size=st.integers(128, 1024),
    style_weight=st.floats(0, 100),
    optimiser=st.sampled_from(["lbfgs", "adam", "gd"]),
    seed=st.integers(0, 2**31 - 1),
)
def test_every_recipe_within_bounds_survives_json(
    size: int, style_weight: float, optimiser: str, seed: int
) -> None:
    recipe = Recipe(size=size, style_weight=style_weight, optimiser=optimiser, seed=seed)
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


@pytest.mark.parametrize("name", BOUNDS)
def test_the_bounds_are_allowed_and_what_lies_beyond_is_not(name: str) -> None:
    low, high = BOUNDS[name]
    for value in (low, high):
        assert getattr(Recipe(**{name: value}), name) == value
    for value in (low - 1, high + 1):
        with pytest.raises(RecipeError) as caught:
            Recipe(**{name: value})
        assert caught.value.field == name


@pytest.mark.parametrize(
    ("entries", "field"),
    [
        ({"size": 512.5}, "size"),
        ({"size": "512"}, "size"),
        ({"size": True}, "size"),
        ({"steps": None}, "steps"),
        ({"style_scales": 1.5}, "style_scales"),
        ({"style_weight": math.nan}, "style_weight"),
        ({"style_weight": "much"}, "style_weight"),
        ({"learning_rate": math.inf}, "learning_rate"),
        ({"optimiser": "sgd"}, "optimiser"),
        ({"optimiser": ["adam"]}, "optimiser"),
        ({"start": "photo"}, "start"),
        ({"extractor": "vgg16"}, "extractor"),
        ({"keep_colours": 1}, "keep_colours"),
        ({"content_layer": "relu4_2"}, "content_layer"),
        ({"layer_weights": []}, "layer_weights"),
        ({"layer_weights": {}}, "layer_weights"),
        ({"layer_weights": {"relu1_1": 0}}, "layer_weights"),
        ({"layer_weights": {"relu9_9": 1}}, "layer_weights"),
        ({"layer_weights": {"relu1_1": -1}}, "layer_weights"),
        ({"layer_weights": {"relu1_1": math.nan}}, "layer_weights"),
        ({"layer_weights": {"relu1_1": "1"}}, "layer_weights"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named(entries: dict, field: str) -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe.from_dict(entries)
    assert caught.value.field == field
    assert caught.value.message


def test_a_recipe_that_is_no_object() -> None:
    with pytest.raises(RecipeError):
        Recipe.from_dict([1, 2])  # type: ignore[arg-type]


def test_vgg19_has_layers_that_lite_lacks() -> None:
    assert Recipe(extractor="vgg19", content_layer="relu4_2").content_layer == "relu4_2"
    assert set(LAYERS["lite"]) < set(LAYERS["vgg19"])


def test_25_points_of_the_slider_are_a_factor_of_ten() -> None:
    assert Recipe(style_weight=75).beta == pytest.approx(10 * Recipe(style_weight=50).beta)
    assert Recipe().alpha == 1


def test_the_vocabulary_needs_no_torch() -> None:
    code = "import sys, styletransfer.core.types; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
