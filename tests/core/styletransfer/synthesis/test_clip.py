"""The style of a clip: painted like a picture, held still where nothing changes."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from styletransfer.core.errors import CheckpointError
from styletransfer.core.features import NetworkExtractor
from styletransfer.core.flow import links
from styletransfer.core.media.types import Clip, MediumError
from styletransfer.core.objective import Objective
from styletransfer.core.pieces import PieceRecipe
from styletransfer.core.synthesis.clip import (
    STEADINESS,
    ClipObjective,
    frames_of,
    picture_recipe,
    steadiness_weight,
)
from styletransfer.core.synthesis.compose import compose
from styletransfer.core.synthesis.types import PieceIterate, Tools
from tests.core.styletransfer.clip.test_flow import texture

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def tools(lite: NetworkExtractor) -> Tools:
    return Tools(CPU, lambda name: lite if name == "lite" else pytest.fail(name))


@pytest.fixture(scope="module")
def gliding() -> Clip:
    """Five frames of a texture that moves two pixels a frame, with a little noise of a camera."""
    wide = texture(48, 90, seed=3).astype(int)
    rng = np.random.default_rng(0)
    frames = [wide[:, 2 * k : 2 * k + 64] + rng.integers(-6, 7, (48, 64, 3)) for k in range(5)]
    return Clip(np.stack(frames).clip(0, 255).astype(np.uint8), 12)


def recipe(**entries: Any) -> PieceRecipe:
    given = {"medium": "clip", "goal": "transfer", "size": 64, "steps": 8}
    return PieceRecipe.from_dict(given | entries)


def run(clip: Clip, style: Image.Image, tools: Tools, **entries: Any) -> list[PieceIterate]:
    return list(compose({"content": clip, "style": style}, recipe(**entries), tools))


def test_every_step_lowers_the_cost_and_shows_the_next_frame(
    gliding: Clip, style: Image.Image, tools: Tools
) -> None:
    totals, shown = [], []
    for iterate in compose({"content": gliding, "style": style}, recipe(), tools):
        totals.append(iterate.losses.total)
        shown.append(iterate.header()["frame"])
        frame = iterate.result().frames[iterate.header()["frame"] - 1]
        assert np.array_equal(iterate.picture(), frame)
    assert shown == [1, 2, 3, 4, 5, 1, 2, 3, 4]
    assert totals[-1] < 0.3 * totals[0]
    assert totals == sorted(totals, reverse=True)
    assert set(iterate.losses.layers) >= {"relu1_1", STEADINESS}
    assert iterate.losses.style == pytest.approx(sum(iterate.losses.layers.values()))
    result = iterate.result()
    assert (result.frames.shape, result.fps) == ((5, 48, 64, 3), 12)
    assert iterate.filters() == {"name": "lite", "version": tools.extractor("lite").version}


def test_steadiness_is_paid_in_flicker_not_in_style(
    gliding: Clip, style: Image.Image, tools: Tools
) -> None:
    *_, loose = run(gliding, style, tools, steadiness=0, steps=10)
    loose_figure, loose_style = loose.figures()[0], loose.losses.style
    *_, steady = run(gliding, style, tools, steadiness=50, steps=10)
    assert steady.figures()[0].result < 0.6 * loose_figure.result
    assert loose_figure.result > loose_figure.example  # the content's own is the floor
    assert steady.losses.style - steady.losses.layers[STEADINESS] < 3 * loose_style
    assert STEADINESS in loose.losses.layers
    assert loose.losses.layers[STEADINESS] == 0


def test_the_gradient_is_that_of_the_cost(
    gliding: Clip, style: Image.Image, lite: NetworkExtractor
) -> None:
    small = Clip(gliding.frames[:3, :32, :32], 12)
    picture = picture_recipe(recipe(style_weight=40))
    frames = list(frames_of(small.frames, CPU))
    manner = next(frames_of(np.asarray(style)[None, :32, :32], CPU))
    objective = ClipObjective(
        [Objective(lite, frame, manner, picture) for frame in frames],
        list(links(small.frames, (1, 2))),
        25.0,
        picture,
    )
    generator = torch.Generator().manual_seed(0)
    x = torch.cat(frames) + 0.05 * torch.rand((3, 3, 32, 32), generator=generator)
    here = objective.evaluate(x)
    assert here.losses.layers[STEADINESS] > 0.01
    for seed in range(3):
        way = torch.randn(x.shape, generator=generator.manual_seed(seed + 1))
        step = 2e-3 / float(way.abs().max())
        ahead, behind = (objective.evaluate(x + sign * step * way).value for sign in (1, -1))
        slope = float((here.gradient * way).sum())
        assert (ahead - behind) / (2 * step) == pytest.approx(slope, rel=0.05)


def test_without_steadiness_each_frame_is_painted_as_a_picture_is(
    gliding: Clip, style: Image.Image, lite: NetworkExtractor
) -> None:
    picture = picture_recipe(recipe())
    frames = list(frames_of(gliding.frames, CPU))
    manner = next(frames_of(np.asarray(style)[None], CPU))
    each = [Objective(lite, frame, manner, picture) for frame in frames]
    x = torch.cat(frames).flip(-1)
    together = ClipObjective(each, list(links(gliding.frames)), 0, picture).evaluate(x)
    alone = [one.evaluate(x[k : k + 1]) for k, one in enumerate(each)]
    assert together.value == pytest.approx(np.mean([one.value for one in alone]), rel=1e-5)
    assert torch.allclose(together.gradient, torch.cat([one.gradient for one in alone]) / 5)


def test_a_resumed_clip_equals_an_uninterrupted_one(
    gliding: Clip, style: Image.Image, tools: Tools
) -> None:
    inputs = {"content": gliding, "style": style}
    for iterate in compose(inputs, recipe(steps=5), tools):
        if iterate.step == 2:
            state = iterate.state()
        last = iterate.result()
    again = list(compose(inputs, recipe(steps=5), tools, state))
    assert [iterate.step for iterate in again] == [2, 3, 4, 5]
    assert np.array_equal(again[-1].result().frames, last.frames)
    other = Clip(gliding.frames[::-1].copy(), 12)
    with pytest.raises(CheckpointError):
        next(compose({"content": other, "style": style}, recipe(), tools, state))


def test_a_cut_does_not_tie_two_scenes(style: Image.Image) -> None:
    scenes = [texture(48, 64, seed=1)] * 2 + [255 - texture(48, 64, seed=9)] * 2
    across = [one for one in links(np.stack(scenes)) if (one.earlier, one.later) == (1, 2)]
    within = [one for one in links(np.stack(scenes)) if (one.earlier, one.later) == (0, 1)]
    assert across[0].trusted.mean() < 0.35
    assert within[0].trusted.mean() > 0.95


@pytest.mark.parametrize(
    ("frames", "size", "code"),
    [
        (np.zeros((1, 48, 64, 3), np.uint8), 64, "one_frame"),
        (np.zeros((90, 50, 64, 3), np.uint8), 512, "clip_too_large"),
        (np.zeros((4, 8, 200, 3), np.uint8), 64, "clip_too_narrow"),
    ],
)
def test_what_cannot_be_painted_is_said(
    frames: Any, size: int, code: str, style: Image.Image, tools: Tools
) -> None:
    with pytest.raises(MediumError) as caught:
        run(Clip(frames, 12), style, tools, size=size)
    assert caught.value.code == code
    assert caught.value.hint


def test_the_slider_multiplies() -> None:
    assert steadiness_weight(0) == 0
    assert steadiness_weight(75) == pytest.approx(10 * steadiness_weight(50))
    assert dataclasses.asdict(recipe())["steadiness"] == 50
