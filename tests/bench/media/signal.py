"""Signals: which filters, and what each part of the default adds, by what no cost asks for.

Ten seconds of an ECG, 40 of a swarm of quakes; for scale, noise that has the example's
spectrum exactly, and the example's other half, which is as near as another recording.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from styletransfer.core.features import Extractor, build_extractor
from styletransfer.core.filters import Bank, RandomFilters
from styletransfer.core.measures import signal as measures
from styletransfer.core.media.signal.starters import electrocardiogram, quakes
from styletransfer.core.media.types import Floats, Signal
from styletransfer.core.optimisers import build_optimiser
from styletransfer.core.pieces import PieceRecipe
from styletransfer.core.responses import ResponseDistributions
from styletransfer.core.synthesis import signal as synthesis
from styletransfer.core.synthesis.compose import compose
from styletransfer.core.synthesis.types import Tools
from styletransfer.core.texture import TextureObjective

STEPS, SEEDS = 100, (0, 1)
Row = dict[str, Any]
Way = Callable[[Tensor, int, int], Tensor]
"""(example (1, 1, T) in deviations, length, seed) → the signal made."""


def rows() -> list[Row]:
    """Seeded; under a minute on one core that has nothing else to do."""
    found = []
    for name, example, seconds in (("ECG", electrocardiogram(), 10), ("quakes", quakes(), 40)):
        found += table(name, example, seconds)
    return found


def table(name: str, example: Signal, seconds: int) -> list[Row]:
    row = example.values[0]
    length, half = round(seconds * example.rate), row.size // 2
    found = [
        figures(name, "(its noise)", [measures.phase_randomised(row, length)], example),
        figures(name, "(its other half)", [row[half:]], example, against=row[:half]),
    ]
    for way, make in WAYS.items():
        if way in SLOW and name != "ECG":
            continue
        style = torch.from_numpy((row - row.mean()) / row.std())[None, None]
        began = time.perf_counter()
        made = [make(style, length, seed)[0, 0].numpy() * row.std() + row.mean() for seed in SEEDS]
        each = (time.perf_counter() - began) / len(SEEDS)
        found.append(figures(name, way, made, example) | {"seconds": round(each, 1)})
    began = time.perf_counter()
    made = [composed(example, seconds, seed) for seed in SEEDS]
    each = (time.perf_counter() - began) / len(SEEDS)
    found.append(figures(name, "as it is made", made, example) | {"seconds": round(each, 1)})
    return found


def figures(
    name: str, way: str, made: list[Floats], example: Signal, against: Floats | None = None
) -> Row:
    """Means over the seeds; in brackets what the example itself has."""
    rate, theirs = example.rate, example.values[0] if against is None else against

    def mean(measure: Callable[[Floats, float], float | None]) -> str:
        values = [value for row in made if (value := measure(row, rate)) is not None]
        own = measure(theirs, rate)
        said = f"{np.mean(values):.3f}" if values else "–"
        return f"{said} ({own:.3f})" if own is not None else said

    return {
        "signal": name,
        "filters": way,
        "period s": mean(measures.period),
        "peaks/s": mean(measures.peaks_a_second),
        "unevenness": mean(measures.interval_variation),
        "values σ": round(np.mean([measures.amplitude_distance(m, theirs) for m in made]), 3),
        "spectra dB": round(np.mean([measures.spectrum_distance(m, theirs) for m in made]), 2),
    }


def composed(example: Signal, seconds: float, seed: int) -> Floats:
    entries = {"medium": "signal", "goal": "texture", "seconds": seconds, "seed": seed}
    recipe = PieceRecipe.from_dict(entries | {"steps": STEPS})
    tools = Tools(torch.device("cpu"), build_extractor)
    *_, last = compose({"style": example}, recipe, tools)
    return last.result().values[0]


def textured(extractor: Extractor, style: Tensor, start: Tensor, **more: Any) -> Tensor:
    """The start, lowered by L-BFGS."""
    objective = TextureObjective(extractor, style, start, **more)
    optimiser, x = build_optimiser("lbfgs", 1.0, None), start
    here = objective.evaluate(x)
    for _ in range(STEPS):
        x, here = optimiser.step(x, here, objective.evaluate)
    return x


def noise(length: int, seed: int) -> Tensor:
    return torch.randn((1, 1, length), generator=torch.Generator().manual_seed(seed))


def one_bank(style: Tensor, length: int, seed: int) -> Tensor:
    """The plain set-up: one width, from noise."""
    return textured(RandomFilters(1, 1, [Bank("1", 25, 64)], seed=seed), style, noise(length, seed))


def scales(style: Tensor, length: int, seed: int) -> Tensor:
    banks = synthesis.banks(length)
    weights = {bank.name: 1 / bank.shrink for bank in banks}
    start = noise(length, seed)
    filters = RandomFilters(1, 1, banks, seed=seed)
    return textured(filters, style, start, layer_weights=weights)


def distributions(style: Tensor, length: int, seed: int) -> Tensor:
    banks = synthesis.banks(length)
    weights = {bank.name: 1 / bank.shrink for bank in banks}
    term = ResponseDistributions(banks, style, length, seed=seed)
    terms = {"distributions": (synthesis.DISTRIBUTIONS, term)}
    filters = RandomFilters(1, 1, banks, seed=seed)
    return textured(filters, style, noise(length, seed), layer_weights=weights, terms=terms)


class Spectrograms:
    """An Extractor that shows a picture's extractor the spectrogram of a signal, as a grey picture:
    frequency down, time to the right, the fourth root of the power (logarithms came out worse)."""

    WINDOW, HOP = 128, 16

    def __init__(self, extractor: Extractor, style: Tensor) -> None:
        self.name, self.version = extractor.name, extractor.version
        self.device, self.layers = extractor.device, extractor.layers
        self._extractor = extractor
        levels = self._levels(style)
        self._low, self._span = levels.min(), levels.max() - levels.min()

    def __call__(self, x: Tensor, layers: Collection[str], /) -> dict[str, Tensor]:
        grey = (self._levels(x) - self._low) / self._span
        return self._extractor(grey.expand(-1, 3, -1, -1), layers)

    def _levels(self, x: Tensor) -> Tensor:
        padded = functional.pad(x, (self.WINDOW // 2, self.WINDOW // 2), "reflect")
        frames = padded.unfold(2, self.WINDOW, self.HOP) * torch.hann_window(self.WINDOW)
        power = torch.fft.rfft(frames).abs().pow(2).transpose(2, 3)
        return (power / 1000 + 1e-5).pow(0.25)


def on_spectrogram(style: Tensor, length: int, seed: int) -> Tensor:
    return textured(Spectrograms(build_extractor("lite"), style), style, noise(length, seed))


WAYS: dict[str, Way] = {
    "random, one scale": one_bank,
    "random, scales": scales,
    "and distributions": distributions,
    "lite on spectrogram": on_spectrogram,
}
SLOW = ("lite on spectrogram",)
