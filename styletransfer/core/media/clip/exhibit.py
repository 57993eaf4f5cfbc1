"""What a page shows of a clip: the film, its frames, and the block of space and time turning."""

from __future__ import annotations

import json
from typing import Final

import numpy as np
from PIL import Image

from styletransfer.core.media.clip.block import Block
from styletransfer.core.media.clip.video import write_mp4
from styletransfer.core.media.sheet import GROUND, sheet
from styletransfer.core.media.types import Clip, Pixels

ORBIT_VIEWS: Final = 36
_CELL, _ORBIT = 256, 288
"""Pixels along the longer side of a frame, and a side of a view of the block."""

_FIRST = 40.0
"""Degrees: first frame, cut and one side are seen."""

_STRIP, _OTHERS, _GAP = 640, 6, 4


def picture(clip: Clip) -> Pixels:
    """Its middle frame, with a strip of others from first to last below, 640 px wide."""
    height, width = clip.frames.shape[1:3]
    cell = _fitting((width, height), ((_STRIP - _GAP * (_OTHERS - 1)) // _OTHERS, _STRIP // 4))
    main = _fitting((width, height), (_STRIP, _STRIP - _GAP - cell[1]))
    page = Image.new("RGB", (_STRIP, main[1] + _GAP + cell[1]), GROUND)
    page.paste(_frame(clip, len(clip.frames) // 2, main), ((_STRIP - main[0]) // 2, 0))
    left = (_STRIP - _OTHERS * cell[0] - _GAP * (_OTHERS - 1)) // 2
    for k, at in enumerate(np.linspace(0, len(clip.frames) - 1, _OTHERS).round().tolist()):
        page.paste(_frame(clip, int(at), cell), (left + k * (cell[0] + _GAP), main[1] + _GAP))
    return np.asarray(page)


def exhibit(clip: Clip) -> dict[str, bytes]:
    """`clip.mp4`, and `sheet.json` with its pictures: every frame, and 36 views that turn the
    block of all frames, one behind the other, by ten degrees each. `note` is `Clip.note`."""
    height, width = clip.frames.shape[1:3]
    size = _fitting((width, height), (min(width, _CELL), min(height, _CELL)))
    frames = [_frame(clip, k, size) for k in range(len(clip.frames))]
    block = Block(clip)
    step = 360 / ORBIT_VIEWS
    turns = [block.view(_FIRST + step * k, _ORBIT) for k in range(ORBIT_VIEWS)]
    t, frames_jpeg = sheet("t.jpg", "Frames", frames)
    orbit, orbit_jpeg = sheet("orbit.jpg", "Space and time", turns, columns=6)
    told = {"views": {"t": t, "orbit": orbit}, "fps": clip.fps, "note": clip.note}
    return {
        "clip.mp4": write_mp4(clip, quality=20),
        "sheet.json": json.dumps(told).encode(),
        "t.jpg": frames_jpeg,
        "orbit.jpg": orbit_jpeg,
    }


def _fitting(size: tuple[int, int], most: tuple[int, int]) -> tuple[int, int]:
    """(width, height) of the same form that fits into `most`, no side under 4 px."""
    scale = min(most[0] / size[0], most[1] / size[1])
    return max(4, round(size[0] * scale)), max(4, round(size[1] * scale))


def _frame(clip: Clip, index: int, size: tuple[int, int]) -> Image.Image:
    frame = Image.fromarray(clip.frames[index])
    return frame if frame.size == size else frame.resize(size, Image.Resampling.LANCZOS)
