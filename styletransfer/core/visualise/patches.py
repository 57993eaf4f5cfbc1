"""Patches: what a unit sees, cut out of the view that it fired on. No torch: the web cuts too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from styletransfer.core.visualise.layers import LayerInfo, Padding
from styletransfer.core.visualise.receptive import Box

Pixels = npt.NDArray[np.uint8]
"""(H, W, 3) RGB."""

SPRITE_SIDE = 3
"""Patches along a sprite's side."""

_LEFT_OF_BEYOND = 0.55
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


def cut(view: Image.Image, box: Box, padding: Padding) -> Pixels:
    """The pixels of the box in an RGB view.

    What lies beyond the edge is what the network takes to be there, shown faded, so that it is not
    taken for the picture.
    """
    pixels = np.asarray(view.convert("RGB"))
    height, width = pixels.shape[:2]
    rows, columns = np.arange(box.top, box.bottom), np.arange(box.left, box.right)
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
    patch = pixels[np.clip(rows, 0, height - 1)[:, None], np.clip(columns, 0, width - 1)]
    beyond = patch if padding.edge == "repeat" else np.array(padding.blank)
    faded = (beyond * _LEFT_OF_BEYOND + _FADED * (1 - _LEFT_OF_BEYOND)).round().astype(np.uint8)
    return np.where(inside[..., None], patch, faded)


def crop(view: Image.Image, box: Box, side: int, padding: Padding) -> Image.Image:
    """The same as a square of `side` pixels."""
    return enlarge(cut(view, box, padding), side)


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
    patches: Sequence[Image.Image], side: int = 64, gap: int = 2, ground: str = "black"
) -> Image.Image:
    """Up to nine squares of `side` pixels in three rows of three, the strongest at the top left.

    A picture of 3 · side + 2 · gap pixels; the places of patches that are missing stay empty.
    """
    length = SPRITE_SIDE * side + (SPRITE_SIDE - 1) * gap
    sheet = Image.new("RGB", (length, length), ground)
    for index, patch in enumerate(patches[: SPRITE_SIDE**2]):
        row, column = divmod(index, SPRITE_SIDE)
        sheet.paste(patch, (column * (side + gap), row * (side + gap)))
    return sheet
