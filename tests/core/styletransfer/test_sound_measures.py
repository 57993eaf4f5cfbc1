"""Held-out statistics of sounds, against what is known of simple ones."""

from __future__ import annotations

import numpy as np
import pytest

from styletransfer.core.measures import sound as measures
from styletransfer.core.media.types import Sound

RATE = 22_050


def sound(samples: np.ndarray) -> Sound:
    return Sound(samples.astype(np.float32)[None], RATE)


def tone(hertz: float, seconds: float = 4.0, level: float = 0.5) -> np.ndarray:
    return level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)


def noise(seconds: float = 4.0, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(int(seconds * RATE))


def trembling(hertz: float, seconds: float = 8.0) -> np.ndarray:
    t = np.arange(int(seconds * RATE)) / RATE
    return noise(seconds) * (1 + 0.9 * np.sin(2 * np.pi * hertz * t))


def clicks(*seconds: float, length: float = 4.0) -> np.ndarray:
    samples = 1e-4 * noise(length)
    for second in seconds:
        at = int(second * RATE)
        samples[at : at + 400] += noise()[:400] * np.exp(-np.arange(400) / 80)
    return samples


@pytest.mark.parametrize("hertz", [500, 2000, 6000])
def test_centroid_of_a_tone_is_its_frequency(hertz: float) -> None:
    mean, spread = measures.spectral_centroid(sound(tone(hertz)))
    assert mean == pytest.approx(hertz, rel=0.02)
    assert spread < 100


def test_centroid_of_white_noise_is_the_middle() -> None:
    assert measures.spectral_centroid(sound(noise()))[0] == pytest.approx(RATE / 4, rel=0.01)


def test_spread_of_two_tones_in_turn_is_half_their_distance() -> None:
    turns = np.concatenate([tone(1000), tone(3000)])
    mean, spread = measures.spectral_centroid(sound(turns))
    assert mean == pytest.approx(2000, rel=0.03)
    assert spread == pytest.approx(1000, rel=0.05)


@pytest.mark.parametrize(("hertz", "octave"), [(0.75, 0), (1.5, 1), (3, 2), (6, 3), (12, 4)])
def test_modulation_spectrum_finds_the_rate_of_a_tremolo(hertz: float, octave: int) -> None:
    found = measures.modulation_spectrum(sound(trembling(hertz)))
    assert found.shape == (24, 6)
    assert (found.argmax(1) == octave).all()


def test_modulation_spectrum_does_not_depend_on_the_level() -> None:
    whole, half = (measures.modulation_spectrum(sound(a * trembling(3))) for a in (1, 0.5))
    assert np.allclose(whole, half, rtol=1e-3)


def test_modulation_distance_tells_rhythms_apart_and_not_takes() -> None:
    one = sound(trembling(3))
    assert measures.modulation_distance(one, one) == 0
    assert measures.modulation_distance(sound(trembling(3)[::-1]), one) < 0.1
    assert measures.modulation_distance(sound(trembling(12)), one) > 0.8


def test_spectrum_distance_is_the_gap_in_decibels() -> None:
    one = noise()
    filtered = np.fft.irfft(np.fft.rfft(one) * (np.fft.rfftfreq(len(one), 1 / RATE) < 2000))
    assert measures.spectrum_distance(sound(one), sound(0.1 * one)) == pytest.approx(0, abs=0.01)
    assert measures.spectrum_distance(sound(noise(seed=1)), sound(one)) < 0.5
    assert measures.spectrum_distance(sound(filtered), sound(one)) > 20


def test_onsets_are_found_where_they_are() -> None:
    envelope = measures.onset_envelope(sound(clicks(0.5, 1.7, 3.1)))
    strongest = sorted(np.argsort(envelope)[-12:] * 256 / RATE)
    for second in (0.5, 1.7, 3.1):
        assert min(abs(second - s) for s in strongest) < 0.05


def test_onsets_kept_is_one_for_the_same_and_nothing_for_others() -> None:
    ours = sound(clicks(0.5, 1.7, 3.1))
    assert measures.onsets_kept(ours, ours) == pytest.approx(1)
    assert measures.onsets_kept(sound(0.3 * clicks(0.5, 1.7, 3.1)), ours) > 0.9
    assert measures.onsets_kept(sound(clicks(1.0, 2.2, 2.6)), ours) < 0.1


def test_noise_for_scale_has_level_and_length() -> None:
    made = measures.white_noise(sound(tone(440)))
    assert made.samples.shape == (1, 4 * RATE)
    assert made.samples.std() == pytest.approx(tone(440).std(), rel=0.01)
