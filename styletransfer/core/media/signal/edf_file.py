"""EDF and EDF+: the European Data Format for biosignals.

Kemp et al., "A simple format for exchange of digitized polygraphic recordings" (1992), and Kemp
and Olivan, "European data format 'plus'" (2003). The header is checked before a sample is read.
"""

from __future__ import annotations

from fractions import Fraction

import edfio
import numpy as np

from styletransfer.core.media.signal.limits import MIN_SAMPLES, check_rate, check_size
from styletransfer.core.media.types import MediumError, Signal

_HEADER = 256  # bytes, and as many again for each channel
_ANNOTATIONS = b"EDF Annotations"
_DAMAGED = "Export it again: it may have been cut off on its way."


def looks_like_edf(data: bytes) -> bool:
    """Whether the file begins as EDF does: version 0, in eight characters."""
    return data[:8] == b"0       "


def read_edf(data: bytes) -> Signal:
    """The recording; all channels but the annotations. Raises MediumError."""
    _check_header(data)
    try:
        edf = edfio.read_edf(data)
        channels = edf.signals
        values = np.stack([channel.data for channel in channels]).astype(np.float32)
        names = tuple(c.label or f"channel {i + 1}" for i, c in enumerate(channels))
        units = tuple(c.physical_dimension.replace("uV", "µV") for c in channels)
        rate = float(channels[0].sampling_frequency)
    except (ValueError, ArithmeticError, LookupError) as error:
        raise _damaged("Its header contradicts itself.") from error
    return Signal(values, rate, names, units)


def _check_header(data: bytes) -> None:
    """That the bytes are as many as the header promises, and the channels alike."""
    if data[:8] == b"\xffBIOSEMI":
        raise MediumError("not_edf", "This is a BDF file.", "Export it as EDF, or as CSV.")
    if not looks_like_edf(data) or len(data) < _HEADER:
        raise MediumError(
            "not_edf", "This is not an EDF file.", "Choose an EDF or EDF+ file, or a CSV."
        )
    count = int(_number(data[252:256], "number of channels"))
    records = int(_number(data[236:244], "number of records"))
    duration = _number(data[244:252], "length of a record")
    if count < 1 or len(data) < _HEADER * (count + 1):
        raise _damaged("Its header is cut off.")
    if data[192:197] == b"EDF+D":
        raise MediumError(
            "interrupted",
            "The recording is interrupted (EDF+D): its samples do not follow evenly.",
            "Export one uninterrupted part as EDF+C.",
        )
    labels, samples = [], []
    for i in range(count):
        labels.append(data[_HEADER + 16 * i : _HEADER + 16 * (i + 1)].strip())
        at = _HEADER + 216 * count + 8 * i
        samples.append(int(_number(data[at : at + 8], "samples of a record")))
    if min(samples) < 1:
        raise _damaged("A channel has no samples.")
    size = _HEADER * (count + 1) + 2 * sum(samples) * records
    if records < 1 or size > len(data):
        raise _damaged(
            f"Its header promises {records:,} records, {size:,} bytes; the file has {len(data):,}."
        )
    named = enumerate(zip(labels, samples, strict=True))
    kept = {place: n for place, (label, n) in named if label != _ANNOTATIONS}
    _check_channels(kept, labels, records, duration)


def _check_channels(
    kept: dict[int, int], labels: list[bytes], records: int, duration: float
) -> None:
    """kept: samples a record of each channel by its place in the file."""
    check_size(len(kept), MIN_SAMPLES)  # the samples follow
    rates = sorted(set(kept.values()))
    if len(rates) > 1:
        said = " and ".join(
            f"{labels[k].decode('ascii', 'replace')} {kept[k] / duration:g} Hz"
            for k in (next(k for k in kept if kept[k] == n) for n in rates[:2])
        )
        raise MediumError(
            "mixed_rates",
            f"The channels differ in their rate: {said}.",
            "Export the channels of one rate alone.",
        )
    check_size(len(kept), rates[0] * records)
    if duration <= 0:
        raise _damaged("A record has no length.")
    check_rate(rates[0] / duration)


def _number(field: bytes, name: str) -> float:
    try:
        number = float(field.decode("ascii").strip())
    except (UnicodeDecodeError, ValueError) as error:
        raise _damaged(f"The {name} in its header is no number.") from error
    if not np.isfinite(number):
        raise _damaged(f"The {name} in its header is no number.")
    return number


def _damaged(message: str) -> MediumError:
    return MediumError("damaged", f"The EDF file is damaged. {message}", _DAMAGED)


def write_edf(signal: Signal) -> bytes:
    """The signal as EDF, 16 bits a value over each channel's own range.

    A file has whole records: the last value is held to the end of the last one.
    """
    rate = Fraction(signal.rate).limit_denominator(1000)
    record = rate.numerator  # samples in rate.denominator seconds
    held = -signal.values.shape[-1] % record
    values = np.pad(signal.values.astype(float), ((0, 0), (0, held)), mode="edge")
    channels = [
        edfio.EdfSignal(
            row,
            float(rate),
            label=_ascii(name)[:16],
            physical_dimension=_ascii(unit)[:8],
        )
        for row, name, unit in zip(values, signal.names, signal.units, strict=True)
    ]
    return edfio.Edf(channels, data_record_duration=rate.denominator).to_bytes()


def _ascii(text: str) -> str:
    return text.replace("µ", "u").replace("μ", "u").encode("ascii", "replace").decode()
