"""What a page shows of a signal: its waveform, its spectrogram, and one picture of both."""

from __future__ import annotations

import io
import json
from typing import Final, cast

import numpy as np
from PIL import Image, ImageDraw

from styletransfer.core.media import spectrogram
from styletransfer.core.media.types import Floats, Medium, Pixels, Signal
from styletransfer.core.media.waveform import peaks, waveform

WIDTH, HEIGHT = 640, 400
_BAND = 112  # px of the picture for the spectrogram
_TRACES = 4  # at most so many channels in the picture
_FINER = 2  # drawn so many times larger, for smooth lines
_STRETCH = 2500  # samples in the picture: a longer signal shows its beginning

_PAPER: Final = (255, 253, 248)
_GRID: Final = (240, 222, 212)
_INK: Final = (29, 27, 24)


def exhibit(medium: Medium) -> dict[str, bytes]:
    """`waveform.json` (see `waveform.py`) and `spectrogram.jpg`, of the first channel."""
    signal = cast(Signal, medium)
    told = waveform(signal.values, signal.rate, signal.names, signal.units)
    image = Image.fromarray(_spectrogram(signal.values[0], signal.rate))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=88)
    return {
        "waveform.json": json.dumps(told, separators=(",", ":")).encode(),
        "spectrogram.jpg": file.getvalue(),
    }


def picture(medium: Medium) -> Pixels:
    """The traces of its first channels (its beginning, where it is long) over the spectrogram of
    the first; 640 × 400."""
    signal = cast(Signal, medium)
    upper = HEIGHT - _BAND
    sheet = Image.new("RGB", (WIDTH * _FINER, upper * _FINER), _PAPER)
    draw = ImageDraw.Draw(sheet)
    step = 16 * _FINER
    for x in range(0, sheet.width, step):
        draw.line([(x, 0), (x, sheet.height)], _GRID, 1 + (x % (5 * step) == 0))
    for y in range(0, sheet.height, step):
        draw.line([(0, y), (sheet.width, y)], _GRID, 1 + (y % (5 * step) == 0))
    rows = signal.values[:_TRACES, :_STRETCH]
    share = sheet.height / len(rows)
    for i, row in enumerate(rows):
        _trace(draw, row, (i + 0.5) * share, 0.42 * share, sheet.width)
    traces = np.asarray(sheet.resize((WIDTH, upper), Image.Resampling.LANCZOS))
    band = Image.fromarray(_spectrogram(signal.values[0, :_STRETCH], signal.rate))
    return np.concatenate([traces, np.asarray(band.resize((WIDTH, _BAND)))])


def _trace(draw: ImageDraw.ImageDraw, row: Floats, middle: float, half: float, width: int) -> None:
    """One channel: a line where there is room for it, else a filled band of its peaks."""
    low, high = float(row.min()), float(row.max())
    scale = 2 * half / max(high - low, 1e-12)
    centre = (high + low) / 2
    if row.size <= 2 * width:
        x = np.linspace(0, width, row.size)
        y = middle - (row - centre) * scale
        draw.line(np.stack([x, y], 1).ravel().tolist(), _INK, 3, joint="curve")
        return
    least, most = peaks(row, width)
    tops, ends = (middle - (edge - centre) * scale for edge in (most, least))
    for column, (top, end) in enumerate(zip(tops.tolist(), ends.tolist(), strict=True)):
        draw.line([column, top, column, end + 1], _INK, 1)


def _spectrogram(row: Floats, rate: float) -> Pixels:
    """Hertz upwards, time to the right: windows of about a sixteenth of it, 32 … 512 samples."""
    window = int(np.clip(2 ** round(np.log2(max(row.size, 2) / 16)), 32, 512))
    hop = max(1, min(window // 4, row.size // spectrogram.WIDTH))
    magnitude = spectrogram.magnitudes(row - row.mean(), window, hop)
    return spectrogram.draw(magnitude, rate, in_mel=False)
