"""The filters of the first layer as pictures: they look at colours, so they have colours."""

from __future__ import annotations

import numpy as np
from PIL import Image

from styletransfer.core.visualise.networks import SeenNetwork

SIDE = 112
"""Pixels of a picture's side; a multiple of 7, and nearly one of 3."""


def first_layer(network: SeenNetwork, side: int = SIDE) -> list[Image.Image]:
    """One square RGB picture per unit, each of a filter's weights one block of a flat colour.

    Grey is 0, a channel's 255 or 0 the weight of largest magnitude in this filter: a colour says
    which light excites the unit there. Blocks are alike to a pixel and not smoothed.
    """
    weights = network.filters().float().cpu().numpy().transpose(0, 2, 3, 1)
    largest = np.abs(weights).max((1, 2, 3), keepdims=True)
    shown = 127.5 + 127.5 * weights / np.where(largest > 0, largest, 1)
    return [
        Image.fromarray(pixels).resize((side, side), Image.Resampling.NEAREST)
        for pixels in shown.round().astype(np.uint8)
    ]
