"""What tells whether a clip flickers."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from styletransfer.core.flow import Link, warp
from styletransfer.core.media.types import Pixels


def warped_difference(frames: Pixels, links: Iterable[Link]) -> float | None:
    """How much frames differ from earlier ones that were moved to where things are by then.

    frames: (T, H, W, 3). links: of the clip whose motion they have (`flow.links`). Returns the
    mean absolute difference over all pixels whose origin is known, 0 … 1; None where there are
    none. 0 is a clip without flicker, whatever moves in it. It is what Ruder, Dosovitskiy and
    Brox (2016) call the temporal error, with the absolute value for the square.
    """
    differences, pixels = 0.0, 0.0
    for link in links:
        earlier, later = (
            _tensor(frames, k).to(link.grid.device) for k in (link.earlier, link.later)
        )
        gap = (warp(earlier, link.grid) - later).abs().mean(1, keepdim=True)
        differences += float((gap * link.trusted).sum())
        pixels += float(link.trusted.sum())
    return differences / pixels if pixels else None


def _tensor(frames: Pixels, index: int) -> Tensor:
    return torch.from_numpy(frames[index].copy()).permute(2, 0, 1)[None].float().div(255)
