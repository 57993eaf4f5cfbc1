"""Held-out statistics of a signal: its rhythm, its peaks, its values, its spectrum. Numpy alone.

Each takes one channel as (T,). The scale of a distance is what `phase_randomised` noise has, which
keeps the example's spectrum exactly and forgets everything else.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Row = npt.NDArray[np.floating]

_HIGH = 2.0
"""Deviations over the mean from which a value belongs to a peak."""

_FLOOR = 1e-4
"""Of the strongest frequency's power: what is weaker than -40 dB counts as that."""


def period(row: Row, rate: float) -> float | None:
    """Seconds from one repetition to the next: the lag of the first great peak of the
    autocorrelation (at least half as high as the highest).

    Lags from the first one where the autocorrelation is under 0 to a third of the signal; each is
    divided by the number of its terms. None where nothing repeats (no peak above 0.1).
    """
    auto = autocorrelation(row)
    longest = row.size // 3
    below = np.flatnonzero(auto[:longest] < 0)
    if below.size == 0:
        return None
    first = int(below[0])
    lags = np.arange(first + 1, longest - 1)
    inner = auto[lags]
    summits = (inner >= auto[lags - 1]) & (inner > auto[lags + 1])
    if not summits.any():
        return None
    highest = float(inner[summits].max())
    if highest < 0.1:
        return None
    # The first that is half as high as the highest: several periods may agree better than one.
    return float(lags[summits & (inner >= 0.5 * highest)][0] / rate)


def autocorrelation(row: Row) -> Row:
    """ρ(lag) for every lag 0 … T-1, each over the number of its terms; ρ(0) is 1."""
    centred = row.astype(np.float64) - row.mean()
    size = 2 * row.size
    power = np.abs(np.fft.rfft(centred, size)) ** 2
    auto = np.fft.irfft(power, size)[: row.size] / np.arange(row.size, 0, -1)
    return np.asarray(auto / max(auto[0], 1e-30))


def peak_times(row: Row, rate: float) -> Row:
    """When each peak is highest, seconds. A peak begins where the signal rises two deviations over
    its mean and ends where it falls under the mean (Schmitt's trigger, 1938)."""
    standard = (row - row.mean()) / max(float(row.std()), 1e-30)
    events = np.where(standard > _HIGH, 1, np.where(standard < 0, -1, 0))
    at = np.flatnonzero(events)
    signs = events[at]
    turns = at[np.flatnonzero(np.diff(signs, prepend=-1))]  # up, down, up, …
    ends = np.append(turns[1::2], row.size) if turns.size % 2 else turns[1::2]
    tops = [a + int(np.argmax(row[a:b])) for a, b in zip(turns[::2], ends, strict=True)]
    return np.asarray(tops, np.float64) / rate


def peaks_a_second(row: Row, rate: float) -> float:
    """How many peaks a second has (see `peak_times`)."""
    return float(peak_times(row, rate).size * rate / row.size)


def interval_variation(row: Row, rate: float) -> float | None:
    """Coefficient of variation (deviation over mean) of the times from peak to peak: 0 for a clock,
    about 1 for events that know nothing of each other. None for fewer than four peaks."""
    intervals = np.diff(peak_times(row, rate))
    return float(intervals.std() / intervals.mean()) if intervals.size > 2 else None


def amplitude_distance(result: Row, example: Row) -> float:
    """1-Wasserstein distance of the two distributions of values, in deviations of the example.

    ∫ |F⁻¹(u) - G⁻¹(u)| du over the quantiles u; lengths may differ.
    """
    u = (np.arange(1000) + 0.5) / 1000
    gap = np.abs(np.quantile(result, u) - np.quantile(example, u)).mean()
    return float(gap / max(float(example.std()), 1e-30))


def spectrum(row: Row, size: int = 512) -> Row:
    """Power by frequency, 0 … rate / 2, over its sum: Welch (1967), Hann windows of `size` that
    overlap by half."""
    size = min(size, row.size)
    frames = np.lib.stride_tricks.sliding_window_view(row - row.mean(), size)[:: max(1, size // 2)]
    power = (np.abs(np.fft.rfft(frames * np.hanning(size), axis=1)) ** 2).mean(0)
    return np.asarray(power / max(float(power.sum()), 1e-30))


def spectrum_distance(result: Row, example: Row) -> float:
    """Root mean square difference of the two spectra in dB (log-spectral distance), over the
    frequencies where either has more than a ten-thousandth of the example's strongest."""
    size = min(512, result.size, example.size)
    p, q = spectrum(result, size), spectrum(example, size)
    floor = _FLOOR * q.max()
    heard = (p > floor) | (q > floor)
    gap = 10 * np.log10(np.maximum(p, floor) / np.maximum(q, floor))[heard]
    return float(np.sqrt((gap**2).mean()))


def phase_randomised(row: Row, length: int, seed: int = 0) -> Row:
    """Noise with the example's own power at every frequency: each phase is drawn anew.

    Theiler et al., "Testing for nonlinearity in time series: the method of surrogate data" (1992).
    A longer one repeats, a shorter one is cut.
    """
    spectra = np.fft.rfft(row - row.mean())
    angles = np.random.default_rng(seed).uniform(0, 2 * np.pi, spectra.size)
    angles[0] = 0.0
    noise = np.fft.irfft(np.abs(spectra) * np.exp(1j * angles), row.size) + row.mean()
    return np.asarray(np.resize(noise, length))
