"""What G is compared with: computed once, each term brought to a scale of its own.

The raw terms differ by many orders of magnitude, and with them a useful β/α. So here
- content is J_content over the content's own energy, ½ ‖a[l](C) − mean‖²: 0 is C itself, 1 is
  something without any structure;
- the style of a layer is J_style[l] over the same at a start that is no likeness yet (C for
  pictures): 0 is S, 1 as far from S as the start is.
"""

from __future__ import annotations

import torch
from torch import Tensor

from styletransfer.core.losses import content_loss, gram_loss

_LEAST_GAP = 0.05
"""Share of ‖Gram(S)‖² under which the start's distance to S does not count as a unit of style."""

_EPSILON = 1e-12


class StyleTarget:
    """Gram(S) at one layer.

    gram: (N, C, C) on the scale of n_positions, the number of positions that G has there.
    start: the Gram matrix of the start, of the same shape and on the same scale.
    """

    def __init__(self, gram: Tensor, start: Tensor, n_positions: int) -> None:
        self.gram, self.n_positions = gram, n_positions
        least = _LEAST_GAP * gram_loss(gram, gram * 0, n_positions)
        self.unit = torch.maximum(self.cost(start), least) + _EPSILON

    def cost(self, gram: Tensor) -> Tensor:
        """J_style[l] as the course has it, from the Gram matrix of G. Over `unit` it is 1 for the
        start."""
        return gram_loss(self.gram, gram, self.n_positions)


class ContentTarget:
    """a[l](C) at one layer, (N, C, *spatial), and its energy as the unit of J_content."""

    def __init__(self, features: Tensor) -> None:
        self.features = features.float()
        self.unit = _energy(self.features)

    def cost(self, features: Tensor) -> Tensor:
        """J_content as the course has it, from the activations of G."""
        return content_loss(self.features, features)


def _energy(features: Tensor) -> Tensor:
    """½ ‖a − mean over positions‖²; for features without structure, a share of ½ ‖a‖²."""
    axes = tuple(range(2, features.dim()))
    centred = features - features.mean(axes, keepdim=True)
    energy, whole = 0.5 * centred.pow(2).sum(), 0.5 * features.pow(2).sum()
    return torch.maximum(energy, 0.01 * whole) + _EPSILON
