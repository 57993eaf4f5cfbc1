"""The texture of a volume: another one in which the same things are, at other places.

Two kinds of filters can be compared: `lite`, the trained network for pictures, on the slices
across three axes (`slices.py`), and random 3-D convolutions at several scales (`filters.py`),
for which the result goes on behind its borders: it can be laid side by side without a seam.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from styletransfer.core.filters import Bank, RandomFilters
from styletransfer.core.grams import GramObjective, Grams
from styletransfer.core.losses import gram_matrix, positions
from styletransfer.core.measures import volume as measures
from styletransfer.core.media.types import Floats, MediumError, Pixels, Volume
from styletransfer.core.media.volume import exhibit
from styletransfer.core.media.volume.render import threshold
from styletransfer.core.media.volume.scaling import (
    crop_centre,
    scaled_shape,
    scaled_spacing,
    shrink,
)
from styletransfer.core.pieces import Figure, PieceRecipe
from styletransfer.core.slices import slice_objective, slices_across
from styletransfer.core.synthesis.base import fingerprint, make
from styletransfer.core.synthesis.types import Inputs, PieceIterate, PieceState, Tools

TAPS, FILTERS, SHRINKS = 5, 32, (1, 2, 4)


def compose(
    inputs: Inputs, recipe: PieceRecipe, tools: Tools, state: PieceState | None = None
) -> Iterator[PieceIterate]:
    """A cube of `recipe.size` voxels a side, of the volume `style`'s texture. See
    `types.Compose`."""
    size = cast(int, recipe.size)
    example = scaled(cast(Volume, inputs["style"]), size)
    style = torch.from_numpy(example.values)[None].to(tools.device)
    start = shuffled(example.values, size, recipe.seed).to(tools.device)
    if recipe.filters == "random":
        network = random_filters(style, recipe.seed)
        filters = {"name": network.name, "version": network.version}
        objective = random_objective(network, style, start)
    else:
        extractor = tools.extractor(recipe.filters)
        filters = {"name": extractor.name, "version": extractor.version}
        across = [slices_across(style, axis) for axis in range(3)]
        objective = slice_objective(extractor, across, start, each=False)
    yield from make(
        start,
        objective,
        recipe,
        _Rendering(example),
        fingerprint=fingerprint(inputs, recipe, filters),
        filters=filters,
        state=state,
        natural=objective.natural,
    )


def scaled(example: Volume, size: int) -> Volume:
    """The example at the scale of the result: its shortest side brought to `size` (never
    enlarged), and no more than the middle cube of twice that."""
    _, d, h, w = example.values.shape
    smaller = scaled_shape((d, h, w), min(1.0, size / min(d, h, w)))
    values = crop_centre(shrink(example.values, smaller), 2 * size)
    spacing = scaled_spacing(example.spacing, (d, h, w), smaller)
    return Volume(np.ascontiguousarray(values), spacing, example.window)


def shuffled(values: Floats, size: int, seed: int) -> Tensor:
    """The start: (1, C, size, size, size) of the example's values (C, D, H, W) at random places,
    softened over 3 voxels and brought back to their contrast: fine noise would stay where nothing
    forbids it."""
    rng = np.random.default_rng(seed)
    colours = values.reshape(len(values), -1)
    chosen = colours[:, rng.integers(0, colours.shape[1], size**3)]
    noise = torch.from_numpy(chosen.reshape(1, -1, size, size, size))
    soft = functional.avg_pool3d(functional.pad(noise, [1] * 6, mode="circular"), 3, stride=1)
    mean = soft.mean((2, 3, 4), keepdim=True)
    return ((soft - mean) * (noise.std() / soft.std()) + mean).clamp(0, 1).contiguous()


def random_filters(style: Tensor, seed: int) -> RandomFilters:
    """Banks of one width over the volume at full, half and quarter size, as far as they fit."""
    banks = [Bank(f"1/{n}", TAPS, FILTERS, shrink=n) for n in SHRINKS]
    fitting = [bank for bank in banks if bank.taps * bank.shrink <= min(style.shape[2:])]
    if not fitting:
        raise MediumError(
            "too_small",
            f"The filters are {TAPS} voxels wide, and the example has only {min(style.shape[2:])}.",
            "Choose a larger example.",
        )
    return RandomFilters(style.shape[1], 3, fitting, seed=seed, device=style.device)


def random_objective(network: RandomFilters, style: Tensor, start: Tensor) -> GramObjective:
    """J by random filters: of the example where they fit, of the result across its borders too."""
    mean, deviation = style.mean(), style.std()

    def grams(x: Tensor, *, periodic: bool) -> Grams:
        x = (x - mean) / deviation
        found: Grams = {}
        for name, bank in network.banks.items():
            beyond = (bank.taps - 1) * bank.shrink if periodic else 0
            padded = functional.pad(x, [0, beyond] * 3, mode="circular") if beyond else x
            seen = network(padded, {name})[name]
            found[name] = gram_matrix(seen), positions(seen)
        return found

    with torch.no_grad():
        wanted = grams(style, periodic=False)
    return GramObjective([partial(grams, periodic=True)], [wanted], start)


class _Rendering:
    """See `base.Rendering`. x is (1, C, D, H, W) in [0, 1]."""

    def __init__(self, example: Volume) -> None:
        self._example = example

    def result(self, x: Tensor) -> Volume:
        """x with the example's spacing and window."""
        values = x[0].detach().cpu().numpy().copy()
        return Volume(values, self._example.spacing, self._example.window)

    def picture(self, x: Tensor) -> Pixels:
        """See PieceIterate."""
        return exhibit.picture(self.result(x))

    def header(self, x: Tensor) -> dict[str, Any]:
        """Nothing more."""
        return {}

    def figures(self, x: Tensor) -> list[Figure]:
        """See PieceIterate."""
        return held_out(self.result(x), self._example)


def held_out(result: Volume, example: Volume) -> list[Figure]:
    """What no Gram matrix asked for. Of colours, their mean is judged."""
    ours, theirs = result.values.mean(0), example.values.mean(0)
    middle = threshold(theirs)
    phase, wanted = ours > middle, theirs > middle
    return [
        Figure(
            "Distance of two-point correlations",
            measures.two_point_distance(phase, wanted),
            None,
            "",
            "How differently the bright voxels are arranged; 0 is the same, 1 is white noise.",
        ),
        Figure(
            "Volume fraction",
            measures.volume_fraction(phase),
            measures.volume_fraction(wanted),
            "",
            "The share of bright voxels.",
        ),
        Figure(
            "Specific surface",
            measures.specific_surface(phase, result.spacing),
            measures.specific_surface(wanted, example.spacing),
            "1/mm",
            "How much surface there is between bright and dark, per volume.",
        ),
        Figure(
            "Distance of values",
            measures.value_distance(ours, theirs),
            None,
            "",
            "Between equally rare values, of a range of 0 to 1; 0 is the same.",
        ),
    ]
