"""Exact tiles: sums over positions (Gram matrices, J_content) and their gradient, part by part.

A Gram matrix is a sum over positions, so it is the sum of the tiles' own. Two passes give its
exact gradient: the first sums the tiles and keeps no graph, the second takes each tile again and
back-propagates ⟨∂J/∂sum, the tile's part of it⟩. Only one tile's activations are ever held. A tile
is cut with a halo, so that its own positions see what they would see in the whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from styletransfer.core.features import Extractor
from styletransfer.core.visualise.receptive import Receptive

Slices = tuple[slice, ...]
"""One for each spatial axis."""


@runtime_checkable
class Tileable(Extractor, Protocol):
    """An Extractor that knows what its layers see."""

    def field(self, layer: str) -> Receptive:
        """The receptive field of a layer's positions, alike along every axis."""


@dataclass(frozen=True)
class Tile:
    """A part of x (N, C, *spatial).

    region: what is cut out of x, halo included. own: by layer, the positions of the region's
    activations that are this tile's own; each belongs to one tile. within: the same positions
    in the activations of the whole.
    """

    region: Slices
    own: Mapping[str, Slices]
    within: Mapping[str, Slices]

    def cut(self, x: Tensor) -> Tensor:
        """The tile's region of x."""
        return x[_index(self.region)]

    def crop(self, layer: str, features: Tensor) -> Tensor:
        """The tile's own positions of its region's activations."""
        return features[_index(self.own[layer])]

    def look(self, layer: str, features: Tensor) -> Tensor:
        """The tile's own positions of the activations of the whole."""
        return features[_index(self.within[layer])]


def _index(spatial: Slices) -> Slices:
    return (slice(None), slice(None), *spatial)


def whole(axes: int, layers: Collection[str]) -> list[Tile]:
    """One tile that is all of x."""
    everything = (slice(0, None),) * axes
    return [Tile(everything, dict.fromkeys(layers, everything), dict.fromkeys(layers, everything))]


def tiles(
    spatial: Sequence[int], sides: Sequence[int], fields: Mapping[str, Receptive]
) -> list[Tile]:
    """Cut the axes of those lengths into tiles.

    sides: length of a tile without its halo along the first axes, at least the deepest layer's
    stride; the axes that are left over stay whole. fields: by layer.
    """
    stride = math.lcm(*(field.stride for field in fields.values()))
    cuts = [
        _cuts(n, max(stride, side // stride * stride), stride, fields)
        for n, side in zip(spatial, sides, strict=False)
    ]
    free = len(spatial) - len(cuts)
    cuts += [[_Cut(slice(0, None), dict.fromkeys(fields, (0, 0, None)))]] * free
    return [
        Tile(
            tuple(cut.region for cut in corner),
            {k: tuple(cut.own(k) for cut in corner) for k in fields},
            {k: tuple(cut.within(k) for cut in corner) for k in fields},
        )
        for corner in product(*cuts)
    ]


@dataclass(frozen=True)
class _Cut:
    """A tile along one axis. positions: by layer, where its region begins, and its own first and
    last (exclusive; None: to the end), counted in the whole."""

    region: slice
    positions: Mapping[str, tuple[int, int, int | None]]

    def own(self, layer: str) -> slice:
        origin, first, last = self.positions[layer]
        return slice(first - origin, None if last is None else last - origin)

    def within(self, layer: str) -> slice:
        _, first, last = self.positions[layer]
        return slice(first, last)


def _cuts(n: int, side: int, stride: int, fields: Mapping[str, Receptive]) -> list[_Cut]:
    """One axis of length n. Regions begin and end at multiples of the deepest stride, so that
    every pooling meets the same cells as in the whole."""
    before = max(-field.start for field in fields.values())
    after = max(field.start + field.size - field.stride for field in fields.values())
    widest = max(field.size for field in fields.values())
    made = []
    for first in range(0, n, side):
        last = first + side
        low = max(0, min(first - before, n - widest)) // stride * stride
        high = n if last >= n else min(n, -(-(last + after) // stride) * stride)
        positions = {
            k: (low // f.stride, first // f.stride, None if last >= n else last // f.stride)
            for k, f in fields.items()
        }
        made.append(_Cut(slice(low, high), positions))
    return made


Measure = Callable[[Tensor, Tile], tuple[Tensor, ...]]
"""A tile's region of x → its parts of some sums over positions."""


def sum_over(parts: Sequence[Tile], x: Tensor, measure: Measure) -> tuple[Tensor, ...]:
    """Σ over tiles of measure(region of x, tile), differentiable once."""
    if len(parts) == 1:
        return measure(parts[0].cut(x), parts[0])
    sums: tuple[Tensor, ...] = _Sum.apply(x, parts, measure)  # type: ignore[no-untyped-call]
    return sums


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, parts: Sequence[Tile], measure: Measure) -> tuple[Tensor, ...]:
        ctx.save_for_backward(x)
        ctx.parts, ctx.measure = parts, measure
        sums: tuple[Tensor, ...] = ()
        for tile in parts:
            seen = measure(tile.cut(x), tile)
            sums = tuple(a + b for a, b in zip(sums, seen, strict=True)) if sums else seen
        return sums

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors
        gradient = torch.zeros_like(x)
        for tile in ctx.parts:
            with torch.enable_grad():
                region = tile.cut(x).detach().requires_grad_()
                seen = ctx.measure(region, tile)
            live = [(a, u) for a, u in zip(seen, upstream, strict=True) if a.requires_grad]
            (part,) = torch.autograd.grad([a for a, _ in live], region, [u for _, u in live])
            tile.cut(gradient).add_(part)
        return gradient, None, None


def assemble(parts: Sequence[Tile], layer: str, crops: Sequence[Tensor]) -> Tensor:
    """The activations of the whole from each tile's own, in the order of the tiles."""
    if len(parts) == 1:
        return crops[0]
    seen = [(tile, crop) for tile, crop in zip(parts, crops, strict=True) if crop.numel()]
    sides = [
        max(tile.within[layer][axis].start + crop.shape[2 + axis] for tile, crop in seen)
        for axis in range(crops[0].dim() - 2)
    ]
    features = crops[0].new_empty((*crops[0].shape[:2], *sides))
    for tile, crop in seen:
        tile.look(layer, features).copy_(crop)
    return features
