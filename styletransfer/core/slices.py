"""A network for pictures on the slices of a volume, along three axes.

Every slice across an axis counts as a picture; the style of an axis is the Gram matrix over all
positions of all its slices. Kopf et al., "Solid Texture Synthesis from 2D Exemplars" (2007) have
the idea of comparing slices along three axes with one picture, Gutierrez et al., "On Demand Solid
Texture Synthesis Using Deep 3D Networks" (2020) that of doing so by a trained network's Gram
matrices.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from styletransfer.core.features import Extractor
from styletransfer.core.grams import GramObjective, Grams
from styletransfer.core.losses import gram_matrix, positions
from styletransfer.core.media.types import MediumError
from styletransfer.core.objective import halve

LEAST_SIDE = 16
"""The deepest layer lies behind four halvings."""

LAYER_WEIGHTS = {"relu1_1": 0.5, "relu2_1": 1.0, "relu3_1": 2.0, "relu4_1": 1.0, "relu5_1": 0.5}
SCALES = 1
"""At how many scales slices are compared: whole, half …"""


def slice_objective(extractor: Extractor, styles: Sequence[Tensor], like: Tensor) -> GramObjective:
    """J of a volume (1, C, D, H, W), C = 1 or 3, by its slices.

    styles: for each axis the pictures (n, 3, rows, columns) that slices across it shall be like.
    like: a start. Raises MediumError `too_small`.
    """
    shortest = min(*like.shape[2:], *(n for style in styles for n in style.shape[2:]))
    if shortest < LEAST_SIDE:
        raise MediumError(
            "too_small",
            f"The shortest side has {shortest} voxels; the filters need {LEAST_SIDE}.",
            "Choose a larger size, or another example.",
        )
    scales = min(SCALES, (shortest // LEAST_SIDE).bit_length())
    with torch.no_grad():
        wanted = [_grams(extractor, scales, style) for style in styles]
    views = [partial(_grams_across, extractor, scales, axis) for axis in range(3)]
    weights = {layer: LAYER_WEIGHTS[layer.partition("/")[0]] for layer in wanted[0]}
    return GramObjective(views, wanted, like, weights)


def slices_across(x: Tensor, axis: int) -> Tensor:
    """(1, C, D, H, W) to all slices across spatial axis 0, 1 or 2: (n, 3, rows, columns)."""
    return x[0].movedim(1 + axis, 0).expand(-1, 3, -1, -1)


def _grams_across(extractor: Extractor, scales: int, axis: int, x: Tensor) -> Grams:
    return _grams(extractor, scales, slices_across(x, axis))


def _grams(extractor: Extractor, scales: int, pictures: Tensor) -> Grams:
    """Over all positions of all pictures (n, 3, rows, columns), at every scale."""
    grams: Grams = {}
    for scale in range(scales):
        pictures = halve(pictures) if scale else pictures
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        for layer, seen in extractor(pictures, LAYER_WEIGHTS.keys()).items():
            name = f"{layer}/{2**scale}" if scale else layer
            gram = gram_matrix(seen).sum(0, keepdim=True)
            grams[name] = gram, len(pictures) * positions(seen)
    return grams
