"""Sounds: which features, and the waveform against a spectrogram whose phase is found afterwards.

For each piece, how near the result comes to its style by what no cost asked for; for scale, white
noise, noise with the style's own mean spectrum (where texture begins), and the other half of the
style, which is as near as another take. `copied`: similarity of each half second to the most
similar one of the style, 1 for a copy. Times are of the processor.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor

from styletransfer.core.features import build_extractor
from styletransfer.core.hearing import (
    BANDS,
    HOP,
    OUTLINE,
    WINDOW,
    Hearing,
    MelSpectrogram,
)
from styletransfer.core.measures import sound as measures
from styletransfer.core.media import registry
from styletransfer.core.media.sound.files import RATE
from styletransfer.core.media.types import Sound
from styletransfer.core.optimisers import build_optimiser
from styletransfer.core.pieces import PieceRecipe
from styletransfer.core.synthesis import sound as synthesis
from styletransfer.core.synthesis.compose import compose
from styletransfer.core.synthesis.types import Tools
from styletransfer.core.texture import TextureObjective

SECONDS, STEPS = 3.0, 160
TEXTURES = {"rain": ("random", "lite"), "drums": ("random",), "string": ("random",)}
TRANSFERS = (("voice", "string"), ("drums", "bells"))
ONE_SCALE = synthesis.SCALES[:1]
Row = dict[str, Any]


def rows() -> list[Row]:
    """Seeded; about a minute on one core that has nothing else to do."""
    return [*textures(), *transfers(), *lengths()]


def textures() -> Iterator[Row]:
    for name, features in TEXTURES.items():
        style = starter(name)
        half = style.samples.shape[-1] // 2
        first, second = (Sound(part, RATE) for part in np.split(style.samples, [half], 1))
        begun = synthesis.noise(style, round(SECONDS * RATE), 0)
        what = f"more of {name}"
        yield row(what, "(white noise)", measures.white_noise(style), style)
        yield row(what, "(its noise)", Sound(begun[0].numpy(), RATE), style)
        yield row(what, "(its other half)", second, first)
        yield griffin_lim_row(what, style, begun)
        yield run(what, "random, one scale", {"style": style}, SCALES=ONE_SCALE)
        yield run(what, "random, all bands", {"style": style}, Hearing=AllBands)
        for filters in features:
            yield run(what, filters, {"style": style})


def transfers() -> Iterator[Row]:
    for content_name, style_name in TRANSFERS:
        content, style = starter(content_name), starter(style_name)
        what = f"{content_name} as {style_name}"
        yield row(what, "(the content)", begin(content), style, content)
        yield run(what, "random", {"content": content, "style": style})


def lengths() -> Iterator[Row]:
    """What a step, a frame on the wall and a moment to listen to cost, by length."""
    rain = starter("rain")
    for seconds in (10, 60):
        recipe = PieceRecipe.from_dict(
            {"medium": "sound", "goal": "texture", "seconds": seconds, "steps": 5}
        )
        made = compose({"style": rain}, recipe, tools())
        next(made)
        took, iterates = timed(lambda made=made: list(made))
        last = iterates[-1]
        framed, _ = timed(lambda last=last: (last.picture(), last.header()))
        kept, _ = timed(lambda last=last: registry.exhibit(last.result()))
        yield {
            "piece": f"{seconds} s of rain",
            "features": "random",
            "ms/step": 1000 * took / 5,
            "ms/frame": 1000 * framed,
            "ms/moment": 1000 * kept,
        }


class AllBands(Hearing):
    """Every filter hears all bands, as in Ulyanov and Lebedev."""

    RANGE = STEP = BANDS
    FILTERS = 31 * Hearing.FILTERS


def run(what: str, features: str, inputs: dict[str, Sound], **changed: Any) -> Row:
    """A piece by the product's own way, and its figures. changed: names in its module."""
    goal = "transfer" if "content" in inputs else "texture"
    entries = {"medium": "sound", "goal": goal, "seconds": SECONDS, "steps": STEPS}
    filters = features.partition(",")[0]
    recipe = PieceRecipe.from_dict(entries | {"filters": filters})
    with mock.patch.multiple(synthesis, **changed) if changed else nullcontext():
        took, iterates = timed(lambda: list(compose(inputs, recipe, tools())))
    found = row(what, features, iterates[-1].result(), inputs["style"], inputs.get("content"))
    return found | {"ms/step": 1000 * took / STEPS}


def griffin_lim_row(what: str, style: Sound, begun: Tensor) -> Row:
    """The usual way: the same cost on a spectrogram of its own, then a phase for it."""
    wave = torch.from_numpy(style.samples)[None]
    mel = MelSpectrogram(RATE, wave)
    loudest = mel.power(wave).max()

    def seen(x: Tensor) -> Tensor:
        return mel.levels(x**4 * loudest)

    def variable(sound: Tensor) -> Tensor:
        return (mel.power(sound) / loudest).clamp(1e-10, 1) ** 0.25

    x, of_style = variable(begun), variable(wave)
    hearing = Hearing(seen, of_style, synthesis.SCALES)
    weights = {k: 1.0 for k in hearing.layers if k != OUTLINE}
    objective = TextureObjective(hearing, of_style, x, layer_weights=weights)
    optimiser, here = build_optimiser("lbfgs", 1.0), objective.evaluate(x)
    began = time.process_time()
    for _ in range(STEPS):
        x, here = optimiser.step(x, here, objective.evaluate)
    took = time.process_time() - began
    magnitude = (x[0] ** 4 * loudest).sqrt()
    heard, convergence = fast_griffin_lim(magnitude)
    name = f"random, then Griffin–Lim ({convergence:.2f} off)"
    return row(what, name, Sound(heard[None].numpy(), RATE), style) | {
        "ms/step": 1000 * took / STEPS
    }


def fast_griffin_lim(magnitude: Tensor, steps: int = 100) -> tuple[Tensor, float]:
    """A waveform for |STFT| (513, frames), and its spectral convergence ‖|STFT| − wanted‖ /
    ‖wanted‖. Perraudin, Balazs and Søndergaard, "A Fast Griffin-Lim Algorithm" (2013), α 0.99."""
    window = torch.hann_window(WINDOW)
    length = (magnitude.shape[1] - 1) * HOP
    noise = torch.randn(length, generator=torch.Generator().manual_seed(0))

    def forward(wave: Tensor) -> Tensor:
        return torch.stft(wave, WINDOW, HOP, window=window, return_complex=True)

    def backward(spectrum: Tensor) -> Tensor:
        return torch.istft(spectrum, WINDOW, HOP, window=window, length=length)

    guess, last = forward(noise), torch.zeros(())
    for _ in range(steps):
        now = forward(backward(torch.polar(magnitude, guess.angle())))
        guess, last = now + 0.99 * (now - last), now
    wave = backward(torch.polar(magnitude, guess.angle()))
    return wave, float((forward(wave).abs() - magnitude).norm() / magnitude.norm())


def row(what: str, features: str, sound: Sound, style: Sound, content: Sound | None = None) -> Row:
    centroid, wanted = measures.spectral_centroid(sound), measures.spectral_centroid(style)
    found: Row = {
        "piece": what,
        "features": features,
        "centroid Hz": round(centroid[0]),
        "style's": round(wanted[0]),
        "spread Hz": round(centroid[1]),
        "its style's": round(wanted[1]),
        "modulation": measures.modulation_distance(sound, style),
        "spectrum dB": measures.spectrum_distance(sound, style),
        "copied": copied(sound, style),
    }
    if content is None:
        found["cost heard"] = cost_heard(sound, style)
    else:
        found["onsets kept"] = measures.onsets_kept(sound, content)
    return found


def cost_heard(sound: Sound, style: Sound) -> float:
    """The default's cost at what is heard; 1 for noise with the style's mean spectrum."""
    wave, example = (torch.from_numpy(s.samples)[None] for s in (sound, style))
    hearing = Hearing(MelSpectrogram(RATE, example), example, synthesis.SCALES)
    begun = synthesis.noise(style, sound.samples.shape[-1], 1)
    weights = {k: 1.0 for k in hearing.layers if k != OUTLINE}
    return TextureObjective(hearing, example, begun, layer_weights=weights).evaluate(wave).value


def copied(sound: Sound, style: Sound) -> float:
    """Mean over half seconds of the highest correlation of levels with any of the style's."""
    frames = round(0.5 * RATE / 256)
    ours, theirs = (measures.levels(s) for s in (sound, style))
    centre = theirs.mean(1, keepdims=True)
    windows = np.lib.stride_tricks.sliding_window_view(theirs - centre, frames, axis=1)
    known = unit(windows.transpose(1, 0, 2))
    starts = range(0, ours.shape[1] - frames, frames)
    asked = unit(np.stack([ours[:, i : i + frames] - centre for i in starts]))
    return float((asked @ known.T).max(1).mean())


def unit(blocks: np.ndarray) -> np.ndarray:
    flat = blocks.reshape(len(blocks), -1)
    return flat / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-9)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    done = work()
    return time.process_time() - began, done


def begin(sound: Sound) -> Sound:
    return Sound(sound.samples[:, : round(SECONDS * RATE)], RATE)


def starter(name: str) -> Sound:
    (found,) = (s for s in registry.starters("sound") if s.name == name)
    made = found.make()
    assert isinstance(made, Sound)
    return synthesis.level(made)


def tools() -> Tools:
    return Tools(torch.device("cpu"), build_extractor)
