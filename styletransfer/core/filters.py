"""Untrained filters: one layer of random convolutions over one, two or three axes.

Textures need no trained network: Ustyuzhaninov, Brendel, Gatys and Bethge, "Texture Synthesis
Using Shallow Convolutional Networks with Random Filters" (2016) for pictures, Ulyanov and
Lebedev, "Audio texture synthesis and style transfer" (2016) for spectrograms. Several widths side
by side (banks) see several scales.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from styletransfer.core.media.types import MediumError
from styletransfer.core.visualise.receptive import Receptive, Window, receptive_field

_CONV: dict[int, Callable[..., Tensor]] = {
    1: functional.conv1d,
    2: functional.conv2d,
    3: functional.conv3d,
}
_POOL: dict[int, Callable[..., Tensor]] = {
    1: functional.avg_pool1d,
    2: functional.avg_pool2d,
    3: functional.avg_pool3d,
}


@dataclass(frozen=True)
class Bank:
    """Filters of one width. taps: per axis. dilation: from tap to tap. shrink: the input is
    averaged in cells of so many values per axis first, so that a bank sees a coarser scale."""

    name: str
    taps: int
    filters: int
    dilation: int = 1
    shrink: int = 1

    @property
    def field(self) -> Receptive:
        """Which values of the input, per axis, one value of the output depends on."""
        pool = Window(self.shrink, self.shrink)
        return receptive_field((pool, Window(self.taps, dilation=self.dilation)))


class RandomFilters:
    """An Extractor for any input of (N, channels, *spatial) with `axes` spatial axes.

    Each bank is one layer: a convolution without padding, then the ReLU. The weights are normal
    with mean 0 and variance 2 / (channels · taps^axes) (He et al. 2015), drawn from the seed on
    the CPU: the same on every device. Banks that are added at the end leave the others alone.
    """

    name = "random"

    def __init__(
        self,
        channels: int,
        axes: int,
        banks: Sequence[Bank],
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        if axes not in _CONV:
            raise ValueError(f"{axes} spatial axes; there are filters for 1, 2 and 3")
        self.axes = axes
        self.device = torch.device(device)
        self.banks = {bank.name: bank for bank in banks}
        self.layers = tuple(self.banks)
        self.version = f"seed {seed}: " + ", ".join(_spelled(bank, axes) for bank in banks)
        generator = torch.Generator().manual_seed(seed)
        self._weights: dict[str, Tensor] = {}
        for bank in banks:
            shape = (bank.filters, channels, *[bank.taps] * axes)
            scale = (2 / (channels * bank.taps**axes)) ** 0.5
            weights = torch.randn(shape, generator=generator) * scale
            self._weights[bank.name] = weights.to(self.device)

    def __call__(self, x: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """(N, channels, *spatial) to {bank: (N, filters, *fewer)}.

        Raises KeyError for an unknown bank, MediumError for an input narrower than its filters.
        """
        unknown = set(layers) - set(self.layers)
        if unknown:
            raise KeyError(f"there is no bank {', '.join(sorted(unknown))}")
        return {name: self._see(x, bank) for name, bank in self.banks.items() if name in layers}

    def field(self, layer: str) -> Receptive:
        """See Tileable."""
        return self.banks[layer].field

    def _see(self, x: Tensor, bank: Bank) -> Tensor:
        narrowest = min(x.shape[2:])
        if narrowest < bank.field.size:
            raise MediumError(
                "too_small",
                f"The filters are {bank.field.size} values wide, and this has only {narrowest}.",
                "Choose a larger size or a longer part.",
            )
        if bank.shrink > 1:
            x = _POOL[self.axes](x, bank.shrink)
        weights = self._weights[bank.name].to(x.dtype)
        return _CONV[self.axes](x, weights, dilation=bank.dilation).relu()


def _spelled(bank: Bank, axes: int) -> str:
    """16×5³, dilation 2, shrink 4."""
    words = [f"{bank.name} {bank.filters}×{bank.taps}{'¹²³'[axes - 1]}"]
    words += [f"dilation {bank.dilation}"] * (bank.dilation > 1)
    words += [f"shrink {bank.shrink}"] * (bank.shrink > 1)
    return " ".join(words)
