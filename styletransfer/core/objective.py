"""J(G) of a picture as the optimiser sees it: targets computed once, each term on its own scale.

Content and style are normalised as `targets.py` says, the style by how far C is from S: it is
Σ λ_l · (J_style[l] over the same for G = C) / Σ λ_l. With `style_scales` above 1 it is the mean of
that over the pictures at full size, half size … The course's raw terms are computed beside them.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from styletransfer.core.errors import PictureError
from styletransfer.core.features import Extractor
from styletransfer.core.losses import gram_matrix, positions, total_cost, total_variation
from styletransfer.core.optimisers import Evaluation
from styletransfer.core.targets import ContentTarget, StyleTarget
from styletransfer.core.types import Losses, Recipe

_LEAST_SIDE = 16
"""The deepest layer lies behind four halvings."""

Tap = tuple[int, str]
"""A layer at a scale: 0 is the picture as it is, 1 its half …"""


class Objective:
    """J(G) for one content picture, style picture and recipe."""

    def __init__(
        self, extractor: Extractor, content: Tensor, style: Tensor, recipe: Recipe
    ) -> None:
        """content, style: (1, 3, H, W) in [0, 1] on the extractor's device; sizes may differ.

        Raises PictureError for a picture with a side under 16 px.
        """
        self._extractor = extractor
        self._recipe = recipe
        weights = {k: float(w) for k, w in recipe.layer_weights.items() if w > 0}
        scales = min(recipe.style_scales, _scales_of(content), _scales_of(style))
        unit = sum(weights.values()) * scales
        self._layers = tuple(weights)
        self._shares = {(i, k): w / unit for i in range(scales) for k, w in weights.items()}
        self._course_weights = torch.tensor(list(weights.values()), device=content.device)
        self._scales = scales
        with torch.no_grad():
            of_content = self._features(content, {recipe.content_layer})
            of_style = self._features(style, set())
            self._content = ContentTarget(of_content[0, recipe.content_layer])
            self._styles = {
                tap: _style_target(of_style[tap], of_content[tap]) for tap in self._shares
            }

    def evaluate(self, image: Tensor) -> Evaluation[Losses]:
        """J and ∂J/∂G at image (1, 3, H, W)."""
        recipe = self._recipe
        image = image.detach().contiguous(memory_format=torch.channels_last).requires_grad_()
        features = self._features(image, {recipe.content_layer})
        course_content = self._content.cost(features[0, recipe.content_layer])
        gaps = {tap: s.cost(gram_matrix(features[tap])) for tap, s in self._styles.items()}
        content = course_content / self._content.unit
        shares = torch.stack(
            [share * gaps[tap] / self._styles[tap].unit for tap, share in self._shares.items()]
        )
        style = shares.sum()
        total = total_cost(recipe.alpha, content, recipe.beta, style)
        if recipe.tv_weight:
            total = total + recipe.tv_weight * total_variation(image)
        (gradient,) = torch.autograd.grad(total, image)
        course_style = (
            torch.stack([gaps[0, layer] for layer in self._layers]) * self._course_weights
        ).sum()
        by_layer = shares.view(self._scales, -1).sum(0)
        costs = torch.stack([total, content, style, course_content, course_style])
        return self._evaluation(torch.cat([costs, by_layer]).detach().tolist(), gradient)

    def _features(self, image: Tensor, also: set[str]) -> dict[Tap, Tensor]:
        """The style layers at every scale, and at the first the layers in `also`."""
        features: dict[Tap, Tensor] = {}
        for scale in range(self._scales):
            if scale:
                image, also = halve(image), set()
            for name, x in self._extractor(image, {*self._layers, *also}).items():
                features[scale, name] = x
        return features

    def _evaluation(self, numbers: list[float], gradient: Tensor) -> Evaluation[Losses]:
        """From one transfer off the device: the five costs, then the share of each layer."""
        total, content, style, course_content, course_style, *shares = numbers
        losses = Losses(
            total=total,
            content=content,
            style=style,
            style_layers=dict(zip(self._layers, shares, strict=True)),
            course_content=course_content,
            course_style=course_style,
            course_total=float(
                total_cost(self._recipe.alpha, course_content, self._recipe.beta, course_style)
            ),
        )
        return Evaluation(total, gradient.contiguous(), losses)


def _style_target(style: Tensor, content: Tensor) -> StyleTarget:
    """S at one layer, as G with the positions of C shall have it."""
    n = positions(content)
    return StyleTarget(gram_matrix(style) * (n / positions(style)), gram_matrix(content), n)


def _scales_of(image: Tensor) -> int:
    """At how many scales the network can see the image."""
    side = min(image.shape[-2:])
    if side < _LEAST_SIDE:
        raise PictureError(f"the picture is too narrow: its short side has {side} px at this size")
    return (side // _LEAST_SIDE).bit_length()


def halve(image: Tensor) -> Tensor:
    """Half the size, by averages that overlap: plain 2×2 blocks would show in the gradient."""
    return functional.avg_pool2d(functional.pad(image, (1, 1, 1, 1), "replicate"), 4, stride=2)
