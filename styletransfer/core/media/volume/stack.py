"""A file that has been opened: slices to come, and what is allowed of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from styletransfer.core.media.types import MediumError
from styletransfer.core.media.volume.scaling import Shape, Spacing

Array = npt.NDArray[Any]

LONGEST_SIDE: Final = 512
SHORTEST_SIDE: Final = 8
MOST_BYTES: Final = 256 * 1024**2
"""Of a file's voxels, unpacked: 512 a side in 16 bits."""


@dataclass(frozen=True)
class Stack:
    """shape: D, H, W. slices: D arrays (H, W) or, with colours, (H, W, 3), read as they are asked
    for. spacing: mm along D, H, W. window: what will be 0 and 1; None leaves it to the values.
    patient: letters of the directions in which D, H and W grow, as NIfTI has them (`SPL`), where
    the file tells.
    """

    shape: Shape
    slices: Iterable[Array]
    spacing: Spacing = (1.0, 1.0, 1.0)
    window: tuple[float, float] | None = None
    patient: tuple[str, str, str] | None = None


def check_shape(shape: tuple[int, ...]) -> Shape:
    """The three sides. Raises MediumError `volume_empty`, `not_three_axes`, `volume_too_small`,
    `volume_too_large`."""
    if 0 in shape:
        raise MediumError(
            "volume_empty", "This volume is empty.", f"Its sides are {_times(shape)}."
        )
    if len(shape) != 3:
        raise MediumError(
            "not_three_axes",
            f"This array has {len(shape)} {'axis' if len(shape) == 1 else 'axes'}"
            f" ({_times(shape)}); a volume has three.",
            "Of a series, save one volume. (A NumPy array may have a fourth axis of 3 colours.)",
        )
    if min(shape) < SHORTEST_SIDE:
        raise MediumError(
            "volume_too_small",
            f"This volume has {_times(shape)} voxels.",
            f"Choose one with at least {SHORTEST_SIDE} along each axis.",
        )
    if max(shape) > LONGEST_SIDE:
        raise MediumError(
            "volume_too_large",
            f"This volume has {_times(shape)} voxels.",
            f"Cut or scale it to at most {LONGEST_SIDE} along each axis.",
        )
    d, h, w = shape
    return d, h, w


def check_bytes(promised: int) -> None:
    """Raises MediumError `volume_too_large` before anything so large is unpacked."""
    if promised > MOST_BYTES:
        raise MediumError(
            "volume_too_large",
            f"Unpacked, this volume has {promised / 1024**2:,.0f} MB.",
            f"At most {MOST_BYTES // 1024**2} MB are taken: save it with fewer bits or scale it.",
        )


def check_dtype(dtype: np.dtype[Any]) -> None:
    """Raises MediumError `complex_numbers`, `pickled`, `not_numbers`."""
    if dtype.kind == "c":
        raise MediumError(
            "complex_numbers",
            "This volume holds complex numbers.",
            "Save their magnitude (numpy.abs).",
        )
    if dtype.hasobject:
        raise MediumError(
            "pickled",
            "This file holds Python objects, which are never opened: they could run a program.",
            "Save the array as plain numbers, such as float32.",
        )
    if dtype.kind not in "buif":
        raise MediumError(
            "not_numbers", "This file does not hold numbers.", "Save it as float32 or uint8."
        )


def damaged(what: str) -> MediumError:
    """The file says what it is and cannot be read all the same."""
    return MediumError(
        "volume_damaged",
        f"This {what} is damaged or ends too early.",
        "Save it again, then try once more.",
    )


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(str(n) for n in shape) or "no sides"
