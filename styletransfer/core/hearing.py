"""What of a sound is compared: untrained filters over time, each with its own range of the mel
spectrogram, from the waveform on.

The waveform itself is changed, by the gradient through its own spectrogram, as in Caracalla and
Roebel, "Sound Texture Synthesis Using Convolutional Neural Networks" (2019): there is no phase to
be found afterwards, and what is measured is what is heard (docs/decisions.md has the figures of
both ways). Random filters over time: Ulyanov and Lebedev, "Audio texture synthesis and style
transfer" (2016); several widths: Antognini, Hoffman and Weiss, "Audio Texture Synthesis with
Random Neural Networks" (2019).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from styletransfer.core.features import Extractor
from styletransfer.core.media.spectrogram import mel_bands
from styletransfer.core.visualise.layers import layer_info
from styletransfer.core.visualise.receptive import Receptive, Window

WINDOW, HOP, BANDS = 1024, 256, 128
_COMPRESSION = 0.25
"""Exponent on power: the root of the amplitude, between what is measured and what is heard."""
_FLOOR = 1e-5
"""Of the loudest power; keeps the gradient finite in silence."""
OUTLINE = "outline"
"""The layer of the spectrogram itself, coarse: what happens when, for content."""


class MelSpectrogram:
    """(N, 1, T) in [-1, 1] to (N, 128, frames): loudness in mel bands, frame by frame.

    Hann windows of 1024 samples, 256 apart; none reaches beyond the ends. A band is
    (p + ε)^¼ − ε^¼ of its mean power p over the loudest of `like`.
    """

    field = Receptive().after(Window(WINDOW, HOP))

    def __init__(self, rate: int, like: Tensor) -> None:
        self._window = torch.hann_window(WINDOW, device=like.device)
        weights = torch.from_numpy(mel_bands(BANDS, WINDOW // 2 + 1, rate))
        self._weights = weights.to(like.device)
        self._loudest = (self._weights @ self.power(like)).max()

    def __call__(self, wave: Tensor) -> Tensor:
        return self.levels(self.power(wave))

    def power(self, wave: Tensor) -> Tensor:
        """(N, 1, T) to |STFT|², (N, 513, frames)."""
        spectrum = torch.stft(
            wave[:, 0], WINDOW, HOP, window=self._window, center=False, return_complex=True
        )
        return torch.view_as_real(spectrum).square().sum(-1)

    def levels(self, power: Tensor) -> Tensor:
        """Such powers as loudness in mel bands."""
        relative = self._weights @ power / self._loudest
        levels: Tensor = (relative + _FLOOR).pow(_COMPRESSION) - _FLOOR**_COMPRESSION
        return levels


@dataclass(frozen=True)
class Scale:
    """Filters of one length in time. taps: of a filter; shrink: so many frames are averaged to
    one first."""

    name: str
    taps: int
    shrink: int = 1

    @property
    def field(self) -> Receptive:
        """What one value of the output sees of the waveform."""
        return MelSpectrogram.field.after(Window(self.shrink, self.shrink)).after(Window(self.taps))


class Hearing:
    """An Extractor for waveforms (N, 1, T): one layer a scale, and the outline for content.

    The mel bands are standardised by the style's own means and deviation. Each filter hears 8
    neighbouring bands, in 31 ranges that overlap by half: a third less work than filters over all
    bands. A layer's Gram matrix compares all of them, so it holds the correlations within a range
    and between ranges, as McDermott and Simoncelli (2011) found that texture needs. The weights
    are normal with variance 2 / (bands · taps), drawn from the seed on the CPU.
    """

    name = "random"
    RANGE, STEP, FILTERS = 8, 4, 16

    def __init__(
        self, spectrogram: MelSpectrogram, style: Tensor, scales: Sequence[Scale], *, seed: int = 0
    ) -> None:
        """style: (1, 1, T)."""
        self.device = style.device
        self.layers = (*(scale.name for scale in scales), OUTLINE)
        self._spectrogram = spectrogram
        self._scales = {scale.name: scale for scale in scales}
        levels = spectrogram(style)
        self._mean = levels.mean(2, keepdim=True)
        self._deviation = (levels - self._mean).std() + 1e-6
        starts = range(0, BANDS - self.RANGE + 1, self.STEP)
        self._ranges = len(starts)
        bands = [band for start in starts for band in range(start, start + self.RANGE)]
        self._bands = torch.tensor(bands, device=self.device)
        generator = torch.Generator().manual_seed(seed)
        self._weights = {}
        for scale in scales:
            shape = (self._ranges * self.FILTERS, self.RANGE, scale.taps)
            weights = torch.randn(shape, generator=generator) * (2 / (shape[1] * shape[2])) ** 0.5
            self._weights[scale.name] = weights.to(self.device)
        spelled = ", ".join(f"{s.taps} taps / {s.shrink}" for s in scales)
        self.version = (
            f"seed {seed}: {self._ranges} × {self.FILTERS} of {self.RANGE} bands, {spelled}"
        )

    def __call__(self, wave: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """(N, 1, T) to {scale: (N, 496, frames), outline: (N, 128, frames)}.

        Raises KeyError for an unknown layer.
        """
        unknown = set(layers) - set(self.layers)
        if unknown:
            raise KeyError(f"there is no layer {', '.join(sorted(unknown))}")
        levels = (self._spectrogram(wave) - self._mean) / self._deviation
        features = {OUTLINE: levels} if OUTLINE in layers else {}
        ranges = levels[:, self._bands]
        for name in self._weights.keys() & set(layers):
            features[name] = self._hear(ranges, self._scales[name])
        return features

    def field(self, layer: str) -> Receptive:
        """See Tileable."""
        return MelSpectrogram.field if layer == OUTLINE else self._scales[layer].field

    def _hear(self, ranges: Tensor, scale: Scale) -> Tensor:
        if scale.shrink > 1:
            ranges = functional.avg_pool1d(ranges, scale.shrink)
        return functional.conv1d(ranges, self._weights[scale.name], groups=self._ranges).relu()


class Looking:
    """An Extractor for waveforms (N, 1, T) that shows a picture's extractor the mel spectrogram,
    as a grey picture with time from top to bottom. Its layers, and the outline for content.

    Such a network takes a pattern for the same at every pitch.
    """

    def __init__(self, spectrogram: MelSpectrogram, extractor: Extractor) -> None:
        self.name, self.version = extractor.name, extractor.version
        self.device = extractor.device
        self.layers = (*extractor.layers, OUTLINE)
        self._spectrogram, self._extractor = spectrogram, extractor

    def __call__(self, wave: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """(N, 1, T) to {layer: (N, C, frames', bands')}, outline: (N, 128, frames)."""
        levels = self._spectrogram(wave)
        picture = levels.transpose(1, 2)[:, None].expand(-1, 3, -1, -1)
        features = self._extractor(picture, set(layers) - {OUTLINE})
        return features | ({OUTLINE: levels} if OUTLINE in layers else {})

    def field(self, layer: str) -> Receptive:
        """See Tileable; along the time."""
        if layer == OUTLINE:
            return MelSpectrogram.field
        seen = layer_info(self.name, layer).receptive
        size = MelSpectrogram.field.size + (seen.size - 1) * HOP
        return Receptive(size, seen.stride * HOP, seen.start * HOP)
