"""A network for pictures on the slices of a volume, along three axes.

Every slice across an axis counts as a picture. They are judged together, by one Gram matrix over
the positions of all of them (what an example volume's own slices have on average), or each alone
(every slice is to look like the picture). Kopf et al., "Solid Texture Synthesis from 2D Exemplars"
(2007) have the idea of comparing slices along three axes with one picture, Gutierrez et al., "On
Demand Solid Texture Synthesis Using Deep 3D Networks" (2020) that of doing so by a trained
network's Gram matrices.

The volume goes on behind its borders: slices are seen with a margin from the opposite side, so
that the network's padding leaves no frame, and the result can be laid side by side without a seam.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from styletransfer.core.features import Extractor
from styletransfer.core.grams import GramObjective, Grams
from styletransfer.core.losses import gram_matrix, positions
from styletransfer.core.media.types import MediumError
from styletransfer.core.objective import halve

LEAST_SIDE = 16
"""The deepest layer lies behind four halvings."""

LAYER_WEIGHTS = {"relu1_1": 0.5, "relu2_1": 1.0, "relu3_1": 2.0, "relu4_1": 2.0}
SCALES = 2
"""At how many scales slices are compared: whole, half …"""

SMOOTHNESS = 0.03
MARGIN = 8
"""Voxels beyond each border; of a layer's activations those of the margin are left out, as far as
they are whole positions."""


def slice_objective(
    extractor: Extractor, styles: Sequence[Tensor], like: Tensor, *, each: bool
) -> GramObjective:
    """J of a volume (1, C, D, H, W), C = 1 or 3, by its slices.

    styles: for each axis the pictures (n, 3, rows, columns) that slices across it shall be like.
    like: a start. each: every slice alone shall be like them, not all together. Raises MediumError
    `too_small`.
    """
    shortest = min(*like.shape[2:], *(n for style in styles for n in style.shape[2:]))
    if shortest < LEAST_SIDE:
        raise MediumError(
            "too_small",
            f"The shortest side has {shortest} voxels; the filters need {LEAST_SIDE}.",
            "Choose a larger size, or another example.",
        )
    scales = min(SCALES, (shortest // LEAST_SIDE).bit_length())

    def across(axis: int, x: Tensor) -> Grams:
        pictures = functional.pad(slices_across(x, axis), [MARGIN] * 4, mode="circular")
        grams = _grams(extractor, scales, pictures, MARGIN)
        return grams if each else _together(grams)

    with torch.no_grad():
        wanted = [_together(_grams(extractor, scales, style)) for style in styles]
    return GramObjective(
        [partial(across, axis) for axis in range(3)],
        wanted,
        like,
        weights={layer: LAYER_WEIGHTS[layer.partition("/")[0]] for layer in wanted[0]},
        smoothness=SMOOTHNESS,
    )


def slices_across(x: Tensor, axis: int) -> Tensor:
    """(1, C, D, H, W) to all slices across spatial axis 0, 1 or 2: (n, 3, rows, columns)."""
    return x[0].movedim(1 + axis, 0).expand(-1, 3, -1, -1)


def _together(grams: Grams) -> Grams:
    """One Gram matrix over the positions of all pictures."""
    return {
        layer: (gram.sum(0, keepdim=True), len(gram) * count)
        for layer, (gram, count) in grams.items()
    }


def _grams(extractor: Extractor, scales: int, pictures: Tensor, margin: int = 0) -> Grams:
    """Of each picture (n, 3, rows, columns), at every scale."""
    grams: Grams = {}
    for scale in range(scales):
        pictures = halve(pictures) if scale else pictures
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        for layer, seen in extractor(pictures, LAYER_WEIGHTS.keys()).items():
            edge = (margin >> scale) * seen.shape[-1] // pictures.shape[-1]
            own = seen[..., edge : seen.shape[-2] - edge, edge : seen.shape[-1] - edge]
            grams[f"{layer}/{2**scale}" if scale else layer] = gram_matrix(own), positions(own)
    return grams
