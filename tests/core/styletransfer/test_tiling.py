"""Tiled costs and gradients are those of the whole, on one, two and three axes."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from styletransfer.core.features import NetworkExtractor
from styletransfer.core.filters import Bank, RandomFilters
from styletransfer.core.losses import gram_matrix
from styletransfer.core.optimisers import Evaluation
from styletransfer.core.pieces import PieceLosses
from styletransfer.core.texture import TextureObjective
from styletransfer.core.tiling import assemble, sum_over, tiles

BANKS = [Bank("fine", 3, 3), Bank("wide", 3, 4, dilation=2), Bank("coarse", 3, 3, shrink=2)]
WIDEST = 6


def agree(one: Evaluation[PieceLosses], other: Evaluation[PieceLosses], error: float) -> None:
    assert one.value == pytest.approx(other.value, rel=error)
    assert one.losses.layers == pytest.approx(other.losses.layers, rel=error, abs=error)
    assert one.losses.content == pytest.approx(other.losses.content, rel=error)
    assert (one.gradient - other.gradient).norm() <= error * other.gradient.norm()


@settings(max_examples=15, deadline=None)
@given(st.data())
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_random_filters_of_any_sizes(axes: int, data: st.DataObject) -> None:
    longest = {1: 80, 2: 24, 3: 13}[axes]
    side = st.integers(WIDEST, longest)
    shape = data.draw(st.lists(side, min_size=axes, max_size=axes))
    sides = data.draw(st.lists(st.integers(4, longest), min_size=1, max_size=axes))
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 9)))
    s, c, x = (torch.rand(1, 2, *shape, generator=generator).double() for _ in range(3))
    network = RandomFilters(2, axes, BANKS)
    parts = {"content": c, "content_layer": "wide", "terms": {"e": (0.1, Tensor.mean)}}
    parts = parts if data.draw(st.booleans()) else {}
    whole = TextureObjective(network, s, c * 0.3, **parts)
    tiled = TextureObjective(network, s, c * 0.3, tile=sides, **parts)
    agree(tiled.evaluate(x), whole.evaluate(x), error=1e-10)


@pytest.mark.parametrize("shape", [(64, 48), (83, 33)])
@pytest.mark.parametrize("tile", [16, (40, 24)])
def test_a_trained_network_with_padding_and_pooling(
    shape: tuple[int, int], tile: int | tuple[int, int], lite: NetworkExtractor
) -> None:
    generator = torch.Generator().manual_seed(1)
    s, c, x = (torch.rand(1, 3, *shape, generator=generator) for _ in range(3))
    parts = {"content": c, "content_layer": "relu3_1"}
    whole = TextureObjective(lite, s, c * 0.3, **parts)
    tiled = TextureObjective(lite, s, c * 0.3, tile=tile, **parts)
    assert len(tiled._tiles) > 1
    agree(tiled.evaluate(x), whole.evaluate(x), error=2e-5)


def test_every_position_belongs_to_one_tile() -> None:
    network, x = RandomFilters(1, 2, BANKS), torch.rand(1, 1, 37, 22)
    parts = tiles((37, 22), (8, 5), {k: network.field(k) for k in network.layers})
    assert len(parts) == 5 * 6
    for layer, features in network(x, network.layers).items():
        seen = torch.zeros(features.shape[2:])
        for tile in parts:
            seen[tile.within[layer]] += 1
        assert (seen == 1).all()
        crops = [tile.crop(layer, network(tile.cut(x), [layer])[layer]) for tile in parts]
        assert torch.allclose(assemble(parts, layer, crops), features, atol=1e-6)


def test_only_one_tile_is_seen_at_a_time() -> None:
    network, x = RandomFilters(1, 1, BANKS), torch.rand(1, 1, 1000, requires_grad=True)
    parts = tiles((1000,), (100,), {k: network.field(k) for k in network.layers})
    widths = []

    def measure(region: Tensor, tile) -> tuple[Tensor, ...]:
        widths.append(region.shape[-1])
        return (gram_matrix(tile.crop("fine", network(region, ["fine"])["fine"])),)

    (gram,) = sum_over(parts, x, measure)
    assert torch.allclose(gram, gram_matrix(network(x, ["fine"])["fine"]), rtol=1e-5)
    gram.sum().backward()
    assert len(widths) == 2 * 10
    assert max(widths) <= 100 + WIDEST


def test_what_does_not_say_what_it_sees_cannot_be_tiled() -> None:
    class Blind:
        name, version, layers, device = "blind", "", ("a",), torch.device("cpu")

        def __call__(self, x: Tensor, layers) -> dict[str, Tensor]:
            return {"a": x}

    x = torch.rand(1, 1, 8)
    with pytest.raises(TypeError, match="blind does not say"):
        TextureObjective(Blind(), x, x, tile=4)
