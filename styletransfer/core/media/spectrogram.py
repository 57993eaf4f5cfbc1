"""A spectrogram as a picture: mel or linear frequencies, decibels, ink that glows. Numpy alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from styletransfer.core.media.types import Floats, Pixels

WIDTH, HEIGHT = 640, 288
"""The largest picture, in pixels."""

_RANGE = 70.0
"""Decibels from the loudest to what is black."""

_INK = ("#131211", "#3a1a24", "#8a2a1d", "#cf5a2b", "#efb851", "#fffefb")
"""From silence to the loudest, rising evenly in lightness; at home on paper and in the dark."""


def magnitudes(values: Floats, window: int, hop: int) -> Floats:
    """|STFT| of (T,) as (window / 2 + 1, ⌊T / hop⌋ + 1); Hann window, edges mirrored."""
    padded = np.pad(values, window // 2, "reflect" if len(values) > window // 2 else "constant")
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    spectra = np.fft.rfft(frames * hann.astype(np.float32), axis=-1)
    return np.asarray(np.abs(spectra).T, np.float32)


def mel(hertz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Hertz to mel: O'Shaughnessy, "Speech Communication" (1987), 2595 · log10(1 + f / 700)."""
    return np.asarray(2595.0 * np.log10(1.0 + np.asarray(hertz, np.float64) / 700.0))


def hertz(mels: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Mel to hertz, the inverse of `mel`."""
    return np.asarray(700.0 * (10.0 ** (np.asarray(mels, np.float64) / 2595.0) - 1.0))


def mel_bands(bands: int, bins: int, rate: float) -> Floats:
    """(bands, bins): triangles of equal width in mel from 0 to rate / 2, each with sum 1.

    bins: of a spectrum from 0 to rate / 2. No triangle is narrower than one bin.
    """
    frequencies = np.linspace(0.0, rate / 2, bins)
    edges = hertz(np.linspace(0.0, float(mel(rate / 2)), bands + 2))
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    step = frequencies[1]
    rising = (frequencies - centre) / np.maximum(centre - left, step) + 1
    falling = (centre - frequencies) / np.maximum(right - centre, step) + 1
    weights = np.clip(np.minimum(rising, falling), 0, None)
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float32)


def draw(magnitude: Floats, rate: float, *, in_mel: bool = True) -> Pixels:
    """A spectrogram (F, T) from 0 to rate / 2 as a picture, low frequencies at the bottom.

    rate: in Hz. in_mel: mel on the vertical axis, else hertz.
    """
    columns = min(magnitude.shape[1], WIDTH)
    starts = np.linspace(0, magnitude.shape[1], columns, endpoint=False).astype(np.intp)
    counts = np.diff(np.append(starts, magnitude.shape[1]))
    power = np.add.reduceat(np.square(magnitude), starts, axis=1) / counts
    if in_mel:
        power = mel_bands(HEIGHT // 2, len(power), rate) @ power
    level = 10 * np.log10(power + 1e-12)
    shade = np.clip((level - level.max()) / _RANGE + 1, 0, 1) if power.max() > 1e-12 else 0 * power
    grey = Image.fromarray(shade[::-1].astype(np.float32))
    scaled = grey.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
    return _ink(np.asarray(scaled, np.float32))


def _ink(shade: Floats) -> Pixels:
    """[0, 1] to RGB along `_INK`."""
    stops = [[int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in _INK]
    at = np.linspace(0, 1, len(stops))
    table = [np.interp(np.linspace(0, 1, 256), at, channel) for channel in zip(*stops, strict=True)]
    return np.stack(table, -1).astype(np.uint8)[(np.clip(shade, 0, 1) * 255).astype(np.uint8)]
