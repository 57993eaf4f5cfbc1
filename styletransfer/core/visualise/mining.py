"""Mining: one pass over a corpus, for the nine patches that excite each unit of a network most.

Source: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (2013). A picture
has one patch per unit at most: the position where the unit fires most, sought where its receptive
field lies wholly in the picture. All layers are looked at in
the one pass, and of all pictures only those are remembered that stand among some unit's nine, so
memory does not grow with the corpus.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from styletransfer.core.visualise.findings import Array, Findings
from styletransfer.core.visualise.layers import LayerInfo
from styletransfer.core.visualise.networks import SeenNetwork
from styletransfer.core.visualise.receptive import Extent

_WHOLE = 0.6
"""A field that is at most this share of a view's shorter side leaves enough room inside."""

_AT_ONCE = 4
"""Views in one pass: all layers of vgg19 take 75 MB a view."""

BATCH = 8
"""Pictures that are taken at a time: after each such step the state can be kept."""


@dataclass(frozen=True)
class MiningProgress:
    """After a step.

    entered: the views of this step that came among some unit's nine, by key, as the network saw
    them. findings: the one running state, not a copy.
    """

    findings: Findings
    entered: Mapping[str, Image.Image]

    @property
    def done(self) -> int:
        """Pictures taken so far, over all runs."""
        return self.findings.done


def mine(
    network: SeenNetwork,
    pictures: Iterable[tuple[str, Image.Image | None]],
    *,
    state: Findings | None = None,
    batch: int = BATCH,
) -> Iterator[MiningProgress]:
    """Look at every picture once; yields after each `batch` of them.

    pictures: (key, picture), None for one that could not be read. On resuming, those that come
    after the first `state.done`. A picture of which the network sees several views (faces) gives
    each a key of its own: `key.0`, `key.1` … To pause, stop iterating and keep `findings`; the
    same steps make the same findings to the bit. Raises ValueError where the state is another
    network's.
    """
    findings = state or Findings.begin(network)
    if not findings.fits(network):
        raise ValueError(f"the findings are those of {findings.network}, or of other weights")
    stream = iter(pictures)
    while step := list(islice(stream, batch)):
        views: dict[str, Image.Image] = {}
        for key, picture in step:
            findings.done += 1
            if picture is None:
                findings.unreadable += 1
                continue
            seen = network.views(picture)
            findings.faceless += not seen
            one = network.name != "face"
            views |= {key if one else f"{key}.{i}": view for i, view in enumerate(seen)}
        entered = findings.take(list(views), _maxima(network, list(views.values())))
        yield MiningProgress(findings, {key: views[key] for key in views if key in entered})


def _maxima(
    network: SeenNetwork, views: list[Image.Image]
) -> dict[str, tuple[Array, Array, Array]]:
    """Where each unit of every layer fires most: {layer: (activation, row, column)}, each
    (views, units). Views of one size go through the network together."""
    by_size: dict[tuple[int, int], list[int]] = {}
    for index, view in enumerate(views):
        by_size.setdefault(view.size, []).append(index)
    names = [info.name for info in network.layers]
    found = {
        info.name: tuple(
            np.zeros((len(views), info.units), kind) for kind in (np.float32, np.int16, np.int16)
        )
        for info in network.layers
    }
    for indices in (
        some[i : i + _AT_ONCE] for some in by_size.values() for i in range(0, len(some), _AT_ONCE)
    ):
        batch = torch.cat([network.prepare(views[index]) for index in indices])
        batch = batch.contiguous(memory_format=torch.channels_last)
        with torch.inference_mode():
            features = network(batch, names)
        for info in network.layers:
            best = _best_positions(features[info.name], searched(info, views[indices[0]].size))
            for of_all, of_these in zip(found[info.name], best, strict=True):
                of_all[indices] = of_these
    return {name: (a, r, c) for name, (a, r, c) in found.items()}


def searched(info: LayerInfo, view: Extent) -> tuple[slice, slice]:
    """The rows and columns of the layer's map among which a view's best position is sought.

    Those whose receptive field lies wholly in the view: what fires at an edge is often the padding.
    Where the field is larger than `_WHOLE` of the view's shorter side, all of them.
    """
    width, height = info.map_extent(view)
    field = info.receptive
    if field.size > _WHOLE * min(view):
        return slice(0, height), slice(0, width)
    first = -(field.start // field.stride)
    ends = ((side - field.size - field.start) // field.stride + 1 for side in view)
    columns, rows = (slice(first, end) for end in ends)
    return rows, columns


def _best_positions(features: Tensor, where: tuple[slice, slice]) -> tuple[Array, Array, Array]:
    """(N, units, h, w) to activation, row and column of each map's maximum, each (N, units)."""
    rows, columns = where
    window = features[:, :, rows, columns].float()
    value, position = window.flatten(2).max(2)
    at, width = position.cpu().numpy(), window.shape[3]
    return value.cpu().numpy(), at // width + rows.start, at % width + columns.start
