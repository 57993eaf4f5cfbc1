"""Patches: what a unit sees, cut out of the view that it fired on. No torch: the web cuts too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from styletransfer.core.visualise.layers import LayerInfo
from styletransfer.core.visualise.receptive import Box

Pixels = npt.NDArray[np.uint8]
"""(H, W, 3) RGB."""

SPRITE_SIDE = 3
"""Patches along a sprite's side."""

_BEYOND = 0.55
"""How much of a colour is left where it lies beyond the picture's edge."""

_FADED = np.array([128, 128, 128])
_COARSE = 24
"""Patches of fewer pixels are enlarged without smoothing: one wants to see the pixels."""


def patch_box(layer: LayerInfo, row: int, column: int, view: tuple[int, int]) -> Box:
    """The box of a patch in a view of (width, height), in pixels.

    It is the unit's receptive field, which may reach beyond the edge. Of a field that is larger
    than the view, as the encoder's deep ones are, only what lies in the view.
    """
    box = layer.receptive.box_of(row, column)
    return box.within(view) if layer.receptive.size > min(view) else box


def crop(view: Image.Image, box: Box, blank: tuple[float, float, float] | None = None) -> Pixels:
    """The box, cut out of an RGB view.

    blank: what the network takes to lie beyond the edge, RGB in [0, 1]; None: the outermost pixels
    once more. What lies there is shown faded, so that it is not taken for the picture.
    """
    pixels = np.asarray(view.convert("RGB"))
    height, width = pixels.shape[:2]
    rows, columns = np.arange(box.top, box.bottom), np.arange(box.left, box.right)
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
    cut = pixels[np.clip(rows, 0, height - 1)[:, None], np.clip(columns, 0, width - 1)].astype(
        float
    )
    if blank is not None:
        cut = np.where(inside[..., None], cut, np.array(blank) * 255)
    faded = cut * _BEYOND + _FADED * (1 - _BEYOND)
    return np.where(inside[..., None], cut, faded).round().clip(0, 255).astype(np.uint8)


def enlarge(pixels: Pixels, side: int) -> Image.Image:
    """A patch as a square of `side` pixels; a small one keeps its pixels' edges."""
    image = Image.fromarray(pixels)
    longest = max(image.size)
    size = tuple(max(1, round(extent * side / longest)) for extent in image.size)
    coarse = longest <= _COARSE and longest < side
    scaled = image.resize(
        (size[0], size[1]), Image.Resampling.NEAREST if coarse else Image.Resampling.LANCZOS
    )
    if scaled.size == (side, side):
        return scaled
    square = Image.new("RGB", (side, side), (128, 128, 128))
    square.paste(scaled, ((side - size[0]) // 2, (side - size[1]) // 2))
    return square


def sprite(
    patches: Sequence[Pixels],
    cell: int = 64,
    gap: int = 2,
    ground: tuple[int, int, int] = (0, 0, 0),
) -> Image.Image:
    """Up to nine patches in three rows of three, the strongest at the top left.

    A picture of 3 · cell + 2 · gap pixels; the places of patches that are missing stay empty.
    """
    side = SPRITE_SIDE * cell + (SPRITE_SIDE - 1) * gap
    sheet = Image.new("RGB", (side, side), ground)
    for index, patch in enumerate(patches[: SPRITE_SIDE**2]):
        row, column = divmod(index, SPRITE_SIDE)
        sheet.paste(enlarge(patch, cell), (column * (cell + gap), row * (cell + gap)))
    return sheet
