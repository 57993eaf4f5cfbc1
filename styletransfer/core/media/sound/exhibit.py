"""A sound to look at and to play. Numpy, PIL and soundfile alone."""

from __future__ import annotations

import io
import json
from typing import Any

from PIL import Image

from styletransfer.core.media import spectrogram
from styletransfer.core.media.sound.files import flac
from styletransfer.core.media.types import Pixels, Sound
from styletransfer.core.media.waveform import waveform

STRETCHES = 1200
_WINDOW, _LARGEST_HOP = 2048, 512


def picture(sound: Sound) -> Pixels:
    """Its spectrogram on a mel axis, (288, 640, 3)."""
    hop = min(max(sound.samples.shape[-1] // (2 * spectrogram.WIDTH), 32), _LARGEST_HOP)
    magnitude = spectrogram.magnitudes(sound.samples[0], _WINDOW, hop)
    return spectrogram.draw(magnitude, sound.rate)


def peaks(sound: Sound, stretches: int = STRETCHES) -> dict[str, Any]:
    """What `<wave-view>` draws of it, on an axis from -1 to 1."""
    drawn = waveform(sound.samples, sound.rate, ("",), ("",), stretches=stretches)
    drawn["channels"][0] |= {"low": -1.0, "high": 1.0}
    return drawn


def exhibit(sound: Sound) -> dict[str, bytes]:
    """What a page shows and plays, by file name."""
    buffer = io.BytesIO()
    Image.fromarray(picture(sound)).save(buffer, "JPEG", quality=88)
    return {
        "sound.flac": flac(sound),
        "waveform.json": json.dumps(peaks(sound), separators=(",", ":")).encode(),
        "spectrogram.jpg": buffer.getvalue(),
    }
