"""Known values of a signal's held-out statistics."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from styletransfer.core.measures import signal as measures
from styletransfer.core.media.signal.starters import electrocardiogram

RNG = np.random.default_rng(0)
SINE = np.sin(2 * np.pi * 2.5 * np.arange(2000) / 100)  # 2.5 Hz at 100 Hz


def test_the_period_of_a_sine_and_of_a_heart() -> None:
    assert measures.period(SINE, 100) == pytest.approx(0.4)
    heart = electrocardiogram(30, 200, beats_a_minute=75)
    assert measures.period(heart.values[0], 200) == pytest.approx(0.8, abs=0.02)
    assert measures.period(RNG.normal(size=4000), 100) is None


def test_the_autocorrelation_of_an_alternation() -> None:
    row = np.array([1.0, -1.0] * 10)
    assert measures.autocorrelation(row)[:4] == pytest.approx([1, -1, 1, -1])


def spikes(*at: int, length: int = 1000) -> np.ndarray:
    row = np.zeros(length) - 0.01
    for k in at:
        row[k : k + 3] = (0.8, 1.0, 0.9)
    return row


def test_peaks_are_counted_once_each_and_where_they_are_highest() -> None:
    row = spikes(100, 300, 500, 700, 900)
    assert measures.peak_times(row, 100) == pytest.approx([1.01, 3.01, 5.01, 7.01, 9.01])
    assert measures.peaks_a_second(row, 100) == pytest.approx(0.5)
    assert measures.interval_variation(row, 100) == pytest.approx(0)
    assert measures.interval_variation(spikes(100, 300), 100) is None
    uneven = spikes(0, 100, 400, 500, 800)  # 1, 3, 1, 3 s
    assert measures.interval_variation(uneven, 100) == pytest.approx(0.5)
    assert measures.peak_times(spikes(997), 100) == pytest.approx([9.98])  # cut off by the end


def test_a_heart_of_75_beats_a_minute_has_as_many_peaks() -> None:
    heart = electrocardiogram(60, 200, beats_a_minute=75).values[0]
    assert measures.peaks_a_second(heart, 200) == pytest.approx(1.25, abs=0.03)


def test_the_distance_of_values_is_their_shift_in_deviations() -> None:
    row = RNG.normal(size=5000)
    assert measures.amplitude_distance(row, row[::-1]) == pytest.approx(0)
    assert measures.amplitude_distance(row + 2 * row.std(), row) == pytest.approx(2)
    assert measures.amplitude_distance(np.resize(row, 10_000), row) < 0.01


def test_the_distance_of_spectra_is_in_decibels() -> None:
    row = RNG.normal(size=20_000)
    assert measures.spectrum_distance(row, row) == 0
    assert measures.spectrum_distance(3 * row, row) == pytest.approx(0, abs=1e-9)  # over its sum
    assert measures.spectrum(row).sum() == pytest.approx(1)
    other = RNG.normal(size=20_000)
    slow = np.convolve(row, np.ones(8) / 8, "same")
    assert measures.spectrum_distance(other, row) < 1.5
    assert measures.spectrum_distance(slow, row) > 10


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 100), length=st.integers(400, 1100))
def test_phase_randomised_noise_keeps_the_spectrum_and_forgets_the_rest(
    seed: int, length: int
) -> None:
    heart = electrocardiogram(8, 100).values[0]
    noise = measures.phase_randomised(heart, length, seed)
    assert noise.shape == (length,)
    whole = measures.phase_randomised(heart, heart.size, seed)
    powers = [np.abs(np.fft.rfft(row - row.mean())) for row in (whole, heart)]
    assert np.allclose(*powers, atol=1e-2 * powers[1].max())
    assert measures.amplitude_distance(whole, heart) > 0.1
