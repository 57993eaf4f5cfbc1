from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from styletransfer.core.errors import CheckpointError
from styletransfer.core.features import NetworkExtractor
from styletransfer.core.grams import GramObjective
from styletransfer.core.media.types import MediumError, Volume
from styletransfer.core.pieces import PieceRecipe
from styletransfer.core.slices import slice_objective, slices_across
from styletransfer.core.synthesis import volume as synthesis
from styletransfer.core.synthesis.compose import compose
from styletransfer.core.synthesis.solid import scaled as scaled_picture
from styletransfer.core.synthesis.state_file import load_piece, save_piece
from styletransfer.core.synthesis.types import Tools


def blobs(side: int = 24, seed: int = 0) -> Volume:
    noise = np.random.default_rng(seed).uniform(0, 1, (1, *[side // 4] * 3)) < 0.4
    values = noise.repeat(4, 1).repeat(4, 2).repeat(4, 3)
    return Volume(values.astype(np.float32), (2.0, 1.0, 1.0), (-100.0, 300.0))


def stripes(side: int = 96) -> Image.Image:
    along = (np.arange(side) // 3) % 2
    pixels = np.broadcast_to(along[:, None, None] * [200, 120, 40], (side, side, 3))
    return Image.fromarray(pixels.astype(np.uint8))


def recipe(goal: str = "texture", **entries: Any) -> PieceRecipe:
    given = {"medium": "volume", "goal": goal, "size": 16, "steps": 4} | entries
    return PieceRecipe.from_dict(given)


@pytest.fixture
def tools(lite: NetworkExtractor) -> Tools:
    return Tools(torch.device("cpu"), lambda name: lite)


def last(inputs: dict[str, Any], asked: PieceRecipe, tools: Tools) -> Any:
    *_, iterate = compose(inputs, asked, tools)
    return iterate


@pytest.mark.parametrize("filters", ["lite", "random"])
def test_a_texture_comes_nearer_to_its_example(filters: str, tools: Tools) -> None:
    inputs = {"style": blobs()}
    asked = recipe(filters=filters, steps=8)
    totals, surfaces = [], []
    for iterate in compose(inputs, asked, tools):
        totals.append(iterate.losses.total)
        if iterate.step in (0, 8):
            figures = {figure.name: figure for figure in iterate.figures()}
            surface = figures["Specific surface"]
            assert surface.example is not None
            surfaces.append(abs(surface.result - surface.example))
    assert iterate.filters()["name"] == filters
    assert totals[-1] < 0.6 * totals[0]
    assert surfaces[1] < surfaces[0]
    result = iterate.result()
    assert isinstance(result, Volume)
    assert result.values.shape == (1, 16, 16, 16)
    assert (result.spacing, result.window) == ((3.0, 1.5, 1.5), (-100.0, 300.0))
    assert iterate.picture().shape == (424, 568, 3)


def test_a_solid_has_the_picture_in_the_slices_that_stand(tools: Tools) -> None:
    """Level stripes: along D light and dark change, along H and W they do not, more than by
    chance."""
    iterate = last({"style": stripes()}, recipe("solid", steps=10), tools)
    values = iterate.result().values
    assert values.shape == (3, 16, 16, 16)
    changes = [float(np.abs(np.diff(values, axis=axis)).mean()) for axis in (1, 2, 3)]
    assert changes[0] > 1.2 * max(changes[1:])
    red, green, blue = (v.mean() for v in values)
    assert red > green > blue
    names = [figure.name for figure in iterate.figures()]
    assert sum("two-point" in name for name in names) == 3


@pytest.mark.parametrize(
    ("goal", "filters"), [("texture", "lite"), ("texture", "random"), ("solid", "lite")]
)
def test_one_resumed_from_disk_is_the_same(
    goal: str, filters: str, tools: Tools, tmp_path: Path
) -> None:
    inputs: dict[str, Any] = {"style": blobs() if goal == "texture" else stripes()}
    asked = recipe(goal, filters=filters)
    for iterate in compose(inputs, asked, tools):
        if iterate.step == 2:
            save_piece(tmp_path / "state", iterate.state())
    whole = iterate.result().values
    *_, iterate = compose(inputs, asked, tools, load_piece(tmp_path / "state"))
    assert np.array_equal(whole, iterate.result().values)
    other = recipe(goal, filters=filters, seed=1)
    with pytest.raises(CheckpointError):
        next(compose(inputs, other, tools, load_piece(tmp_path / "state")))


def test_the_seed_makes_another(tools: Tools) -> None:
    first, again, other = (
        last({"style": blobs()}, recipe(filters="random", steps=3, seed=seed), tools)
        .result()
        .values
        for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.allclose(first, other, atol=0.1)


def test_an_example_is_brought_to_the_scale_of_the_result() -> None:
    large = Volume(np.random.default_rng(0).uniform(0, 1, (1, 60, 40, 200)).astype(np.float32))
    example = synthesis.scaled(large, 20)
    assert example.values.shape == (1, 30, 20, 40)
    assert example.spacing == (2.0, 2.0, 2.0)
    slab = Volume(np.zeros((1, 10, 200, 200), np.float32))
    assert synthesis.scaled(slab, 20).values.shape == (1, 10, 40, 40)


def test_the_start_has_the_examples_mean_and_contrast_and_its_colours_together() -> None:
    values = np.zeros((3, 8, 8, 8), np.float32)
    values[0, :4], values[2, 4:] = 1, 1  # red or blue, never both
    start = synthesis.shuffled(values, 24, 0)
    assert start.shape == (1, 3, 24, 24, 24)
    assert start.mean((0, 2, 3, 4)).tolist() == pytest.approx([0.5, 0, 0.5], abs=0.03)
    assert float(np.corrcoef(start[0, 0].flatten(), start[0, 2].flatten())[0, 1]) < -0.95


def test_what_is_too_small_is_told_so(tools: Tools) -> None:
    small = Volume(np.random.default_rng(0).uniform(0, 1, (1, 8, 20, 20)).astype(np.float32))
    with pytest.raises(MediumError) as raised:
        last({"style": small}, recipe(filters="lite"), tools)
    assert raised.value.code == "too_small"
    last({"style": small}, recipe(filters="random", steps=1), tools)  # its finest bank fits
    with pytest.raises(MediumError) as raised:
        last({"style": stripes(12)}, recipe("solid"), tools)
    assert raised.value.code == "too_small"


def test_a_long_picture_is_cut_to_its_middle() -> None:
    long = Image.new("RGB", (1000, 100))
    assert scaled_picture(long, 20).size == (160, 80)
    assert scaled_picture(Image.new("RGB", (40, 40)), 20).size == (40, 40)


def test_slices_lie_as_they_should() -> None:
    x = torch.arange(2 * 3 * 4, dtype=torch.float32).reshape(1, 1, 2, 3, 4)
    for axis, shape in enumerate([(2, 3, 3, 4), (3, 3, 2, 4), (4, 3, 2, 3)]):
        slices = slices_across(x, axis)
        assert slices.shape == shape
        assert torch.equal(slices[1, 2], x[0, 0].select(axis, 1))


@pytest.mark.parametrize("each", [True, False])
def test_the_gradient_is_that_of_the_cost(each: bool, lite: NetworkExtractor) -> None:
    generator = torch.Generator().manual_seed(0)
    style, x, way = (torch.rand(1, 3, 16, 16, 16, generator=generator) for _ in range(3))
    styles = [slices_across(style, axis) for axis in range(3)]
    objective = slice_objective(lite, styles, x, each=each)
    step = 1e-3 * (way - 0.5)
    ahead, back = (objective.evaluate(x + sign * step).value for sign in (1, -1))
    slope = float((objective.evaluate(x).gradient * step).sum()) * 2
    assert ahead - back == pytest.approx(slope, rel=0.05)


def test_a_volume_and_itself_rolled_cost_the_same(lite: NetworkExtractor) -> None:
    """It goes on behind its borders. Slices change places, and rolled by whole positions of the
    layers they see the same."""
    x = synthesis.shuffled(blobs().values, 32, 0)
    style = torch.from_numpy(blobs(32).values)[None]
    network = synthesis.random_filters(style, 0)
    objective = synthesis.random_objective(network, style, x)
    moved = torch.roll(x, (4, 8, 12), (2, 3, 4))
    assert objective.evaluate(moved).value == pytest.approx(objective.evaluate(x).value, rel=1e-3)
    sliced = slice_objective(lite, [slices_across(style, a) for a in range(3)], x, each=True)
    lying = torch.roll(x, 5, 2)
    by_axis = [view(x)["relu1_1"][0] for view in sliced.views]
    assert torch.allclose(
        torch.roll(by_axis[0], 5, 0), sliced.views[0](lying)["relu1_1"][0], rtol=1e-3
    )


def test_an_example_costs_nothing_and_a_start_costs_one() -> None:
    def view(x: torch.Tensor) -> dict[str, tuple[torch.Tensor, int]]:
        return {"a": (x[:, None] * x[:, :, None], 1), "b": ((x**2)[:, None, :1], 4)}

    start, example = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, -1.0]])
    objective = GramObjective([view, view], [view(example)] * 2, start, weights={"a": 3, "b": 1})
    assert objective.evaluate(example).value == pytest.approx(0, abs=1e-9)
    here = objective.evaluate(start)
    assert here.value == pytest.approx(1)
    assert here.losses.layers == pytest.approx({"a": 0.75, "b": 0.25})
