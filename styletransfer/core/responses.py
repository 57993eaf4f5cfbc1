"""How often each response of a filter occurs: the distributions that a Gram matrix leaves open.

A Gram matrix fixes the energy of what filters see and not how it is shared out: twelve beats of a
heart, or six large ones and six that hardly show. The distribution of the responses does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from styletransfer.core.filters import Bank


class ResponseDistributions:
    """A term for `TextureObjective`, over one axis of time.

    The squared 2-Wasserstein distance of the responses of linear random filters to those of an
    example, in units of the example's own variance, averaged over all filters. In one dimension
    that is the mean squared difference of the sorted values. Random filters are random projections
    of patches: Elnekave and Weiss, "Generating Natural Images with Direct Patch Distributions
    Matching" (2022); for features of a network, Heitz et al., "A Sliced Wasserstein Loss for Neural
    Texture Synthesis" (2021).
    """

    FILTERS = 8

    def __init__(self, banks: Sequence[Bank], style: Tensor, length: int, *, seed: int) -> None:
        """banks: their widths and scales count, each with FILTERS filters.
        style: (1, C, T), of any T. length: T of what will be compared with it.
        """
        generator = torch.Generator().manual_seed(seed)
        self._banks = [replace(bank, filters=self.FILTERS) for bank in banks]
        self._weights = [
            torch.randn((self.FILTERS, style.shape[1], bank.taps), generator=generator).to(style)
            for bank in banks
        ]
        with torch.no_grad():
            counts = [
                x.shape[-1] for x in self._responses(style.new_zeros(1, style.shape[1], length))
            ]
            self._targets = [
                _quantiles(x, n) for x, n in zip(self._responses(style), counts, strict=True)
            ]
        self._units = [target.var() + 1e-12 for target in self._targets]

    def __call__(self, x: Tensor) -> Tensor:
        """x: (1, C, length). About 1 for what is no likeness, 0 for the same distributions."""
        gaps = [
            functional.mse_loss(response.sort(-1).values, target) / unit
            for response, target, unit in zip(
                self._responses(x), self._targets, self._units, strict=True
            )
        ]
        return torch.stack(gaps).mean()

    def _responses(self, x: Tensor) -> list[Tensor]:
        """(1, C, T) to (1, FILTERS, fewer) of each bank."""
        found = []
        for bank, weights in zip(self._banks, self._weights, strict=True):
            coarse = functional.avg_pool1d(x, bank.shrink) if bank.shrink > 1 else x
            found.append(functional.conv1d(coarse, weights, dilation=bank.dilation))
        return found


def _quantiles(values: Tensor, count: int) -> Tensor:
    """`count` evenly spread quantiles of each row, ascending."""
    at = (torch.arange(count, device=values.device) + 0.5) / count * values.shape[-1]
    return values.sort(-1).values[..., at.long()]
