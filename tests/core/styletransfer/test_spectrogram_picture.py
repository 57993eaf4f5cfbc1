"""Spectrograms as pictures."""

from __future__ import annotations

import numpy as np
import pytest

from styletransfer.core.media import spectrogram

RATE = 22_050


def test_magnitudes_of_a_tone_peak_at_its_bin() -> None:
    t = np.arange(RATE) / RATE
    tone = np.sin(2 * np.pi * 40 * RATE / 1024 * t).astype(np.float32)
    magnitude = spectrogram.magnitudes(tone, 1024, 256)
    assert magnitude.shape == (513, RATE // 256 + 1)
    inner = magnitude[:, 4:-4]
    assert (inner.argmax(0) == 40).all()
    assert inner.max() == pytest.approx(256, rel=1e-2)  # half of the window's sum


def test_mel_has_its_known_values() -> None:
    assert spectrogram.mel(0) == 0
    assert spectrogram.mel(700) == pytest.approx(781.17, abs=0.01)
    assert spectrogram.mel(1000) == pytest.approx(999.99, abs=0.01)
    assert spectrogram.hertz(spectrogram.mel([55, 440, 8000])) == pytest.approx([55, 440, 8000])


def test_mel_bands_keep_a_flat_spectrum_flat() -> None:
    bands = spectrogram.mel_bands(80, 513, RATE)
    assert bands.shape == (80, 513)
    assert (bands >= 0).all()
    assert np.allclose(bands @ np.ones(513), 1, atol=1e-5)
    assert (np.diff(bands.argmax(1)) >= 0).all()


@pytest.mark.parametrize("frames", [1, 7, 640, 3000])
def test_a_picture_has_one_size_and_shows_low_below_high(frames: int) -> None:
    magnitude = np.zeros((513, frames), np.float32)
    magnitude[3] = 1
    picture = spectrogram.draw(magnitude, RATE)
    assert picture.shape == (288, 640, 3)
    assert picture.dtype == np.uint8
    rows = picture.astype(int).sum((1, 2))
    assert rows.argmax() > 260
    assert picture[:100].max() <= 0x13


def test_silence_is_dark() -> None:
    assert spectrogram.draw(np.zeros((513, 20), np.float32), RATE).max() <= 0x13
