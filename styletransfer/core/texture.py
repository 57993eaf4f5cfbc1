"""J for any number of spatial axes: style by Gram matrices, content where there is one, and more.

The same normalisation as for pictures (`targets.py`). What is a picture's alone (scales, the
course's raw figures) is in `objective.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from styletransfer.core.features import Extractor
from styletransfer.core.losses import gram_matrix, positions, total_cost
from styletransfer.core.optimisers import Evaluation
from styletransfer.core.pieces import PieceLosses
from styletransfer.core.targets import ContentTarget, StyleTarget

Term = Callable[[Tensor], Tensor]
"""x → a scalar of order 1, to be lowered beside the style."""


class TextureObjective:
    """J(x) = α · content + β · (Σ λ_l · style_l / Σ λ_l + Σ weight · term)."""

    def __init__(
        self,
        extractor: Extractor,
        style: Tensor | Sequence[Tensor],
        like: Tensor,
        *,
        layer_weights: Mapping[str, float] | None = None,
        content: Tensor | None = None,
        content_layer: str = "",
        alpha: float = 1.0,
        beta: float = 1.0,
        terms: Mapping[str, tuple[float, Term]] | None = None,
        tile: int | None = None,
    ) -> None:
        """style: (N, C, *spatial) on the extractor's device, of any size, or several, whose Gram
            matrices are averaged position by position.
        like: a start (N, C, *spatial) of the size that x will have: no likeness yet. It brings
            each layer's term to 1.
        layer_weights: λ; None: every layer of the extractor, equally.
        content: of x's size; compared at content_layer, 1 is something without structure.
        terms: name → (weight, term), in units of the style.
        tile: longest side of what is convolved at once; None: all of x. See `tiling.py`.
        Raises what the extractor raises for too small an input.
        """
        given = layer_weights or dict.fromkeys(extractor.layers, 1.0)
        weights = {k: float(w) for k, w in given.items() if w > 0}
        self._extractor, self._alpha, self._beta = extractor, alpha, beta
        self._terms = dict(terms or {})
        self._content_layer = content_layer
        self._shares = {k: w / sum(weights.values()) for k, w in weights.items()}
        self._content: ContentTarget | None = None
        styles = [style] if isinstance(style, Tensor) else list(style)
        with torch.no_grad():
            mean = self._mean_grams(styles)
            of_start = extractor(like, self._shares)
            self._styles = {
                k: _style_target(mean[k], gram_matrix(x), positions(x)) for k, x in of_start.items()
            }
            if content is not None:
                self._content = ContentTarget(extractor(content, {content_layer})[content_layer])

    @property
    def natural(self) -> float:
        """The size of J for something without any likeness."""
        return self._alpha * (self._content is not None) + self._beta

    def evaluate(self, x: Tensor) -> Evaluation[PieceLosses]:
        """J and ∂J/∂x at x (N, C, *spatial)."""
        x = x.detach().requires_grad_()
        also = {self._content_layer} if self._content else set()
        features = self._extractor(x, {*self._shares, *also})
        content = x.new_zeros(())
        if self._content is not None:
            cost = self._content.cost(features[self._content_layer])
            content = cost / self._content.unit
        shares = {
            k: share * self._styles[k].cost(gram_matrix(features[k])) / self._styles[k].unit
            for k, share in self._shares.items()
        }
        shares |= {name: weight * term(x) for name, (weight, term) in self._terms.items()}
        parts = torch.stack(list(shares.values()))
        style = parts.sum()
        total = total_cost(self._alpha, content, self._beta, style)
        (gradient,) = torch.autograd.grad(total, x)
        numbers = torch.cat([torch.stack([total, content, style]), parts]).detach().tolist()
        layers = dict(zip(shares, numbers[3:], strict=True))
        losses = PieceLosses(numbers[0], numbers[1], numbers[2], layers)
        return Evaluation(losses.total, gradient.contiguous(), losses)

    def _mean_grams(self, styles: Sequence[Tensor]) -> dict[str, Tensor]:
        """The Gram matrices (1, C, C) of a position, averaged over all examples."""
        sums: dict[str, Tensor] = {}
        for style in styles:
            for k, x in self._extractor(style, self._shares).items():
                gram = gram_matrix(x).mean(0, keepdim=True) / (positions(x) * len(styles))
                sums[k] = sums[k] + gram if k in sums else gram
        return sums


def _style_target(mean: Tensor, start: Tensor, n_positions: int) -> StyleTarget:
    return StyleTarget((mean * n_positions).expand_as(start), start, n_positions)
