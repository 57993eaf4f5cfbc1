"""The layers that can be looked into, network by network: arithmetic alone, no torch.

Each table says what the network's module does; the tests hold it against the modules' gradients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from styletransfer.core.visualise.receptive import (
    Extent,
    Receptive,
    Residual,
    Step,
    Window,
    map_extent,
    receptive_field,
    seen_box,
)

GROUPS = (1, 2, 3, 4, 5)
"""Layers are grouped as Zeiler and Fergus (2013) show them: layer 1 … layer 5."""


@dataclass(frozen=True)
class LayerInfo:
    """One layer, after its ReLU.

    name: `relu3_1`, `res4_2` … group: 1 … 5, shallow to deep. units: channels, each a detector of
    its own. filters: whether its weights look at the picture's own colours and can be shown as
    pictures. steps: the way from the pixels to it.
    """

    name: str
    group: int
    units: int
    filters: bool
    steps: tuple[Step, ...]

    @cached_property
    def receptive(self) -> Receptive:
        """What its units see of the picture."""
        return receptive_field(self.steps)

    def map_extent(self, extent: Extent) -> Extent:
        """(width, height) of its map for a picture of (width, height)."""
        return map_extent(self.steps, extent)

    def seen_box(self, extent: Extent, row: int, column: int) -> tuple[int, int, int, int]:
        """The pixels of such a picture that the unit at that position depends on."""
        return seen_box(self.steps, extent, row, column)


def _vgg(blocks: Sequence[tuple[int, int]]) -> tuple[LayerInfo, ...]:
    """(channels, 3×3 convolutions) of each block; between two blocks a pooling halves the map."""
    layers: list[LayerInfo] = []
    steps: tuple[Step, ...] = ()
    for block, (units, depth) in enumerate(blocks, start=1):
        if block > 1:
            steps = (*steps, Window(2, stride=2))
        for index in range(1, depth + 1):
            steps = (*steps, Window(3, padding=1))
            layers.append(LayerInfo(f"relu{block}_{index}", block, units, not layers, steps))
    return tuple(layers)


def _face() -> tuple[LayerInfo, ...]:
    """dlib's ResNet: a 7×7 stem, a pooling, and residual blocks of two 3×3 convolutions each.

    The last block, alone in its group by its stride, belongs to layer 5 by its width.
    """
    steps: tuple[Step, ...] = (Window(7, stride=2),)
    layers = [LayerInfo("stem", 1, 32, True, steps)]
    steps = (*steps, Window(3, stride=2))
    plain = Residual((Window(3, padding=1), Window(3, padding=1)))
    halving = Residual((Window(3, stride=2), Window(3, padding=1)), (Window(2, stride=2),))
    groups = ((32, "ppp"), (64, "hppp"), (128, "hpp"), (256, "hpph"))
    for group, (units, blocks) in enumerate(groups, start=2):
        for index, kind in enumerate(blocks, start=1):
            steps = (*steps, halving if kind == "h" else plain)
            layers.append(LayerInfo(f"res{group}_{index}", group, units, False, steps))
    return tuple(layers)


_NETWORKS: Mapping[str, tuple[LayerInfo, ...]] = {
    "lite": _vgg(((16, 2), (32, 2), (64, 2), (128, 2), (128, 1))),
    "vgg19": _vgg(((64, 2), (128, 2), (256, 4), (512, 4), (512, 1))),
    "face": _face(),
}

NETWORKS = tuple(_NETWORKS)
"""`lite`, `vgg19` and `face`."""


class Padding(NamedTuple):
    """What a network takes to lie beyond a picture's edge.

    edge: the outermost values once more, or nothing. blank: the colour that is nothing to it, the
    one it subtracts from every pixel: RGB in 0 … 255.
    """

    edge: Literal["repeat", "blank"]
    blank: tuple[float, float, float]


_PADDINGS: Mapping[str, Padding] = {
    "lite": Padding("repeat", (114.75, 114.75, 114.75)),
    "vgg19": Padding("blank", (123.675, 116.28, 103.53)),
    "face": Padding("blank", (122.782, 117.001, 104.298)),
}


def padding_of(network: str) -> Padding:
    """Raises KeyError for a network that there is not."""
    return _PADDINGS[network]


def network_layers(network: str) -> tuple[LayerInfo, ...]:
    """A network's layers, shallow to deep. Raises KeyError for a network that there is not."""
    return _NETWORKS[network]


def layer_info(network: str, layer: str) -> LayerInfo:
    """One layer. Raises KeyError for a network or layer that there is not."""
    for info in network_layers(network):
        if info.name == layer:
            return info
    raise KeyError(f"{network} has no layer {layer!r}")
