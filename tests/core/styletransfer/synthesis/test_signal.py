"""More of a signal: the rhythm of the example comes back, the example itself does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from styletransfer.core.measures import signal as measures
from styletransfer.core.media.signal.starters import electrocardiogram, electroencephalogram
from styletransfer.core.media.types import MediumError, Signal
from styletransfer.core.pieces import PieceRecipe
from styletransfer.core.synthesis.compose import compose
from styletransfer.core.synthesis.types import PieceIterate, PieceState, Tools

TOOLS = Tools(torch.device("cpu"), lambda _name: pytest.fail("no trained network is needed"))


def run(example: Signal, *, state: PieceState | None = None, **entries: Any) -> list[PieceIterate]:
    given = {"medium": "signal", "goal": "texture", "seconds": 6.0, **entries}
    return list(compose({"style": example}, PieceRecipe.from_dict(given), TOOLS, state))


@pytest.fixture(scope="module")
def heart() -> Signal:
    return electrocardiogram(12.0, 100.0)


def test_a_heart_beats_on_in_its_rhythm(heart: Signal) -> None:
    *_, last = run(heart, steps=60)
    made = last.result()
    assert isinstance(made, Signal)
    assert made.values.shape == (1, 600)
    assert (made.rate, made.names, made.units) == (100.0, ("ECG",), ("mV",))
    figures = {figure.name: figure for figure in last.figures()}
    period = figures["Period"]
    assert period.example is not None
    assert period.result == pytest.approx(period.example, rel=0.15)
    noise = measures.phase_randomised(heart.values[0], 600)
    assert figures["Distance of values"].result < 0.6 * measures.amplitude_distance(
        noise, heart.values[0]
    )
    # More of the same, but no copy.
    parts = np.lib.stride_tricks.sliding_window_view(heart.values[0], 600)
    assert np.abs(parts - made.values[0]).mean(1).min() > 0.05


def test_every_step_is_nearer_to_the_example(heart: Signal) -> None:
    totals = [iterate.losses.total for iterate in run(heart, steps=10)]
    assert len(totals) == 11
    assert totals == sorted(totals, reverse=True)


def test_channels_are_made_together_and_shown_coarsely_while_it_runs() -> None:
    example = electroencephalogram(8.0)
    *_, last = run(example, steps=40)
    made = last.result().values  # type: ignore[union-attr]
    assert made.shape == (2, 768)
    assert last.picture().shape == (400, 640, 3)
    assert len(str(last.header())) < 8000
    assert [c["name"] for c in last.header()["waveform"]["channels"]] == ["O1", "O2"]
    # The leads share their ground: they are alike as the example's are.
    alike = np.corrcoef(made)[0, 1], np.corrcoef(example.values)[0, 1]
    assert alike[0] == pytest.approx(alike[1], abs=0.15)


def test_a_resumed_signal_is_the_same(heart: Signal) -> None:
    whole = run(heart, steps=6, seed=3)
    state = None
    for iterate in compose({"style": heart}, _recipe(seed=3, steps=6), TOOLS, None):
        if iterate.step == 3:
            state = iterate.state()
            break
    resumed = run(heart, steps=6, seed=3, state=state)
    assert resumed[0].step == 3
    assert resumed[-1].losses == whole[-1].losses


def _recipe(**entries: Any) -> PieceRecipe:
    return PieceRecipe.from_dict({"medium": "signal", "goal": "texture", "seconds": 6.0, **entries})


def test_too_long_and_too_short_get_their_sentence(heart: Signal) -> None:
    with pytest.raises(MediumError, match="360,000 samples") as caught:
        run(heart, seconds=3600.0)
    assert "2,000.0 seconds" in caught.value.hint
    with pytest.raises(MediumError, match="10 samples; 64"):
        run(heart, seconds=0.1)
