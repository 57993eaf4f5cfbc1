"""J for any number of spatial axes: style by Gram matrices, content where there is one, and more.

The same normalisation as for pictures (`targets.py`). What is a picture's alone (scales, the
course's raw figures) is in `objective.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from styletransfer.core import tiling
from styletransfer.core.features import Extractor
from styletransfer.core.losses import content_loss, gram_matrix, positions, total_cost
from styletransfer.core.optimisers import Evaluation
from styletransfer.core.pieces import PieceLosses
from styletransfer.core.targets import ContentTarget, StyleTarget
from styletransfer.core.tiling import Tile, Tileable

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
        tile: int | Sequence[int] | None = None,
    ) -> None:
        """style: (N, C, *spatial) on the extractor's device, of any size, or several, whose Gram
            matrices are averaged position by position.
        like: a start (N, C, *spatial) of the size that x will have: no likeness yet. It brings
            each layer's term to 1.
        layer_weights: λ; None: every layer of the extractor, equally.
        content: of x's size; compared at content_layer, 1 is something without structure.
        terms: name → (weight, term), in units of the style.
        tile: how much is convolved at once: a length along the first spatial axis, or along the
            first few. None: all of it. Costs and gradient are the same (`tiling.py`).
        Raises what the extractor raises for too small an input, TypeError where it cannot be tiled.
        """
        given = layer_weights or dict.fromkeys(extractor.layers, 1.0)
        weights = {k: float(w) for k, w in given.items() if w > 0}
        self._extractor, self._alpha, self._beta = extractor, alpha, beta
        self._terms = dict(terms or {})
        self._sides = (tile,) if isinstance(tile, int) else tile
        self._shares = {k: w / sum(weights.values()) for k, w in weights.items()}
        self._content: ContentTarget | None = None
        self._content_layer = content_layer
        self._layers = {*weights, content_layer} if content is not None else set(weights)
        self._tiles = self._cut(like)
        styles = [style] if isinstance(style, Tensor) else list(style)
        with torch.no_grad():
            of_styles = [self._grams(x) for x in styles]
            self._styles = {
                k: _style_target([grams[k] for grams in of_styles], *of_start)
                for k, of_start in self._grams(like).items()
            }
            if content is not None:
                self._content = ContentTarget(self._content_features(content))

    @property
    def natural(self) -> float:
        """The size of J for something without any likeness."""
        return self._alpha * (self._content is not None) + self._beta

    def evaluate(self, x: Tensor) -> Evaluation[PieceLosses]:
        """J and ∂J/∂x at x (N, C, *spatial)."""
        x = x.detach().requires_grad_()
        *grams, course_content = tiling.sum_over(self._tiles, x, self._measure)
        content = course_content
        if self._content is not None:
            content = content / self._content.unit
        shares = {
            k: share * self._styles[k].cost(gram) / self._styles[k].unit
            for (k, share), gram in zip(self._shares.items(), grams, strict=True)
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

    def _measure(self, region: Tensor, tile: Tile) -> tuple[Tensor, ...]:
        """The tile's part of each layer's Gram matrix, and of J_content."""
        features = self._extractor(region, self._layers)
        grams = [gram_matrix(tile.crop(k, features[k])) for k in self._shares]
        if self._content is None:
            return (*grams, region.new_zeros(()))
        layer = self._content_layer
        wanted = tile.look(layer, self._content.features)
        return (*grams, content_loss(wanted, tile.crop(layer, features[layer])))

    def _cut(self, x: Tensor) -> list[Tile]:
        if self._sides is None:
            return tiling.whole(x.dim() - 2, self._layers)
        if not isinstance(self._extractor, Tileable):
            raise TypeError(f"{self._extractor.name} does not say what its layers see")
        fields = {k: self._extractor.field(k) for k in self._layers}
        return tiling.tiles(x.shape[2:], self._sides, fields)

    def _grams(self, x: Tensor) -> dict[str, tuple[Tensor, int]]:
        """Each style layer's Gram matrix of x, and its number of positions."""
        sums: dict[str, tuple[Tensor, int]] = {}
        for tile in self._cut(x):
            for k, features in self._extractor(tile.cut(x), self._shares).items():
                own = tile.crop(k, features)
                gram, count = sums.get(k, (0.0, 0))
                sums[k] = gram + gram_matrix(own), count + positions(own)
        return sums

    def _content_features(self, content: Tensor) -> Tensor:
        layer = self._content_layer
        crops = [
            tile.crop(layer, self._extractor(tile.cut(content), {layer})[layer])
            for tile in self._tiles
        ]
        return tiling.assemble(self._tiles, layer, crops)


def _style_target(
    examples: Sequence[tuple[Tensor, int]], start: Tensor, n_positions: int
) -> StyleTarget:
    """From (Gram matrix, positions) of each example, and the start's."""
    means = [gram.mean(0, keepdim=True) / n for gram, n in examples]
    mean = torch.stack(means).mean(0)
    return StyleTarget((mean * n_positions).expand_as(start), start, n_positions)
