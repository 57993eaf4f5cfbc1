"""Gram matrices as pictures: one pixel a pair of channels, in the order of the channels.

Activations after a ReLU are never negative, nor are their Gram matrices, and they spread over
orders of magnitude: so the scale is logarithmic.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from styletransfer.core.media.types import Pixels
from styletransfer.core.visualise.remaining import Gram

DECADES = 4
"""How many powers of ten lie between the darkest and the brightest."""

FACTOR = 2.0
"""A difference by this factor and more has the full colour."""

_RAMP = ((19, 18, 17), (112, 30, 22), (200, 66, 32), (239, 184, 81), (255, 254, 251))
_WEAKER, _EQUAL, _STRONGER = (99, 207, 176), (28, 26, 24), (255, 143, 110)


def gram_pictures(of_style: Gram, of_picture: Gram) -> tuple[Pixels, Pixels]:
    """Both on one scale, (C, C, 3): the largest value of either is the brightest."""
    top = max(float(of_style.max()), float(of_picture.max()))
    return _ramped(of_style, top), _ramped(of_picture, top)


def difference_picture(of_style: Gram, of_picture: Gram) -> Pixels:
    """(C, C, 3): vermilion where G's pair is stronger than S's, viridian where it is weaker, dark
    where they are equal or both nothing."""
    floor = max(float(of_style.max()), float(of_picture.max()), 1e-30) * 10.0**-DECADES
    ratio = np.log((of_picture + floor) / (of_style + floor)) / np.log(FACTOR)
    share = np.clip(ratio, -1, 1)[..., None].astype(np.float64)
    towards = np.where(share > 0, _STRONGER, _WEAKER)
    return _pixels(np.array(_EQUAL) + np.abs(share) * (towards - np.array(_EQUAL)))


def strongest_pairs(gram: Gram, count: int) -> list[tuple[int, int]]:
    """The pairs of different channels that fire together most, each channel in one pair at most:
    else one strong channel would be in all of them. Channels that are always silent have none."""
    above = np.triu(gram, 1)
    pairs: list[tuple[int, int]] = []
    while len(pairs) < count and above.max() > 0:
        first, second = divmod(int(above.argmax()), above.shape[1])
        pairs.append((first, second))
        above[[first, second]] = 0
        above[:, [first, second]] = 0
    return pairs


def together(gram: Gram, pair: tuple[int, int]) -> float:
    """How much two channels fire together: G_kk' / √(G_kk · G_k'k'), 0 (never) … 1 (always, in one
    proportion); the cosine of their activations over all positions."""
    k, other = pair
    size = float(np.sqrt(gram[k, k] * gram[other, other]))
    return float(gram[k, other]) / size if size > 0 else 0.0


def _ramped(gram: Gram, top: float) -> Pixels:
    with np.errstate(divide="ignore"):
        decades = np.log10(gram / top) if top > 0 else np.full(gram.shape, -np.inf)
    share = np.clip(1 + decades / DECADES, 0, 1)
    places = np.linspace(0, 1, len(_RAMP))
    return _pixels(
        np.stack([np.interp(share, places, shade) for shade in zip(*_RAMP, strict=True)], -1)
    )


def _pixels(colours: npt.NDArray[np.float64]) -> Pixels:
    return np.rint(colours).astype(np.uint8)
