"""The architecture of `lite`, the embedded extractor: a thin VGG with VGG-19's five style taps."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn
from torch.nn import functional

BLOCKS = ((16, 2), (32, 2), (64, 2), (128, 2), (128, 1))
"""(channels, 3×3 convolutions) of each block; its first convolution is the tap reluN_1."""

_MEAN, _STD = 0.45, 0.25


class ThinVGG(nn.Module):
    """Nine convolutions in five blocks; average pooling, as Gatys et al. recommend.

    Takes (N, 3, H, W) RGB in [0, 1], gives the features of the layers asked for after the ReLU.
    """

    def __init__(self) -> None:
        super().__init__()
        channels = 3
        for block, (width, depth) in enumerate(BLOCKS, start=1):
            for index in range(1, depth + 1):
                # Zeros would look like a dark frame, and G would grow one (docs/decisions.md).
                conv = nn.Conv2d(channels, width, 3, padding=1, padding_mode="replicate")
                self.add_module(f"conv{block}_{index}", conv)
                channels = width

    def forward(self, image: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """The features named in layers (`relu1_1` …); stops at the deepest one."""
        return {name: functional.relu(z) for name, z in self.pre_activations(image, layers).items()}

    def pre_activations(self, image: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """The same before the ReLU; the training asks for these."""
        wanted = set(layers)
        taken: dict[str, Tensor] = {}
        x = (image - _MEAN) / _STD
        for block, (_, depth) in enumerate(BLOCKS, start=1):
            if block > 1:
                x = functional.avg_pool2d(x, 2)
            for index in range(1, depth + 1):
                x = self.get_submodule(f"conv{block}_{index}")(x)
                name = f"relu{block}_{index}"
                if name in wanted:
                    taken[name] = x
                    wanted.discard(name)
                if not wanted:
                    return taken
                x = functional.relu(x)
        raise KeyError(f"lite has no layer {', '.join(sorted(wanted))}")


def initialise(net: ThinVGG, generator: torch.Generator) -> None:
    """He initialisation from a seeded generator."""
    for parameter in net.parameters():
        if parameter.dim() == 4:
            nn.init.kaiming_normal_(parameter, nonlinearity="relu", generator=generator)
        else:
            nn.init.zeros_(parameter)
