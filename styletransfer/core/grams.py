"""J of something that is seen in several ways, one after the other.

What TextureObjective (`texture.py`) is for one network over all of x, this is for several views of
it: slices across an axis, say. Each is seen and back-propagated alone, so that only its activations
are held.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from styletransfer.core.losses import total_variation
from styletransfer.core.optimisers import Evaluation
from styletransfer.core.pieces import PieceLosses
from styletransfer.core.targets import StyleTarget

Grams = dict[str, tuple[Tensor, int]]
"""Layer → Gram matrices (N, C, C), and the number of positions that each sums over."""

View = Callable[[Tensor], Grams]


class GramObjective:
    """J(x) = the mean over the views of Σ λ_l · style_l / Σ λ_l, each term 1 at the start, plus
    smoothness · total variation."""

    natural = 1.0

    def __init__(
        self,
        views: Sequence[View],
        wanted: Sequence[Grams],
        like: Tensor,
        *,
        weights: Mapping[str, float] | None = None,
        smoothness: float = 0.0,
    ) -> None:
        """wanted: for each view the Gram matrices of its example, of any number of positions: one
            for all N that the view gives, or one for each. like: the start.
        weights: λ by layer; None: all layers equally. smoothness: weight of the total variation,
            in units of the style.
        """
        self.views, self._smoothness = list(views), smoothness
        with torch.no_grad():
            self._targets = [
                {layer: _target(grams[layer], start) for layer, start in view(like).items()}
                for view, grams in zip(views, wanted, strict=True)
            ]
        given = weights or dict.fromkeys(self._targets[0], 1.0)
        whole = sum(given[layer] for layer in self._targets[0]) * len(self.views)
        self._shares = {layer: given[layer] / whole for layer in self._targets[0]}

    def evaluate(self, x: Tensor) -> Evaluation[PieceLosses]:
        """J and ∂J/∂x at x."""
        gradient = torch.zeros_like(x)
        layers = dict.fromkeys(self._shares, 0.0)
        for view, targets in zip(self.views, self._targets, strict=True):
            seen = x.detach().requires_grad_()
            grams = view(seen)
            parts = torch.stack(
                [
                    share * targets[layer].cost(grams[layer][0]) / targets[layer].unit
                    for layer, share in self._shares.items()
                ]
            )
            gradient += torch.autograd.grad(parts.sum(), seen)[0]
            for layer, part in zip(self._shares, parts.detach().tolist(), strict=True):
                layers[layer] += part
        if self._smoothness:
            seen = x.detach().requires_grad_()
            rough = self._smoothness * total_variation(seen)
            gradient += torch.autograd.grad(rough, seen)[0]
            layers["smoothness"] = float(rough.detach())
        style = sum(layers.values())
        return Evaluation(style, gradient, PieceLosses(style, 0.0, style, layers))


def _target(wanted: tuple[Tensor, int], start: tuple[Tensor, int]) -> StyleTarget:
    gram, n_positions = start
    scaled = wanted[0] * (n_positions / wanted[1])
    return StyleTarget(scaled.expand_as(gram), gram, n_positions)
