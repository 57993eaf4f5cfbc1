"""The texture of a signal: another one in which the same things happen, at other times.

Random convolutions over time (`filters.py`) see the example at several scales, from single samples
to the rhythm of what repeats; the result is changed until their Gram matrices agree, and the
distributions of what they see (`responses.py`). It begins as noise that was first made alike on
an eighth of the samples, where a rhythm is settled easily. The channels are seen together, each in
deviations from its own mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from styletransfer.core.descent import Descent
from styletransfer.core.filters import Bank, RandomFilters
from styletransfer.core.measures import signal as measures
from styletransfer.core.media.signal import exhibit
from styletransfer.core.media.signal.limits import MIN_SAMPLES
from styletransfer.core.media.types import Floats, MediumError, Pixels, Signal
from styletransfer.core.media.waveform import waveform
from styletransfer.core.optimisers import build_optimiser
from styletransfer.core.pieces import Figure, PieceRecipe
from styletransfer.core.responses import ResponseDistributions
from styletransfer.core.synthesis.base import fingerprint, make
from styletransfer.core.synthesis.types import Inputs, PieceIterate, PieceState, Tools
from styletransfer.core.texture import TextureObjective

MAX_LENGTH = 200_000
"""Samples of a result; of the example, the first so many count."""

FILTERS, TAPS = 32, 17
DISTRIBUTIONS = 0.1
"""Weight of the distributions beside the Gram matrices."""

SKETCH, SKETCH_STEPS = 8, 100
"""The beginning is made on one of so many samples, in so many steps."""

_PEAKS = 360  # pairs in a header, of all channels together


def compose(
    inputs: Inputs, recipe: PieceRecipe, tools: Tools, state: PieceState | None = None
) -> Iterator[PieceIterate]:
    """`recipe.seconds` of the signal `style`'s texture, at its rate and in its units.

    See `types.Compose`.
    """
    example = _beginning(cast(Signal, inputs["style"]))
    length = _length(recipe, example.rate)
    rendering = _Rendering(example)
    style = rendering.standard(example.values).to(tools.device)
    noise = _noise(style.shape[1], length, recipe.seed).to(tools.device)
    objective, filters = _objective(style, noise, recipe.seed)
    start = noise if state else _sketched(style, noise, recipe.seed)
    yield from make(
        start,
        objective,
        recipe,
        rendering,
        fingerprint=fingerprint(inputs, recipe, filters),
        filters=filters,
        state=state,
        bounds=None,
        natural=objective.natural,
    )


def banks(length: int) -> list[Bank]:
    """Filters of one width over the signal at full rate, half of it, a quarter … as long as
    they see no more than a quarter of `length` samples."""
    found = [Bank("1", TAPS, FILTERS)]
    while (shrink := 2 * found[-1].shrink) * TAPS <= length / 4:
        found.append(Bank(f"1/{shrink}", TAPS, FILTERS, shrink=shrink))
    return found


def _objective(style: Tensor, noise: Tensor, seed: int) -> tuple[TextureObjective, dict[str, str]]:
    """J for a signal of the noise's length, and what it is compared with."""
    chosen = banks(min(noise.shape[-1], style.shape[-1]))
    extractor = RandomFilters(style.shape[1], 1, chosen, seed=seed, device=style.device)
    distributions = ResponseDistributions(chosen, style, noise.shape[-1], seed=seed)
    objective = TextureObjective(
        extractor,
        style,
        noise,
        layer_weights={bank.name: 1 / bank.shrink for bank in chosen},
        terms={"distributions": (DISTRIBUTIONS, distributions)},
    )
    return objective, {"name": extractor.name, "version": extractor.version}


def _sketched(style: Tensor, noise: Tensor, seed: int) -> Tensor:
    """The noise, with what is slow in it alike already."""
    if min(style.shape[-1], noise.shape[-1]) < 4 * TAPS * SKETCH:
        return noise
    coarse = functional.avg_pool1d(style, SKETCH)
    deviation = coarse.std(2, keepdim=True) + 1e-12
    start = functional.avg_pool1d(noise, SKETCH) * SKETCH**0.5
    objective, _ = _objective(coarse / deviation, start, seed)
    optimiser = build_optimiser("lbfgs", 1.0, None)
    descent = Descent(
        start,
        objective,
        optimiser,
        steps=SKETCH_STEPS,
        natural=objective.natural,
        fingerprint="",
    )
    for _ in descent.run():
        pass
    slow = functional.interpolate(descent.x * deviation, noise.shape[-1], mode="linear")
    return slow + 0.05 * noise


def _beginning(example: Signal) -> Signal:
    return Signal(example.values[:, :MAX_LENGTH], example.rate, example.names, example.units)


def _length(recipe: PieceRecipe, rate: float) -> int:
    """Samples of the result. Raises MediumError for too many, and for too few."""
    length = round((recipe.seconds or 0.0) * rate)
    if length < MIN_SAMPLES:
        raise MediumError(
            "too_short",
            f"At {rate:g} Hz, {recipe.seconds:g} seconds are {length} samples; "
            f"{MIN_SAMPLES} are the least.",
            f"Choose {MIN_SAMPLES / rate:,.1f} seconds or more.",
        )
    if length > MAX_LENGTH:
        raise MediumError(
            "too_long",
            f"At {rate:g} Hz, {recipe.seconds:g} seconds are {length:,} samples; "
            f"{MAX_LENGTH:,} are the most that can be made.",
            f"Choose {MAX_LENGTH / rate:,.1f} seconds or less.",
        )
    return length


def _noise(channels: int, length: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((1, channels, length), generator=generator)


class _Rendering:
    """See `base.Rendering`. x is (1, C, T) in deviations from each channel's mean."""

    def __init__(self, example: Signal) -> None:
        self._example = example
        self._mean = example.values.mean(1, keepdims=True)
        self._deviation = example.values.std(1, keepdims=True)

    def standard(self, values: np.ndarray[Any, Any]) -> Tensor:
        """(C, T) in the file's units to (1, C, T)."""
        return torch.from_numpy((values - self._mean) / self._deviation)[None]

    def result(self, x: Tensor) -> Signal:
        """x in the units of the file."""
        values = x[0].cpu().numpy() * self._deviation + self._mean
        example = self._example
        return Signal(values.astype(np.float32), example.rate, example.names, example.units)

    def picture(self, x: Tensor) -> Pixels:
        """See PieceIterate."""
        return exhibit.picture(self.result(x))

    def header(self, x: Tensor) -> dict[str, Any]:
        """The waveform of the first channels, coarse."""
        signal = self.result(x)
        shown = min(len(signal.names), 4)
        told = waveform(
            signal.values[:shown],
            signal.rate,
            signal.names[:shown],
            signal.units[:shown],
            stretches=_PEAKS // shown,
        )
        return {"waveform": told}

    def figures(self, x: Tensor) -> list[Figure]:
        """Of the first channel."""
        return held_out(self.result(x), self._example)


_COMPARED: tuple[tuple[str, Callable[[Floats, float], float | None], str, str], ...] = (
    ("Period", measures.period, "s", "From one repetition to the next."),
    (
        "Peaks a second",
        measures.peaks_a_second,
        "1/s",
        "How often it rises two deviations over its mean.",
    ),
    (
        "Unevenness of intervals",
        measures.interval_variation,
        "",
        "Deviation over mean of the times from peak to peak: 0 for a clock, about 1 for chance.",
    ),
)


def held_out(result: Signal, example: Signal) -> list[Figure]:
    """What no cost asks for, of the first channel (of the values, only what filters see of them).

    What cannot be told (a period where nothing repeats) is left out.
    """
    rate, ours, theirs = example.rate, result.values[0], example.values[0]
    noise = measures.phase_randomised(theirs, ours.size)
    compared = [
        Figure(name, value, measure(theirs, rate), unit, meaning)
        for name, measure, unit, meaning in _COMPARED
        if (value := measure(ours, rate)) is not None
    ]
    return [
        *compared,
        Figure(
            "Distance of values",
            measures.amplitude_distance(ours, theirs),
            None,
            "σ",
            "Between the two distributions of values, 0 is the same; noise of the same spectrum "
            f"has {measures.amplitude_distance(noise, theirs):.2f}.",
        ),
        Figure(
            "Distance of spectra",
            measures.spectrum_distance(ours, theirs),
            None,
            "dB",
            "Between the powers at each frequency, 0 is the same.",
        ),
    ]
