"""A finished picture, looked into: what remains of each cost, layer by layer; its Gram matrices.

Content is J_content[l](G) over the energy of C's own activations there: 0 is C itself, 1 a picture
without its structure. Style is J_style[l](G) over J_style[l](C): 0 is S, 1 is as far from it as the
photo was. The formulas are those of `losses.py` and the units those of `targets.py`, so that at
the layers and scale that a painting was made with these are the terms that were lowered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from styletransfer.core.features import Extractor
from styletransfer.core.losses import gram_matrix, positions
from styletransfer.core.targets import ContentTarget, StyleTarget

Gram = npt.NDArray[np.float32]
"""(C, C), the mean over positions."""


@dataclass(frozen=True)
class LayerInsight:
    """One layer. content, style: what remains, 0 … 1 and more. of_style, of_picture: Gram(S) and
    Gram(G), each over its number of positions."""

    layer: str
    content: float
    style: float
    of_style: Gram
    of_picture: Gram


def look_into(
    extractor: Extractor,
    content: Tensor,
    style: Tensor,
    generated: Tensor,
    layers: Collection[str],
) -> Iterator[LayerInsight]:
    """Each of the layers, shallow to deep.

    content, style, generated: C, S and G as (1, 3, H, W) in [0, 1] on the extractor's device; C and
    G of one size.
    """
    with torch.no_grad():
        of_c, of_s, of_g = (extractor(x, layers) for x in (content, style, generated))
        for layer in extractor.layers:
            if layer in of_g:
                yield _insight(layer, of_c.pop(layer), of_s.pop(layer), of_g.pop(layer))


def _insight(layer: str, c: Tensor, s: Tensor, g: Tensor) -> LayerInsight:
    n = positions(g)
    wanted, reached = gram_matrix(s) * (n / positions(s)), gram_matrix(g)
    structure, manner = ContentTarget(c), StyleTarget(wanted, gram_matrix(c), n)
    return LayerInsight(
        layer,
        content=(structure.cost(g) / structure.unit).item(),
        style=(manner.cost(reached) / manner.unit).item(),
        of_style=(wanted[0] / n).cpu().numpy(),
        of_picture=(reached[0] / n).cpu().numpy(),
    )
