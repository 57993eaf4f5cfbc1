"""The door for clips: `read` takes a file's bytes, `deliver` gives files away."""

from __future__ import annotations

from typing import Final

from styletransfer.core.media.clip.animated import GIF, PNG, WEBP, read_animation
from styletransfer.core.media.clip.sampling import still_picture
from styletransfer.core.media.clip.video import container, read_video, write_gif, write_mp4
from styletransfer.core.media.types import Clip, MediumError

READS: Final = {
    ".mp4": "MP4",
    ".m4v": "MP4",
    ".mov": "QuickTime",
    ".webm": "WebM",
    ".mkv": "Matroska",
    ".avi": "AVI",
    ".gif": "animated GIF",
    ".png": "animated PNG",
    ".apng": "animated PNG",
    ".webp": "animated WebP",
}

_SOUNDS = (b"ID3", b"\xff\xfb", b"\xff\xf3", b"fLaC", b"OggS", b"FORM")
_STILLS = (b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*")


def read(data: bytes, name: str) -> Clip:
    """A file's bytes as a clip; what the bytes say counts, not the name's ending.

    Takes at most ten seconds, 96 frames, twelve a second and 512 pixels a side; `Clip.note` says
    what was left out. Raises MediumError.
    """
    if not data:
        raise MediumError("empty_file", "This file is empty.", "Choose another clip.")
    if data.startswith((GIF, PNG)) or (data.startswith(WEBP) and data[8:12] == b"WEBP"):
        return read_animation(data)
    if kind := container(data):
        return read_video(data, kind)
    if data.startswith(_STILLS):
        raise still_picture()
    if data.startswith(_SOUNDS) or (data.startswith(b"RIFF") and data[8:12] == b"WAVE"):
        raise MediumError(
            "no_picture",
            "This file is a sound, not a clip.",
            "Choose a video; a sound can be worked on under Sound.",
        )
    raise MediumError(
        "not_a_clip",
        "This file is not a clip that can be read.",
        "Choose a video (MP4, MOV, WebM, MKV, AVI) or an animation (GIF, APNG, WebP).",
    )


def deliver(clip: Clip) -> dict[str, bytes]:
    """`clip.mp4` (H.264) and `clip.gif`."""
    return {"clip.mp4": write_mp4(clip), "clip.gif": write_gif(clip)}
