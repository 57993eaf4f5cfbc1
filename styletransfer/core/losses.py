"""The costs of neural style transfer, each formula one function.

Source: Gatys, Ecker and Bethge, "A Neural Algorithm of Artistic Style" (2015), with the factors
of the course (deeplearning.ai, Convolutional Neural Networks, week 4). C, S and G are the
content, style and generated image; a[l](X) is the activation of X at layer l, as
(N, C, *spatial) with any number of spatial axes.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import torch
from torch import Tensor

Cost = TypeVar("Cost", float, Tensor)


def gram_matrix(features: Tensor) -> Tensor:
    """G_kk' = Σ over positions of a_k · a_k': which channels fire together.

    features: (N, C, *spatial), any number of spatial axes. Returns (N, C, C), the plain sum, in
    float32 at least (half-precision sums overflow).
    """
    flat = _full_precision(features.flatten(2) if features.dim() > 2 else features.unsqueeze(2))
    gram: Tensor = _Gram.apply(flat)  # type: ignore[no-untyped-call]
    return gram


class _Gram(torch.autograd.Function):
    """F Fᵀ, with the gradient in one product instead of two: (U + Uᵀ) F."""

    @staticmethod
    def forward(ctx: Any, flat: Tensor) -> Tensor:
        ctx.save_for_backward(flat)
        return flat @ flat.transpose(1, 2)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Tensor:
        (flat,) = ctx.saved_tensors
        gradient: Tensor = (upstream + upstream.transpose(1, 2)) @ flat
        return gradient


def content_loss(content_features: Tensor, generated_features: Tensor) -> Tensor:
    """J_content = ½ ‖a[l](C) − a[l](G)‖², a scalar; both (N, C, *spatial) of one shape."""
    if content_features.shape != generated_features.shape:
        raise ValueError("content and generated features differ in shape")
    difference = _full_precision(content_features) - _full_precision(generated_features)
    return 0.5 * difference.pow(2).sum()


def style_loss(style_features: Tensor, generated_features: Tensor) -> Tensor:
    """J_style[l] = 1 / (2 nH nW nC)² · ‖Gram(S) − Gram(G)‖²_F, a scalar.

    Both are (N, C, *spatial) with the same N and C; nH·nW is the number of positions of G. The
    course has S and G of one size. Here S may have another: its Gram matrix is scaled by the
    ratio of the positions, so that two pictures of one texture match whatever their sizes, and
    equal sizes give the course's formula exactly.
    """
    target = gram_matrix(style_features) * (
        positions(generated_features) / positions(style_features)
    )
    return gram_loss(target, gram_matrix(generated_features), positions(generated_features))


def gram_loss(target_gram: Tensor, generated_gram: Tensor, n_positions: int) -> Tensor:
    """`style_loss` from Gram matrices (N, C, C) that are already at hand.

    target_gram is on the scale of n_positions, the number of positions of G.
    """
    if target_gram.shape != generated_gram.shape:
        raise ValueError("style and generated features differ in batch or channels")
    channels = target_gram.shape[-1]
    return (target_gram - generated_gram).pow(2).sum() / (2.0 * n_positions * channels) ** 2


def total_cost(alpha: float, content: Cost, beta: float, style: Cost) -> Cost:
    """J(G) = α · J_content(C, G) + β · J_style(S, G)."""
    return alpha * content + beta * style


def total_variation(x: Tensor) -> Tensor:
    """Mean absolute difference of neighbours in (N, C, *spatial), summed over the spatial axes: a
    scalar. Not the course's."""
    total = x.new_zeros(())
    for axis in range(2, x.dim()):
        if (n := x.shape[axis] - 1) > 0:
            total = total + (x.narrow(axis, 1, n) - x.narrow(axis, 0, n)).abs().mean()
    return total


def positions(features: Tensor) -> int:
    """nH · nW, or the product of whatever axes (N, C, *spatial) has: its number of positions."""
    return math.prod(features.shape[2:])


def _full_precision(x: Tensor) -> Tensor:
    return x if x.dtype.itemsize >= 4 else x.float()
