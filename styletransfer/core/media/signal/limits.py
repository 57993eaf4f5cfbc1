"""What every signal must be, whatever file it came in."""

from __future__ import annotations

import numpy as np

from styletransfer.core.media.types import MediumError, Signal

MAX_CHANNELS = 16
MAX_SAMPLES = 1_000_000  # a channel
MAX_VALUES = 4_000_000  # of all channels together
MIN_SAMPLES = 64
RATES = (0.01, 100_000.0)  # Hz


def check_size(channels: int, samples: int) -> None:
    """Refuse what is too large, or too short to have a texture. Raises MediumError."""
    if channels < 1:
        raise MediumError(
            "empty", "The file holds no channel.", "Export at least one channel with values."
        )
    if channels > MAX_CHANNELS:
        raise MediumError(
            "too_many_channels",
            f"The file has {channels} channels; {MAX_CHANNELS} are the most.",
            "Export the channels that matter.",
        )
    if samples < MIN_SAMPLES:
        raise MediumError(
            "too_short",
            f"A signal needs {MIN_SAMPLES} samples or more; this one has {samples}.",
            "Choose a longer recording: ten beats, say, of a heart.",
        )
    if samples > MAX_SAMPLES or samples * channels > MAX_VALUES:
        raise MediumError(
            "too_long",
            f"The signal is too long: {channels} × {samples:,} values.",
            f"At most {MAX_SAMPLES:,} samples a channel and {MAX_VALUES:,} values in all: cut a "
            "part out, or take fewer samples a second.",
        )


def check_rate(rate: float) -> None:
    """Refuse a rate that no instrument has. Raises MediumError."""
    if not RATES[0] <= rate <= RATES[1]:
        raise MediumError(
            "bad_rate",
            f"A rate of {rate:g} samples a second cannot be used.",
            f"It must lie between {RATES[0]:g} and {RATES[1]:,.0f} Hz; is the unit of time right?",
        )


def checked(signal: Signal) -> Signal:
    """The signal, if it can be used. Raises MediumError."""
    check_size(*signal.values.shape)
    check_rate(signal.rate)
    for name, row in zip(signal.names, signal.values, strict=True):
        if not np.isfinite(row).all():
            at = int(np.flatnonzero(~np.isfinite(row))[0])
            raise MediumError(
                "not_finite",
                f"Sample {at + 1:,} of {name} is not a finite number.",
                "Cut the part without gaps out, or fill the gaps.",
            )
        span, size = float(np.ptp(row.astype(float))), float(np.abs(row).max())
        if span <= 1e-6 * size:
            raise MediumError(
                "constant",
                f"The channel {name} never changes.",
                "Leave it out: a line has no texture.",
            )
    return signal
