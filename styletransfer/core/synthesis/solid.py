"""A solid from a picture: a volume whose slices, along all three axes, look like the picture.

The slices are compared by a trained network (`slices.py`). The picture's rows lie along D in the
slices that stand, and along H in those that lie: what is up in the picture is up in the solid.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

import numpy as np
from PIL import Image
from torch import Tensor

from styletransfer.core.images import resize, to_tensor
from styletransfer.core.measures import volume as measures
from styletransfer.core.media.types import Floats, MediumError, Pixels, Volume
from styletransfer.core.media.volume import exhibit
from styletransfer.core.media.volume.render import threshold
from styletransfer.core.pieces import Figure, PieceRecipe
from styletransfer.core.slices import slice_objective
from styletransfer.core.synthesis.base import fingerprint, make
from styletransfer.core.synthesis.types import Inputs, PieceIterate, PieceState, Tools
from styletransfer.core.synthesis.volume import shuffled

SHOWN: Final = 4.0
"""The picture's shorter side over the solid's: a slice shows a part of it, at this scale."""

_LONGEST: Final = 2.0
"""Sides of a longer picture are cut to so many times the shorter one."""

LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)
"""Y' of ITU-R BT.601."""


def compose(
    inputs: Inputs, recipe: PieceRecipe, tools: Tools, state: PieceState | None = None
) -> Iterator[PieceIterate]:
    """A cube of `recipe.size` voxels a side, of the picture `style`. See `types.Compose`."""
    size = cast(int, recipe.size)
    picture = scaled(cast(Image.Image, inputs["style"]), size)
    style = to_tensor(picture, tools.device)
    extractor = tools.extractor(recipe.filters)
    filters = {"name": extractor.name, "version": extractor.version}
    pixels: Floats = style[0].cpu().numpy()
    start = shuffled(pixels, size, recipe.seed).to(tools.device)
    objective = slice_objective(extractor, [style] * 3, start, each=False)
    yield from make(
        start,
        objective,
        recipe,
        _Rendering(pixels),
        fingerprint=fingerprint(inputs, recipe, filters),
        filters=filters,
        state=state,
        natural=objective.natural,
    )


def scaled(picture: Image.Image, size: int) -> Image.Image:
    """The picture at the solid's scale; of a long one the middle. Raises MediumError."""
    shorter, longer = min(picture.size), max(picture.size)
    if shorter < size:
        raise MediumError(
            "too_small",
            f"The picture's shorter side has {shorter} pixels, fewer than the solid's {size}.",
            "Choose a larger picture, or a smaller size.",
        )
    factor = min(1.0, SHOWN * size / shorter)
    small = resize(picture, round(longer * factor))
    width, height = (min(n, round(_LONGEST * shorter * factor)) for n in small.size)
    left, top = (small.width - width) // 2, (small.height - height) // 2
    return small.crop((left, top, left + width, top + height))


class _Rendering:
    """See `base.Rendering`. x is (1, 3, D, H, W) in [0, 1]."""

    def __init__(self, pixels: Floats) -> None:
        """pixels: (3, H, W), the picture as it was compared."""
        self._pixels = pixels

    def result(self, x: Tensor) -> Volume:
        """x as colours."""
        return Volume(x[0].detach().cpu().numpy().copy(), window=(0.0, 255.0))

    def picture(self, x: Tensor) -> Pixels:
        """See PieceIterate."""
        return exhibit.picture(self.result(x))

    def header(self, x: Tensor) -> dict[str, Any]:
        """Nothing more."""
        return {}

    def figures(self, x: Tensor) -> list[Figure]:
        """See PieceIterate."""
        return held_out(self.result(x), self._pixels)


def held_out(result: Volume, pixels: Floats) -> list[Figure]:
    """What no Gram matrix asked for, of a solid and its picture (3, H, W)."""
    ours, theirs = (np.tensordot(LUMA, v, 1) for v in (result.values, pixels))
    middle = threshold(theirs)
    phase, wanted = ours > middle, theirs > middle
    told = [
        Figure(
            f"Distance of two-point correlations, {name} slices",
            measures.slices_distance(phase, wanted, axis),
            None,
            "",
            "How differently light and dark are arranged; 0 is the same, 1 is white noise.",
        )
        for axis, name in enumerate(("axial", "coronal", "sagittal"))
    ]
    colours = [measures.value_distance(a, b) for a, b in zip(result.values, pixels, strict=True)]
    return [
        *told,
        Figure(
            "Share of light",
            measures.volume_fraction(phase),
            measures.volume_fraction(wanted),
            "",
            "Of all voxels, and of the picture's pixels.",
        ),
        Figure(
            "Distance of colours",
            float(np.mean(colours)),
            None,
            "",
            "Between equally rare values of red, green and blue, of 0 to 1; 0 is the same.",
        ),
    ]
