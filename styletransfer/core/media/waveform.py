"""What a page draws of samples over time: the lowest and highest value in each stretch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from styletransfer.core.media.types import Floats


def waveform(
    values: Floats,
    rate: float,
    names: Sequence[str],
    units: Sequence[str],
    *,
    stretches: int = 1200,
) -> dict[str, Any]:
    """The JSON that `<wave-view>` draws.

    values: (C, T); rate in Hz; names, units: one a channel. Each channel has its lowest and
    highest value and [lowest, highest] of each of at most `stretches` equal parts of the time.
    """
    channels = []
    for row, name, unit in zip(values, names, units, strict=True):
        low, high = float(row.min()), float(row.max())
        digits = _digits(high - low)
        pairs = np.stack(peaks(row, stretches), axis=1).astype(float)
        channels.append(
            {
                "name": name,
                "unit": unit,
                "low": round(low, digits),
                "high": round(high, digits),
                "peaks": np.round(pairs, digits).tolist(),
            }
        )
    seconds = round(values.shape[-1] / rate, 4)
    return {"seconds": seconds, "rate": rate, "channels": channels}


def peaks(row: Floats, stretches: int) -> tuple[Floats, Floats]:
    """The lowest and the highest value of each of min(stretches, T) parts of (T,)."""
    count = min(stretches, row.size)
    edges = (np.arange(count) * row.size) // count
    return np.minimum.reduceat(row, edges), np.maximum.reduceat(row, edges)


def _digits(span: float) -> int:
    """Decimals that show a thousandth of the span."""
    return 3 if span <= 0 else max(0, 3 - int(np.floor(np.log10(span))))
