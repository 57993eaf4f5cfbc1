from __future__ import annotations

import dataclasses
from itertools import islice

import numpy as np
import pytest
import torch
from PIL import Image

from styletransfer.core.errors import CheckpointError, DivergedError
from styletransfer.core.features import NetworkExtractor
from styletransfer.core.images import luma, resize, to_tensor
from styletransfer.core.optimise import Iterate, optimise
from styletransfer.core.types import DEFAULT_LEARNING_RATES, Recipe

SMALL = Recipe(size=128, steps=12, style_weight=40)


@pytest.mark.parametrize("name", DEFAULT_LEARNING_RATES)
@pytest.mark.parametrize("start", ["content", "noise", "blend"])
def test_each_optimiser_lowers_j_from_each_start(
    name: str, start: str, lite: NetworkExtractor, content: Image.Image, style: Image.Image
) -> None:
    recipe = dataclasses.replace(SMALL, optimiser=name, start=start)
    totals = [i.losses.total for i in optimise(content, style, lite, recipe)]
    assert len(totals) == 13
    assert totals[-1] < 0.8 * totals[0]


def test_the_iterates_count_up_and_show_the_picture(
    lite: NetworkExtractor, content: Image.Image, style: Image.Image
) -> None:
    steps, first, last = [], None, None
    for iterate in optimise(content, style, lite, SMALL):
        steps.append(iterate.step)
        assert iterate.steps == 12
        last = iterate.image()
        first = last if first is None else first
    assert steps == list(range(13))
    assert np.array_equal(first, np.asarray(resize(content, 128)))
    assert last.shape == (85, 128, 3)
    assert last.dtype == np.uint8
    assert not np.array_equal(first, last)


def test_to_cancel_is_to_stop_iterating(
    lite: NetworkExtractor, content: Image.Image, style: Image.Image
) -> None:
    evaluations = 0

    class Counting(NetworkExtractor):
        def __call__(self, image, layers):
            nonlocal evaluations
            evaluations += 1
            return lite(image, layers)

    counting = Counting(lite.name, lite.version, torch.nn.Identity(), lite.device, bf16=False)
    painting = optimise(content, style, counting, SMALL)
    next(painting)
    next(painting)
    before = evaluations
    painting.close()
    assert evaluations == before < 12


def test_the_seed_decides_the_noise(
    lite: NetworkExtractor, content: Image.Image, style: Image.Image
) -> None:
    def start(seed: int, how: str = "noise") -> np.ndarray:
        recipe = dataclasses.replace(SMALL, start=how, seed=seed)
        return next(optimise(content, style, lite, recipe)).image()

    assert np.array_equal(start(1), start(1))
    assert not np.array_equal(start(1), start(2))
    assert np.array_equal(start(1, "content"), start(2, "content"))
    assert abs(start(1).astype(float).mean() - 127.5) < 2


def test_a_blend_lies_between(
    lite: NetworkExtractor, content: Image.Image, style: Image.Image
) -> None:
    def start(**entries) -> np.ndarray:
        recipe = dataclasses.replace(SMALL, **entries)
        return next(optimise(content, style, lite, recipe)).image().astype(float)

    half = start(start="blend", blend=0.5)
    assert np.abs(half - (start(start="content") + start(start="noise")) / 2).max() <= 1


def run(painting, *, until: int) -> Iterate:
    return next(i for i in painting if i.step == until)


@pytest.mark.parametrize("name", DEFAULT_LEARNING_RATES)
def test_a_resumed_run_makes_the_same_picture(
    name: str, lite: NetworkExtractor, content: Image.Image, style: Image.Image
) -> None:
    recipe = dataclasses.replace(SMALL, optimiser=name, steps=20)
    straight = run(optimise(content, style, lite, recipe), until=20)
    state = run(optimise(content, style, lite, recipe), until=10).state()
    resumed = list(optimise(content, style, lite, recipe, state=state))
    assert [i.step for i in resumed] == list(range(10, 21))
    assert torch.equal(resumed[-1].state().x, straight.state().x)
    assert resumed[-1].losses == straight.losses


def test_a_state_fits_no_other_painting(
    lite: NetworkExtractor, content: Image.Image, style: Image.Image
) -> None:
    state = run(optimise(content, style, lite, SMALL), until=2).state()
    longer = dataclasses.replace(SMALL, steps=14)
    assert next(optimise(content, style, lite, longer, state=state)).step == 2
    other = dataclasses.replace(SMALL, style_weight=41)
    for painting in (
        optimise(content, style, lite, other, state=state),
        optimise(style, style, lite, SMALL, state=state),
    ):
        with pytest.raises(CheckpointError):
            next(painting)


@pytest.mark.parametrize("name", ["gd", "adam"])
def test_a_rate_that_is_too_high_is_an_error_not_a_black_picture(
    name: str, lite: NetworkExtractor, content: Image.Image, style: Image.Image
) -> None:
    recipe = dataclasses.replace(SMALL, optimiser=name, learning_rate=10.0, style_weight=0)
    with pytest.raises(DivergedError) as caught:
        list(optimise(content, style, lite, dataclasses.replace(recipe, steps=100)))
    assert 10 <= caught.value.step < 100
    with pytest.raises(DivergedError) as caught:
        list(optimise(content, style, lite, dataclasses.replace(recipe, steps=4)))
    assert caught.value.step == 4


def test_a_leap_that_comes_back_is_no_error(
    lite: NetworkExtractor, content: Image.Image, style: Image.Image
) -> None:
    recipe = dataclasses.replace(SMALL, optimiser="adam", learning_rate=1.0, steps=30)
    totals = [i.losses.total for i in optimise(content, style, lite, recipe)]
    assert max(totals) > 5 * totals[0]
    assert totals[-1] < totals[0]


def test_not_a_number_is_an_error(
    lite: NetworkExtractor, content: Image.Image, style: Image.Image
) -> None:
    class Broken(NetworkExtractor):
        def __call__(self, image, layers):
            return {k: v * float("nan") for k, v in lite(image, layers).items()}

    broken = Broken(lite.name, lite.version, torch.nn.Identity(), lite.device, bf16=False)
    with pytest.raises(DivergedError):
        next(optimise(content, style, broken, SMALL))


def test_keep_colours_keeps_them(
    lite: NetworkExtractor, content: Image.Image, style: Image.Image
) -> None:
    """A grey content picture stays grey however warm the style is."""
    grey = content.convert("L").convert("RGB")
    recipe = dataclasses.replace(SMALL, keep_colours=True)
    *_, last = islice(optimise(grey, style, lite, recipe), 13)
    pixels = last.image().astype(int)
    assert np.ptp(pixels, axis=2).max() <= 1
    assert np.abs(luma(to_tensor(grey)).mean().item() * 255 - pixels.mean()) < 40
    *_, coloured = optimise(grey, style, lite, SMALL)
    assert np.ptp(coloured.image().astype(int), axis=2).max() > 20


def test_pictures_of_any_two_shapes(lite: NetworkExtractor) -> None:
    tall, wide = Image.new("RGB", (20, 90), "teal"), Image.new("L", (300, 40), 200)
    *_, last = optimise(tall, wide, lite, dataclasses.replace(SMALL, steps=2))
    assert last.image().shape == (128, 28, 3)
