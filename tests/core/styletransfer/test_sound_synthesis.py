"""Sounds in the making: texture and timbre transfer by the product's own way."""

from __future__ import annotations

import itertools
import json
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from styletransfer.core.errors import CheckpointError
from styletransfer.core.features import build_extractor
from styletransfer.core.measures import sound as measures
from styletransfer.core.media import registry
from styletransfer.core.media.sound.files import LEAST_SECONDS
from styletransfer.core.media.types import Sound
from styletransfer.core.pieces import PieceRecipe
from styletransfer.core.synthesis.compose import compose
from styletransfer.core.synthesis.types import PieceIterate, PieceState, Tools

RATE = 22_050
TOOLS = Tools(torch.device("cpu"), lambda name: build_extractor(name, bf16=False))


@cache
def starter(name: str, seconds: float = 3.0) -> Sound:
    (found,) = (s for s in registry.starters("sound") if s.name == name)
    made = found.make()
    assert isinstance(made, Sound)
    return Sound(made.samples[:, : int(seconds * RATE)], RATE)


def make(
    goal: str, inputs: dict[str, Sound], state: PieceState | None = None, **entries: Any
) -> list[PieceIterate]:
    recipe = {"medium": "sound", "goal": goal, "seconds": 1.5, "steps": 5} | entries
    return list(compose(inputs, PieceRecipe.from_dict(recipe), TOOLS, state))


@pytest.mark.parametrize("example", ["rain", "drums"])
def test_texture_comes_near_its_example_where_no_cost_asked(example: str) -> None:
    style = starter(example)
    made = make("texture", {"style": style}, seconds=2.0, steps=30)[-1].result()
    assert isinstance(made, Sound)
    assert made.seconds == pytest.approx(2)
    noise = measures.white_noise(made)
    near, far = (measures.modulation_distance(s, style) for s in (made, noise))
    assert near < 0.75 * far
    wanted = measures.spectral_centroid(style)[0]
    assert measures.spectral_centroid(made)[0] == pytest.approx(wanted, rel=0.05)
    assert measures.spectrum_distance(made, style) < 2
    assert 0.3 < made.samples.std() / style.samples.std() < 3


def test_transfer_lies_between_content_and_style_as_the_slider_says() -> None:
    inputs = {"content": starter("drums"), "style": starter("bells", 2.0)}
    kept, near = [], []
    for weight in (0, 50, 100):
        last = make("transfer", inputs, seconds=1, steps=12, style_weight=weight)[-1]
        made = last.result()
        assert isinstance(made, Sound)
        kept.append(measures.onsets_kept(made, inputs["content"]))
        near.append(measures.spectrum_distance(made, inputs["style"]))
    assert kept[0] > 0.8
    assert kept[0] > kept[1] > kept[2]
    assert near[0] > near[1] > near[2]


def test_transfer_begins_as_its_content_and_takes_its_beginning() -> None:
    inputs = {"content": starter("voice", 3.0), "style": starter("string")}
    recipe = PieceRecipe.from_dict({"medium": "sound", "goal": "transfer", "seconds": 1.5})
    begun = next(compose(inputs, recipe, TOOLS))
    heard = begun.result()
    assert isinstance(heard, Sound)
    assert heard.seconds == pytest.approx(1.5)
    ours, theirs = heard.samples[0], inputs["content"].samples[0, : heard.samples.size]
    assert np.corrcoef(ours, theirs)[0, 1] > 0.999
    assert begun.losses.content == pytest.approx(0, abs=1e-6)
    assert begun.losses.style == pytest.approx(1, abs=1e-3)


def test_a_short_content_gives_a_short_result() -> None:
    inputs = {"content": starter("voice", 1.0), "style": starter("string")}
    heard = make("transfer", inputs, seconds=20, steps=1)[-1].result()
    assert isinstance(heard, Sound)
    assert heard.seconds == pytest.approx(1.0)


def test_the_cost_falls_and_layers_add_up() -> None:
    made = make("texture", {"style": starter("rain")})
    totals = [iterate.losses.total for iterate in made]
    assert [iterate.step for iterate in made] == list(range(6))
    assert totals[0] == pytest.approx(1, abs=1e-3)
    assert all(a >= b for a, b in itertools.pairwise(totals))
    assert totals[-1] < 0.5
    assert set(made[-1].losses.layers) == {"0.1 s", "0.4 s"}
    assert sum(made[-1].losses.layers.values()) == pytest.approx(made[-1].losses.style, rel=1e-5)


@pytest.mark.parametrize("filters", ["random", "lite"])
def test_a_resumed_piece_is_the_uninterrupted_one(filters: str) -> None:
    inputs = {"style": starter("crickets", 2.0)}
    recipe = {"medium": "sound", "goal": "texture", "seconds": 1, "filters": filters}
    whole = compose(inputs, PieceRecipe.from_dict(recipe | {"steps": 4}), TOOLS)
    kept, last = None, None
    for iterate in whole:
        if iterate.step == 2:
            kept = iterate.state()
        last = iterate
    assert kept is not None
    assert last is not None
    resumed = make("texture", inputs, kept, seconds=1, filters=filters, steps=4)
    assert [iterate.step for iterate in resumed] == [2, 3, 4]
    ours, theirs = resumed[-1].result(), last.result()
    assert isinstance(ours, Sound)
    assert isinstance(theirs, Sound)
    assert np.array_equal(ours.samples, theirs.samples)


def test_a_state_fits_no_other_piece() -> None:
    inputs = {"style": starter("rain")}
    state = make("texture", inputs, steps=1)[-1].state()
    with pytest.raises(CheckpointError):
        make("texture", inputs, state, steps=1, seed=1)
    with pytest.raises(CheckpointError):
        make("texture", {"style": starter("drums")}, state, steps=1)


def test_the_seed_makes_another_one() -> None:
    one, same, other = (
        make("texture", {"style": starter("rain")}, steps=2, seed=seed)[-1].result()
        for seed in (0, 0, 1)
    )
    assert np.array_equal(one.samples, same.samples)  # type: ignore[union-attr]
    assert not np.array_equal(one.samples, other.samples)  # type: ignore[union-attr]


def test_what_the_wall_gets() -> None:
    last = make("texture", {"style": starter("rain")}, steps=1)[-1]
    assert last.picture().shape == (288, 640, 3)
    header = last.header()
    assert len(json.dumps(header)) < 8000
    (channel,) = header["waveform"]["channels"]
    assert len(channel["peaks"]) <= 400
    assert header["waveform"]["seconds"] == 1.5
    assert last.filters()["name"] == "random"
    assert "seed 0" in last.filters()["version"]


def test_figures_are_of_the_result_and_of_the_style() -> None:
    inputs = {"content": starter("drums"), "style": starter("bells")}
    figures = {f.name: f for f in make("transfer", inputs, steps=1)[0].figures()}
    assert list(figures) == [
        "Spectral centroid",
        "Spread of the centroid",
        "Modulation distance",
        "Onsets kept",
    ]
    centroid = figures["Spectral centroid"]
    assert centroid.example == pytest.approx(measures.spectral_centroid(inputs["style"])[0])
    assert centroid.result > 3000
    assert figures["Onsets kept"].result > 0.9
    texture = make("texture", {"style": inputs["style"]}, steps=1)[0].figures()
    assert "Onsets kept" not in {f.name for f in texture}


def test_a_silent_beginning_is_no_trouble() -> None:
    late = np.concatenate([np.zeros((1, 2 * RATE)), starter("voice").samples], 1)
    inputs = {"content": Sound(late.astype(np.float32), RATE), "style": starter("string")}
    last = make("transfer", inputs, steps=3)[-1]
    heard = last.result()
    assert isinstance(heard, Sound)
    assert np.isfinite(heard.samples).all()
    assert np.isfinite([f.result for f in last.figures()]).all()


@pytest.mark.parametrize("filters", ["random", "lite"])
def test_the_shortest_sound_that_is_read_is_long_enough(filters: str) -> None:
    shortest = starter("rain", LEAST_SECONDS)
    inputs = {"content": shortest, "style": shortest}
    heard = make("transfer", inputs, filters=filters, steps=1)[-1].result()
    assert isinstance(heard, Sound)
    assert heard.seconds == pytest.approx(LEAST_SECONDS)


def test_results_stay_within_full_scale_and_are_delivered() -> None:
    quiet = Sound(starter("drums").samples * 1e-3, RATE)
    heard = make("texture", {"style": quiet})[-1].result()
    assert isinstance(heard, Sound)
    assert 0.1 < np.abs(heard.samples).max() <= 1
    assert set(registry.deliver(heard)) == {"sound.wav", "sound.flac"}
