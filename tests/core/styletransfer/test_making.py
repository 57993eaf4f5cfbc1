"""The loop of a piece, from start to file and back, on one, two and three axes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from styletransfer.core.errors import CheckpointError, DivergedError
from styletransfer.core.filters import Bank, RandomFilters
from styletransfer.core.media.types import Pixels, Signal, Sound
from styletransfer.core.optimisers import Bounds
from styletransfer.core.pieces import Figure, PieceRecipe
from styletransfer.core.synthesis.base import fingerprint, make
from styletransfer.core.synthesis.state_file import load_piece, save_piece
from styletransfer.core.synthesis.types import PieceIterate, PieceState
from styletransfer.core.texture import TextureObjective

SIDES = {1: (80,), 2: (20, 20), 3: (12, 12, 12)}


class Plain:
    """A rendering that shows the numbers."""

    def picture(self, x: Tensor) -> Pixels:
        return np.full((2, 2, 3), int(255 * x.mean().clamp(0, 1)), np.uint8)

    def header(self, x: Tensor) -> dict[str, Any]:
        return {"mean": float(x.mean())}

    def result(self, x: Tensor) -> Signal:
        return Signal(x.reshape(1, -1).numpy(), 1.0, ("x",), ("",))

    def figures(self, x: Tensor) -> list[Figure]:
        return [Figure("mean", float(x.mean()), None, "", "How bright it is.")]


def recipe(steps: int = 12, **entries: Any) -> PieceRecipe:
    given = {"medium": "signal", "goal": "texture", "steps": steps, **entries}
    return PieceRecipe.from_dict(given)


def making(
    axes: int,
    recipe: PieceRecipe,
    state: PieceState | None = None,
    bounds: Bounds = (0.0, 1.0),
    name: str = "abc",
) -> Iterator[PieceIterate]:
    network = RandomFilters(1, axes, [Bank("a", 3, 4)])
    generator = torch.Generator().manual_seed(1)
    style, start = (torch.rand(1, 1, *SIDES[axes], generator=generator) for _ in range(2))
    objective = TextureObjective(network, (style > 0.6).float(), start)
    filters = {"name": network.name, "version": network.version}
    return make(
        start,
        objective,
        recipe,
        Plain(),
        fingerprint=name,
        filters=filters,
        state=state,
        bounds=bounds,
    )


@pytest.mark.parametrize("axes", SIDES)
@pytest.mark.parametrize("optimiser", ["lbfgs", "adam", "gd"])
def test_a_piece_resumed_from_disk_is_the_same(axes: int, optimiser: str, tmp_path: Path) -> None:
    asked = recipe(optimiser=optimiser)
    totals = []
    for iterate in making(axes, asked):
        totals.append(iterate.losses.total)
        if iterate.step == 5:
            save_piece(tmp_path / "piece", iterate.state())
    assert len(totals) == 13
    assert totals[-1] < 0.8 * totals[0]
    resumed = list(making(axes, asked, load_piece(tmp_path / "piece")))
    assert [i.step for i in resumed] == list(range(5, 13))
    assert resumed[-1].losses == iterate.losses
    assert torch.equal(resumed[-1].state().x, iterate.state().x)


def test_an_iterate_is_read_by_its_rendering() -> None:
    iterate = next(making(1, recipe(steps=3)))
    mean = iterate.header()["mean"]
    assert (iterate.step, iterate.steps) == (0, 3)
    assert 0.3 < mean < 0.7
    assert iterate.picture()[0, 0, 0] == int(255 * mean)
    assert iterate.result().values.shape == (1, 80)
    assert iterate.figures()[0].result == mean
    assert iterate.filters() == {"name": "random", "version": "seed 0: a 4×3¹"}


def test_bounds_hold_or_are_none() -> None:
    *_, within = making(1, recipe(steps=30))
    x = within.state().x
    assert x.min() >= 0
    assert x.max() <= 1
    *_, free = making(1, recipe(steps=30), bounds=None)
    assert free.state().x.min() < 0


def test_a_rate_that_is_too_high_is_an_error() -> None:
    asked = recipe(steps=40, optimiser="adam", learning_rate=10.0)
    with pytest.raises(DivergedError):
        list(making(1, asked, bounds=None))


def test_a_state_fits_no_other_piece() -> None:
    state = next(making(1, recipe())).state()
    with pytest.raises(CheckpointError):
        next(making(1, recipe(), state, name="other"))


def test_the_fingerprint_knows_inputs_recipe_and_filters() -> None:
    samples = np.linspace(-1, 1, 50, dtype=np.float32)[None]
    filters = {"name": "random", "version": "seed 0"}
    base = fingerprint({"style": Sound(samples, 8000)}, recipe(), filters)
    assert base == fingerprint({"style": Sound(samples.copy(), 8000)}, recipe(steps=99), filters)
    others = {
        fingerprint({"style": Sound(samples, 8001)}, recipe(), filters),
        fingerprint({"style": Sound(samples * 0.5, 8000)}, recipe(), filters),
        fingerprint({"content": Sound(samples, 8000)}, recipe(), filters),
        fingerprint({"style": Sound(samples, 8000)}, recipe(seed=1), filters),
        fingerprint({"style": Sound(samples, 8000)}, recipe(), {"name": "lite"}),
        fingerprint({"style": Image.new("RGB", (4, 4))}, recipe(), filters),
        fingerprint({"style": Image.new("RGB", (2, 8))}, recipe(), filters),
    }
    assert len(others | {base}) == 8
