"""Animated GIF, PNG and WebP, by Pillow."""

from __future__ import annotations

import io
import itertools
import struct
import time
import warnings

from PIL import Image, UnidentifiedImageError

from styletransfer.core.media.clip.sampling import (
    MOST_FPS,
    MOST_SECONDS,
    broken,
    check_size,
    evenly,
    note_of,
    smaller,
    still_picture,
    to_rgb,
)
from styletransfer.core.media.types import Clip, MediumError, Pixels

GIF, PNG, WEBP = b"GIF8", b"\x89PNG\r\n\x1a\n", b"RIFF"

_MOST_DECODED = 600_000_000
"""Pixels, of all frames together."""

_PATIENCE = 20.0
"""Seconds of decoding."""

_HASTE, _USUAL = 0.011, 0.1
"""Frames that would be shown no longer than this many seconds get this many, as in browsers."""

_LEAST_GAP = 0.079
"""Seconds from one frame that is kept to the next: twelve a second, as hundredths have it."""

_DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    struct.error,
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""What Pillow raises for files that are not what they say."""


def read_animation(data: bytes) -> Clip:
    """The bytes of a GIF, APNG or WebP as a clip. Raises MediumError."""
    size = _declared_size(data)
    check_size(*size)
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data), formats=("GIF", "PNG", "WEBP")) as image:
                return _walk(image)
        except _DAMAGED as error:
            raise broken() from error


def _walk(image: Image.Image) -> Clip:
    """Frame by frame up to the tenth second; what is not shown is decoded, not kept."""
    size, began = image.size, time.monotonic()
    small = smaller(size)
    starts: list[float] = []
    frames: list[Pixels] = []
    now, decoded, cut = 0.0, 0, False
    for index in itertools.count():
        try:
            image.seek(index)
        except EOFError:
            break
        check_size(*image.size)  # a later frame may reach beyond what was declared
        if now >= MOST_SECONDS - 1e-9:
            cut = True
            break
        decoded += image.width * image.height
        if decoded > _MOST_DECODED or time.monotonic() - began > _PATIENCE:
            raise MediumError(
                "clip_too_large",
                f"This clip has {size[0]} × {size[1]} pixels and so many frames that it takes too "
                "long to read.",
                "Scale it down or shorten it, then try again.",
            )
        if not frames or now - starts[-1] >= _LEAST_GAP:
            starts.append(now)
            frames.append(to_rgb(image, small))
        else:
            image.load()
        shown = float(image.info.get("duration") or 0) / 1000
        now += shown if shown > _HASTE else _USUAL
    if index < 2:
        raise still_picture()
    clip = evenly(starts, frames, max(now, starts[-1] + 1 / MOST_FPS))
    return Clip(clip.frames, clip.fps, note_of(cut, size))


def _declared_size(data: bytes) -> tuple[int, int]:
    """(width, height) that the header declares, before a decoder makes room for it."""
    try:
        if data.startswith(GIF):
            width, height = struct.unpack_from("<HH", data, 6)
        elif data.startswith(PNG):
            width, height = struct.unpack_from(">II", data, 16)
        elif data[12:16] == b"VP8X":
            width = int.from_bytes(data[24:27], "little") + 1
            height = int.from_bytes(data[27:30], "little") + 1
        else:
            raise still_picture()  # only the extended format of WebP can move
    except struct.error as error:
        raise broken() from error
    return width, height
