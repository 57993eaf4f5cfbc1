"""J(G) as the optimiser sees it: targets computed once, each term on a scale of its own.

The course's terms differ by many orders of magnitude, and with them a useful β/α. So here
- content is J_content over the content picture's own energy, ½ ‖a[l](C) − mean‖²: 0 is C itself,
  1 a picture without any structure;
- style is Σ λ_l · (J_style[l] over the same for G = C) / Σ λ_l: 0 is S, 1 as far from S as C is.
The course's raw terms are computed beside them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from styletransfer.core.features import Extractor
from styletransfer.core.losses import (
    content_loss,
    gram_loss,
    gram_matrix,
    positions,
    total_cost,
    total_variation,
)
from styletransfer.core.types import Losses, Recipe

_LEAST_GAP = 0.05
"""Share of ‖Gram(S)‖² under which C's distance to S does not count as a unit of style."""

_EPSILON = 1e-12


@dataclass
class Evaluation:
    """J, its parts and its gradient at one G."""

    value: float
    gradient: Tensor
    losses: Losses


class Objective:
    """J(G) for one content picture, style picture and recipe."""

    def __init__(
        self, extractor: Extractor, content: Tensor, style: Tensor, recipe: Recipe
    ) -> None:
        """content, style: (1, 3, H, W) in [0, 1] on the extractor's device; sizes may differ."""
        self._extractor = extractor
        self._recipe = recipe
        self._weights = {k: float(w) for k, w in recipe.layer_weights.items() if w > 0}
        self._weight_sum = sum(self._weights.values())
        self._layers = {*self._weights, recipe.content_layer}
        with torch.no_grad():
            of_content = extractor(content, self._layers)
            of_style = extractor(style, self._weights)
            self._content = of_content[recipe.content_layer].float()
            self._content_unit = self._energy(self._content)
            self._positions = {k: positions(of_content[k]) for k in self._weights}
            self._grams = {
                k: gram_matrix(x) * (self._positions[k] / positions(x)) for k, x in of_style.items()
            }
            self._style_units = {k: self._gap(k, gram_matrix(of_content[k])) for k in self._weights}

    def evaluate(self, image: Tensor) -> Evaluation:
        """J and ∂J/∂G at image (1, 3, H, W)."""
        image = image.detach().contiguous(memory_format=torch.channels_last).requires_grad_()
        features = self._extractor(image, self._layers)
        course_content = content_loss(self._content, features[self._recipe.content_layer])
        course_style = {
            k: gram_loss(self._grams[k], gram_matrix(features[k]), self._positions[k])
            for k in self._weights
        }
        content = course_content / self._content_unit
        shares = {
            k: self._weights[k] / self._weight_sum * cost / self._style_units[k]
            for k, cost in course_style.items()
        }
        style = torch.stack(list(shares.values())).sum()
        total = total_cost(self._recipe.alpha, content, self._recipe.beta, style)
        if self._recipe.tv_weight:
            total = total + self._recipe.tv_weight * total_variation(image)
        (gradient,) = torch.autograd.grad(total, image)
        raw_style = torch.stack([self._weights[k] * cost for k, cost in course_style.items()]).sum()
        numbers = torch.stack([total, content, style, course_content, raw_style, *shares.values()])
        return self._evaluation(numbers.detach().tolist(), gradient)

    def _evaluation(self, numbers: list[float], gradient: Tensor) -> Evaluation:
        """From one transfer off the device: the five costs, then the share of each layer."""
        total, content, style, course_content, course_style, *shares = numbers
        losses = Losses(
            total=total,
            content=content,
            style=style,
            style_layers=dict(zip(self._weights, shares, strict=True)),
            course_content=course_content,
            course_style=course_style,
            course_total=float(
                total_cost(self._recipe.alpha, course_content, self._recipe.beta, course_style)
            ),
        )
        return Evaluation(total, gradient.contiguous(), losses)

    @staticmethod
    def _energy(features: Tensor) -> Tensor:
        """½ ‖a − mean over positions‖²; for features without structure, ½ ‖a‖²."""
        centred = features - features.mean((2, 3), keepdim=True)
        energy, whole = 0.5 * centred.pow(2).sum(), 0.5 * features.pow(2).sum()
        return torch.maximum(energy, 0.01 * whole) + _EPSILON

    def _gap(self, layer: str, gram: Tensor) -> Tensor:
        """How far a Gram matrix is from S's, at least a small share of S's own size."""
        target, n = self._grams[layer], self._positions[layer]
        gap = gram_loss(target, gram, n)
        return torch.maximum(gap, _LEAST_GAP * gram_loss(target, target * 0, n)) + _EPSILON
