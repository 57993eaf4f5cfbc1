"""More of a sound's texture, or one sound in the timbre of another.

What is changed is the waveform, sample by sample (see `hearing.py`). It begins as noise with the
style's mean spectrum, or as the content.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from styletransfer.core.hearing import OUTLINE, WINDOW, Hearing, Looking, MelSpectrogram, Scale
from styletransfer.core.measures import sound as measures
from styletransfer.core.media.sound import exhibit
from styletransfer.core.media.sound.files import RATE
from styletransfer.core.media.types import Pixels, Sound
from styletransfer.core.pieces import Figure, PieceRecipe
from styletransfer.core.synthesis.base import fingerprint, make
from styletransfer.core.synthesis.types import Inputs, PieceIterate, PieceState, Tools
from styletransfer.core.texture import TextureObjective

SCALES = (Scale("0.1 s", 9), Scale("0.4 s", 9, shrink=4))
TILE = 20 * RATE
MARGIN = WINDOW
"""Samples before and after what is kept: there every sample lies in as many windows."""
_PEAK = 0.7
_BALANCE = 15.0
"""β in the middle of the slider: the melody stays, the sound is the style's."""
_FADE = 0.005
_STRETCHES = 300


def compose(
    inputs: Inputs, recipe: PieceRecipe, tools: Tools, state: PieceState | None = None
) -> Iterator[PieceIterate]:
    """`recipe.seconds` of the texture of `style`, or of `content` in the timbre of `style`.

    See `types.Compose`.
    """
    style, content = level(cast(Sound, inputs["style"])), _begun(inputs.get("content"), recipe)
    example = torch.from_numpy(style.samples)[None].to(tools.device)
    kept = None if content is None else _widen(content).to(tools.device)
    start = noise(style, _length(recipe), recipe.seed).to(tools.device) if kept is None else kept
    hearing = _extractor(recipe, tools, example)
    objective = TextureObjective(
        hearing,
        example,
        start,
        layer_weights={k: 1.0 for k in hearing.layers if k != OUTLINE},
        content=kept,
        content_layer=OUTLINE,
        alpha=0.0 if kept is None else 1.0,
        beta=1.0 if kept is None else _beta(recipe),
        tile=TILE,
    )
    filters = {"name": hearing.name, "version": hearing.version}
    yield from make(
        start,
        objective,
        recipe,
        _Rendering(style, content),
        fingerprint=fingerprint(inputs, recipe, filters),
        filters=filters,
        state=state,
        bounds=(-1.0, 1.0),
        natural=objective.natural,
    )


def _extractor(recipe: PieceRecipe, tools: Tools, style: Tensor) -> Hearing | Looking:
    spectrogram = MelSpectrogram(RATE, style)
    if recipe.filters == Hearing.name:
        return Hearing(spectrogram, style, SCALES, seed=recipe.seed)
    return Looking(spectrogram, tools.extractor(recipe.filters))


def _beta(recipe: PieceRecipe) -> float:
    """β; each 25 points of the slider are a factor of 10, as for pictures."""
    return float(_BALANCE * 10.0 ** ((cast(float, recipe.style_weight) - 50.0) / 25.0))


def level(sound: Sound) -> Sound:
    """At one peak, however loud it was recorded."""
    loudest = float(np.abs(sound.samples).max())
    return Sound(sound.samples * (_PEAK / loudest), sound.rate)


def _begun(content: Any, recipe: PieceRecipe) -> Sound | None:
    """As many seconds from the beginning as the recipe asks for."""
    if content is None:
        return None
    return Sound(level(cast(Sound, content)).samples[:, : _length(recipe)], RATE)


def _length(recipe: PieceRecipe) -> int:
    """In samples; a shorter content decides itself."""
    return round(cast(float, recipe.seconds) * RATE)


def _widen(sound: Sound) -> Tensor:
    """(1, 1, T) with its margins."""
    return functional.pad(torch.from_numpy(sound.samples)[None], (MARGIN, MARGIN), "reflect")


def noise(style: Sound, length: int, seed: int) -> Tensor:
    """(1, 1, length + margins): Gaussian noise with the style's mean spectrum and level."""
    generator = torch.Generator().manual_seed(seed)
    n = length + 2 * MARGIN
    spectrum = torch.fft.rfft(torch.randn(n, generator=generator))
    power = torch.from_numpy(measures.mean_power(style))
    gain = functional.interpolate(power.sqrt()[None, None], len(spectrum), mode="linear")[0, 0]
    made: Tensor = torch.fft.irfft(spectrum * gain, n)
    made = made * (float(style.samples.std()) / made.std())
    return torch.clamp(made, -1, 1)[None, None]


class _Rendering:
    """See `base.Rendering`. x is (1, 1, T) with a margin at either end."""

    def __init__(self, style: Sound, content: Sound | None) -> None:
        self.style, self.content = style, content

    def result(self, x: Tensor) -> Sound:
        """What is heard of x: without the margins, and without a click at either end."""
        samples = x[0, :, MARGIN:-MARGIN].cpu().numpy()
        ramp = np.minimum(np.arange(samples.shape[-1]) / (_FADE * RATE), 1).astype(np.float32)
        return Sound(samples * ramp * ramp[::-1], RATE)

    def picture(self, x: Tensor) -> Pixels:
        """See PieceIterate."""
        return exhibit.picture(self.result(x))

    def header(self, x: Tensor) -> dict[str, Any]:
        """See PieceIterate."""
        return {"waveform": exhibit.peaks(self.result(x), _STRETCHES)}

    def figures(self, x: Tensor) -> list[Figure]:
        """See PieceIterate."""
        return held_out(self.result(x), self.style, self.content)


def held_out(result: Sound, style: Sound, content: Sound | None) -> list[Figure]:
    """What no cost asked for, against the style, and the onsets against the content."""
    noise = measures.white_noise(style)
    centroid, wanted = measures.spectral_centroid(result), measures.spectral_centroid(style)
    found = [
        Figure("Spectral centroid", centroid[0], wanted[0], "Hz", "How bright it sounds."),
        Figure(
            "Spread of the centroid", centroid[1], wanted[1], "Hz", "How much that changes."
        ),
        Figure(
            "Modulation distance",
            measures.modulation_distance(result, style),
            None,
            "",
            "Rhythm and grain against the style’s, 0 is the same; white noise has "
            f"{measures.modulation_distance(noise, style):.2f}.",
        ),
    ]  # fmt: skip
    if content is not None:
        alone = round(measures.onsets_kept(style, content), 2) + 0.0  # not -0.00
        found.append(
            Figure(
                "Onsets kept",
                measures.onsets_kept(result, content),
                1.0,
                "",
                "How well its onsets follow the content’s: 1 is each in place, 0 none; the style "
                f"alone has {alone:.2f}.",
            )
        )
    return found
