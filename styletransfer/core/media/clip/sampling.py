"""How much of a film is taken: at most ten seconds, 96 frames, twelve a second, 512 pixels."""

from __future__ import annotations

import bisect
import statistics
from collections.abc import Sequence

import numpy as np
from PIL import Image

from styletransfer.core.media.types import Clip, MediumError, Pixels

MOST_SECONDS, MOST_FRAMES, MOST_FPS, MOST_SIDE = 10.0, 96, 12.0, 512
LONGEST_FILM = 120.0
"""Seconds; of what is longer, ten are not what was meant."""

LARGEST_SIDE, LEAST_SIDE = 4096, 16


def check_size(width: int, height: int) -> None:
    """Raises MediumError for frames that are too large, or too small."""
    if max(width, height) > LARGEST_SIDE:
        raise MediumError(
            "clip_too_large",
            f"This clip has {width} × {height} pixels; at most {LARGEST_SIDE} a side are read.",
            "Scale it down, then try again.",
        )
    if min(width, height) < LEAST_SIDE:
        raise MediumError(
            "clip_too_small",
            f"This clip has only {width} × {height} pixels.",
            f"Choose one with at least {LEAST_SIDE} on each side.",
        )


def check_length(seconds: float) -> None:
    """Raises MediumError for a film that is absurdly long."""
    if seconds > LONGEST_FILM:
        length = f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
        raise MediumError(
            "clip_too_long",
            f"This clip is {length} long; at most {LONGEST_FILM / 60:.0f} minutes are read.",
            f"Cut out the {MOST_SECONDS:.0f} seconds that you want.",
        )


def rate_for(seconds: float | None, fps: float | None) -> float:
    """Frames a second to take of so many seconds with so many frames a second; None: unknown."""
    taken = min(seconds or MOST_SECONDS, MOST_SECONDS)
    return min(fps or MOST_FPS, MOST_FPS, MOST_FRAMES / taken)


def evenly(starts: Sequence[float], frames: Sequence[Pixels], seconds: float) -> Clip:
    """Frames that are shown from these times on, as a clip of one rate.

    starts: seconds, ascending, the first is 0. seconds: when the last one ends.
    """
    usual = statistics.median(b - a for a, b in zip(starts, [*starts[1:], seconds], strict=True))
    rate = round(rate_for(seconds, 1 / usual), 3)
    count = max(2, min(MOST_FRAMES, round(min(seconds, MOST_SECONDS) * rate)))
    shown = [bisect.bisect_right(starts, (k + 0.5) / rate) - 1 for k in range(count)]
    return Clip(np.stack([frames[k] for k in shown]), rate)


def smaller(size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) with at most `MOST_SIDE` pixels a side."""
    scale = min(1.0, MOST_SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def note_of(cut: bool, size: tuple[int, int] | None) -> str:
    """What is said of a film that was cut, or scaled down from the size."""
    told = []
    if cut:
        told.append(f"Only its first {MOST_SECONDS:.0f} seconds are taken.")
    if size and max(size) > MOST_SIDE:
        width, height = smaller(size)
        told.append(f"It is scaled from {size[0]} × {size[1]} to {width} × {height} pixels.")
    return " ".join(told)


def still_picture() -> MediumError:
    """For a file with a single frame."""
    return MediumError(
        "still_picture",
        "This file is a single picture, not a clip.",
        "Choose an animation or a video; a picture can be painted under Picture.",
    )


def broken() -> MediumError:
    """For a file that cannot be decoded, or ends too early."""
    return MediumError(
        "clip_broken",
        "This clip is damaged or cut off.",
        "Save or export it again, or choose another.",
    )


def to_rgb(image: Image.Image, size: tuple[int, int]) -> Pixels:
    """A frame at that size, opaque: what is transparent lies on white."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    rgb = image.convert("RGB")
    if rgb.size != size:
        rgb = rgb.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(rgb)
