"""Sounds in files: read by libsndfile, brought to one channel at 22,050 Hz."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any, Final

import numpy as np
import soundfile
import soxr

from styletransfer.core.media.types import Floats, MediumError, Sound

RATE: Final = 22_050
"""Hz of every sound inside the house."""

READS: Mapping[str, str] = {
    ".wav": "WAV",
    ".flac": "FLAC",
    ".ogg": "Ogg",
    ".mp3": "MP3",
    ".aiff": "AIFF",
    ".aif": "AIFF",
}

LEAST_SECONDS, MOST_SECONDS = 0.5, 60.0
LEAST_RATE, MOST_RATE = 4_000, 192_000
MOST_CHANNELS = 8

_FORMATS = {"WAV", "WAVEX", "RF64", "FLAC", "OGG", "MP3", "AIFF"}
_SILENCE = 1e-4
"""Peak under which nothing is to be heard: -80 dB of full scale."""
_SLACK = 0.05
"""Seconds that a file may lie over the limit: codecs pad their last block."""
_SHORTFALL = re.compile(r"\b(?:data|SSND) : (\d+) \(should be (\d+)\)")
_OPEN_ENDED = 2**62
"""Frames that libsndfile reports where the header leaves their number open."""
_STREAMED = 0x7FFF_0000
"""A length at least so large in a WAV's header says that its writer did not know it."""


def read(data: bytes, name: str) -> Sound:
    """The sound in a file: its channels' mean at 22,050 Hz, half a second to a minute of it.

    The header's claims are checked before anything is decoded, and no more is decoded than may be
    used, whatever the header claims. Raises MediumError.
    """
    if not data:
        raise MediumError("empty", "This file is empty.", "Choose a sound file with something in.")
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            _check_header(file)
            samples = np.concatenate([*_mono(file), np.zeros(0, np.float32)])
            _check_whole(file, len(samples))
            rate = int(file.samplerate)
    except soundfile.LibsndfileError as error:
        raise _unreadable(error, name) from error
    return _sound(samples, rate)


def flac(sound: Sound) -> bytes:
    """As FLAC, 16 bit."""
    return _written(sound, "FLAC")


def deliver(sound: Sound) -> dict[str, bytes]:
    """The files to download: WAV and FLAC, 16 bit."""
    return {"sound.wav": _written(sound, "WAV"), "sound.flac": flac(sound)}


def _check_header(file: Any) -> None:
    if file.format not in _FORMATS:
        raise _unreadable_format(str(file.format_info))
    if not LEAST_RATE <= file.samplerate <= MOST_RATE:
        raise MediumError(
            "sample_rate",
            f"This file says that it has {file.samplerate:,} samples a second; "
            f"sounds have {LEAST_RATE:,} to {MOST_RATE:,}.",
            "Save it anew with 44,100 or 22,050 Hz.",
        )
    if file.channels > MOST_CHANNELS:
        raise MediumError(
            "channels",
            f"This file has {file.channels} channels; at most {MOST_CHANNELS} can be mixed.",
            "Save it as mono or stereo.",
        )
    if file.frames >= _OPEN_ENDED:
        raise MediumError(
            "no_length",
            "This file does not say how long it is.",
            "Open it in a sound editor and save it anew.",
        )
    if file.frames > (MOST_SECONDS + _SLACK) * file.samplerate:
        raise _too_long(file.frames / file.samplerate)


def _mono(file: Any) -> Iterator[Floats]:
    """The channels' mean, a second at a time; stops with an error past the limit."""
    left = int((MOST_SECONDS + _SLACK) * file.samplerate)
    while len(block := file.read(file.samplerate, dtype="float32", always_2d=True)):
        left -= len(block)
        if left < 0:
            raise _too_long(None)
        yield block.mean(1)


def _check_whole(file: Any, frames: int) -> None:
    """Raise MediumError where the file ends before its header says."""
    shortfall = _SHORTFALL.search(file.extra_info)
    cut = shortfall and int(shortfall[2]) < int(shortfall[1]) < _STREAMED
    lost = "lacks an end-of-stream bit" in file.extra_info
    missing = frames < file.frames - 0.1 * file.samplerate
    if cut or lost or missing:
        raise _cut_off()


def _sound(samples: Floats, rate: int) -> Sound:
    seconds = len(samples) / rate
    if seconds < LEAST_SECONDS:
        what = f"lasts {seconds:.2f} s" if seconds else "holds no sound at all"
        raise MediumError(
            "too_short", f"This file {what}; at least {LEAST_SECONDS:g} s are needed.",
            "Choose a longer sound.",
        )  # fmt: skip
    if not np.isfinite(samples).all():
        raise MediumError(
            "not_finite",
            "This file holds samples that are not numbers (NaN or infinite).",
            "Export it again, as 16- or 24-bit samples.",
        )
    if np.abs(samples).max() < _SILENCE:
        raise MediumError("silent", "This sound is silent.", "Choose one that can be heard.")
    samples = soxr.resample(samples, rate, RATE).astype(np.float32)
    loudest = float(np.abs(samples).max())
    return Sound((samples / max(loudest, 1.0))[None, : int(MOST_SECONDS * RATE)], RATE)


def _written(sound: Sound, format_name: str) -> bytes:
    buffer = io.BytesIO()
    samples = np.clip(sound.samples[0], -1, 1)
    soundfile.write(buffer, samples, sound.rate, format=format_name, subtype="PCM_16")
    return buffer.getvalue()


def _too_long(seconds: float | None) -> MediumError:
    if seconds is None:
        lasts = "goes on for longer than that, whatever its header says"
    elif seconds < 3600:
        lasts = f"lasts {int(seconds) // 60} min {int(seconds) % 60} s"
    else:
        lasts = f"says that it lasts {seconds / 3600:,.1f} hours"
    return MediumError(
        "too_long",
        f"A sound may last up to {MOST_SECONDS:g} s; this one {lasts}.",
        "Cut out the part that you want to use.",
    )


def _cut_off() -> MediumError:
    return MediumError(
        "cut_off",
        "This file ends too early: a part of it is missing.",
        "Copy or download it again.",
    )


def _unreadable(error: soundfile.LibsndfileError, name: str) -> MediumError:
    """A sound's header was understood, or it was not."""
    if error.prefix.startswith("Error opening"):
        ending = PurePath(name).suffix.lower()
        return _unreadable_format(READS.get(ending) and f"a damaged {READS[ending]} file")
    return _cut_off()


def _unreadable_format(what: str | None) -> MediumError:
    seems = f" (it seems to be {what})" if what else ""
    return MediumError(
        "not_a_sound",
        f"This file cannot be read as a sound{seems}.",
        f"Use {', '.join(dict.fromkeys(READS.values()))}.",
    )
