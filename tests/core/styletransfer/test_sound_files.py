"""Sounds in files: what is read, and what is refused with which words."""

from __future__ import annotations

import contextlib
import io
import json
import struct

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from styletransfer.core.media import registry
from styletransfer.core.media.sound.files import RATE, READS, deliver, read
from styletransfer.core.media.types import MediumError, Sound, pack, unpack


def tone(seconds: float = 1.0, rate: int = RATE, channels: int = 1) -> npt.NDArray[np.float32]:
    """A sine of 440 Hz, (T, channels)."""
    t = np.arange(int(seconds * rate)) / rate
    wave = 0.5 * np.sin(2 * np.pi * 440 * t)
    return np.repeat(wave[:, None], channels, 1).astype(np.float32)


def file(
    samples: npt.NDArray[np.float32],
    rate: int = RATE,
    format: str = "WAV",
    subtype: str | None = None,
) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=format, subtype=subtype)
    return buffer.getvalue()


def refusal(data: bytes, name: str = "a.wav") -> MediumError:
    with pytest.raises(MediumError) as caught:
        read(data, name)
    assert caught.value.message.endswith(".")
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("format", ["WAV", "FLAC", "OGG", "MP3", "AIFF"])
@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000])
def test_every_format_and_rate_becomes_one_channel_at_22050_hz(format: str, rate: int) -> None:
    sound = read(file(tone(1.5, rate, 2), rate, format), f"a.{format.lower()}")
    assert (sound.rate, sound.samples.shape[0]) == (22_050, 1)
    assert sound.seconds == pytest.approx(1.5, abs=0.1)
    middle = sound.samples[0, 8000:24000]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert spectrum.argmax() * RATE / len(middle) == pytest.approx(440, abs=2)
    assert middle.max() == pytest.approx(0.5, abs=0.05)


def test_channels_are_averaged() -> None:
    opposite = tone(1, channels=2) * [1, 0.5]
    assert read(file(opposite), "a.wav").samples.max() == pytest.approx(0.375, abs=0.01)


def test_floats_beyond_full_scale_are_brought_back_not_clipped() -> None:
    sound = read(file(6 * tone(), subtype="FLOAT"), "a.wav")
    assert np.abs(sound.samples).max() == pytest.approx(1.0)
    assert sound.samples[0, :2000].std() == pytest.approx(np.sqrt(0.5), abs=0.01)


def test_a_minute_is_read_whole_and_a_little_more_is_refused() -> None:
    assert read(file(tone(60.0, 8000), 8000), "a.wav").seconds == pytest.approx(60, abs=0.01)
    assert refusal(file(tone(61.0, 8000), 8000)).code == "too_long"


def test_ten_minutes_are_refused_by_the_header() -> None:
    error = refusal(file(np.zeros((600 * 8000, 1), np.float32), 8000, "FLAC"), "a.flac")
    assert error.code == "too_long"
    assert "10 min 0 s" in error.message


def test_a_flac_that_promises_hours_is_not_decoded() -> None:
    data = bytearray(file(tone(), format="FLAC"))
    data[21] = data[21] & 0xF0 | 0x0F  # the highest 4 of the 36 bits that count the samples
    error = refusal(bytes(data), "a.flac")
    assert error.code == "too_long"
    assert "hours" in error.message


def test_a_flac_that_does_not_tell_its_length_is_not_decoded() -> None:
    data = bytearray(file(tone(), format="FLAC"))
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    assert refusal(bytes(data), "a.flac").code == "no_length"


@pytest.mark.parametrize("format", ["WAV", "FLAC", "OGG", "MP3", "AIFF"])
def test_half_a_file_is_told_as_such(format: str) -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (3 * RATE, 1)).astype(np.float32)
    data = file(noise, format=format)
    assert refusal(data[: len(data) // 2]).code == "cut_off"


def test_a_wav_whose_writer_did_not_know_its_length_is_read() -> None:
    data = bytearray(file(tone()))
    at = data.index(b"data") + 4
    data[at : at + 4] = struct.pack("<I", 0xFFFFFFFF)
    data[4:8] = struct.pack("<I", 0xFFFFFFFF)
    assert read(bytes(data), "a.wav").seconds == pytest.approx(1)


@pytest.mark.parametrize("rate", [100, 1_000, 300_000])
def test_absurd_sample_rates(rate: int) -> None:
    error = refusal(file(tone(2, 8000), rate))
    assert error.code == "sample_rate"
    assert f"{rate:,}" in error.message


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers(bad: float) -> None:
    samples = tone()
    samples[500] = bad
    assert refusal(file(samples, subtype="FLOAT")).code == "not_finite"


def test_silence_emptiness_brevity_and_crowds() -> None:
    assert refusal(file(0 * tone())).code == "silent"
    assert refusal(b"").code == "empty"
    assert refusal(file(tone(0.2))).code == "too_short"
    assert refusal(file(tone()[:0])).code == "too_short"
    assert refusal(file(tone(channels=12))).code == "channels"


@pytest.mark.parametrize("data", [b"hello" * 100, b"RIFF" + bytes(200), b"%PDF-1.7 ...", b"\x00"])
def test_what_is_no_sound(data: bytes) -> None:
    error = refusal(data, "song.m4a")
    assert error.code == "not_a_sound"
    assert "FLAC" in error.hint


def test_other_formats_of_the_library_stay_closed() -> None:
    assert refusal(file(tone(), format="AU"), "a.au").code == "not_a_sound"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damage_ends_in_a_sound_or_in_a_sentence(data: st.DataObject) -> None:
    format = data.draw(st.sampled_from(["WAV", "FLAC", "OGG", "AIFF"]))
    damaged = bytearray(file(tone(0.6, 8000), 8000, format))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(MediumError):
        sound = read(bytes(damaged), "a.wav")
        assert np.isfinite(sound.samples).all()
        assert np.abs(sound.samples).max() <= 1


def test_delivered_files_hold_the_sound() -> None:
    sound = Sound(tone().T.copy(), RATE)
    files = deliver(sound)
    assert list(files) == ["sound.wav", "sound.flac"]
    for name, data in files.items():
        assert np.allclose(read(data, name).samples, sound.samples, atol=1 / 32000)
        with soundfile.SoundFile(io.BytesIO(data)) as written:
            assert written.subtype == "PCM_16"


def test_registry_reads_packs_and_exhibits() -> None:
    sound = registry.read("sound", file(tone(2)), "a.wav")
    assert registry.reads("sound") == READS
    again = unpack(pack(sound))
    assert isinstance(again, Sound)
    assert np.array_equal(again.samples, sound.samples)
    shown = registry.exhibit(sound)
    drawn = json.loads(shown["waveform.json"])
    (channel,) = drawn["channels"]
    assert (drawn["seconds"], drawn["rate"]) == (2.0, 22_050)
    assert len(channel["peaks"]) == 1200
    assert (channel["low"], channel["high"]) == (-1, 1)
    assert shown["spectrogram.jpg"].startswith(b"\xff\xd8")
    assert np.allclose(read(shown["sound.flac"], "").samples, sound.samples, atol=1 / 32000)


@pytest.mark.parametrize("starter", registry.starters("sound"), ids=lambda s: s.name)
def test_starters_can_be_heard_and_do_not_clip(starter: registry.Starter) -> None:
    sound = starter.make()
    assert isinstance(sound, Sound)
    assert sound.rate == RATE
    assert 4 <= sound.seconds <= 10
    assert np.abs(sound.samples).max() == pytest.approx(0.8, abs=1e-3)
    assert 0.03 < sound.samples.std() < 0.4
    assert abs(sound.samples.mean()) < 0.01
    assert np.array_equal(sound.samples, starter.make().samples)  # type: ignore[union-attr]
