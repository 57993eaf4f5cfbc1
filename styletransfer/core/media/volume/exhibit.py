"""What a page shows of a volume: its slices along each axis, and the body turning."""

from __future__ import annotations

import json
import math
from typing import Any, Final

import numpy as np
from PIL import Image

from styletransfer.core.media.sheet import GROUND, sheet
from styletransfer.core.media.types import Floats, Pixels, Volume
from styletransfer.core.media.volume.render import Body
from styletransfer.core.media.volume.scaling import scaled_shape, scaled_spacing, shrink

ORBIT_VIEWS: Final = 36
_FIRST_TURN = math.radians(30)
_ORBIT_WIDTH, _CAST_WIDTH = 288, 144
_CELL = 192
"""Pixels along the longer side of a slice."""

_LONGEST = 96
_AXES: Final = (("z", "Axial slices"), ("y", "Coronal slices"), ("x", "Sagittal slices"))
_LARGE, _SMALL, _GAP = 424, 136, 8


def picture(volume: Volume) -> Pixels:
    """(424, 568, 3): the body, beside it the middle slice along each axis."""
    canvas = Image.new("RGB", (_LARGE + _GAP + _SMALL, _LARGE), GROUND)
    body = Image.fromarray(Body(volume).view(_FIRST_TURN, _LARGE // 2))
    canvas.paste(body.resize((_LARGE, _LARGE), Image.Resampling.BICUBIC))
    for row, axis in enumerate(range(3)):
        middle = volume.values.shape[1 + axis] // 2
        cell = _cell(volume, axis, middle, _SMALL)
        left = _LARGE + _GAP + (_SMALL - cell.width) // 2
        top = row * (_SMALL + _GAP) + (_SMALL - cell.height) // 2
        canvas.paste(cell, (left, top))
    return np.asarray(canvas)


def exhibit(volume: Volume) -> dict[str, bytes]:
    """`sheet.json` and its pictures: all slices along z, y and x (at most 96 each), and 36 views
    that turn the body by ten degrees each."""
    volume = _bounded(volume)
    views: dict[str, Any] = {}
    files: dict[str, bytes] = {}
    for axis, (name, label) in enumerate(_AXES):
        count = volume.values.shape[1 + axis]
        cells = [_cell(volume, axis, k, _CELL) for k in range(count)]
        views[name], files[f"{name}.jpg"] = sheet(f"{name}.jpg", label, cells)
    body = Body(volume)
    turns = [body.view(_FIRST_TURN + math.radians(10 * k), _CAST_WIDTH) for k in range(ORBIT_VIEWS)]
    size = (_ORBIT_WIDTH, _ORBIT_WIDTH)
    cells = [Image.fromarray(t).resize(size, Image.Resampling.BICUBIC) for t in turns]
    views["orbit"], files["orbit.jpg"] = sheet("orbit.jpg", "Turning", cells, columns=6)
    return {"sheet.json": json.dumps({"views": views}).encode()} | files


def _bounded(volume: Volume) -> Volume:
    _, d, h, w = volume.values.shape
    smaller = scaled_shape((d, h, w), min(1.0, _LONGEST / max(d, h, w)))
    spacing = scaled_spacing(volume.spacing, (d, h, w), smaller)
    return Volume(shrink(volume.values, smaller), spacing, volume.window)


def _cell(volume: Volume, axis: int, at: int, longer: int) -> Image.Image:
    """One slice, as wide and high as its voxels are in mm."""
    plane: Floats = np.moveaxis(np.moveaxis(volume.values, 1 + axis, 0)[at], 0, -1)
    extents = [n * s for n, s in zip(volume.values.shape[1:], volume.spacing, strict=True)]
    height, width = (extents[k] / max(extents) * longer for k in range(3) if k != axis)
    pixels = np.asarray(plane * 255 + 0.5, np.uint8).repeat(3 // plane.shape[-1], -1)
    size = max(8, round(width)), max(8, round(height))
    return Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)
