"""The door for volumes: `read` takes a file's bytes, `deliver` gives files away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import nibabel.orientations
import numpy as np

from styletransfer.core.media.types import Floats, MediumError, Volume
from styletransfer.core.media.volume.arrays import NPY, open_npy, open_npz, to_npy
from styletransfer.core.media.volume.nifti import GZIP, is_nifti, open_nifti, to_nifti, unpacked
from styletransfer.core.media.volume.pictures import TIFF, open_tiff, open_zip
from styletransfer.core.media.volume.scaling import Spacing, averaged, scaled_shape, scaled_spacing
from styletransfer.core.media.volume.stack import SHORTEST_SIDE, Stack
from styletransfer.core.media.volume.zips import ZIP, members

_turning: Any = nibabel.orientations  # its functions have no types

READS: Final = {
    ".nii.gz": "NIfTI",
    ".nii": "NIfTI",
    ".gz": "NIfTI",  # file choosers of some systems know but the last part of an ending
    ".npy": "NumPy",
    ".npz": "NumPy",
    ".tif": "TIFF of several pages",
    ".tiff": "TIFF of several pages",
    ".zip": "ZIP of slices",
}

MOST_VOXELS: Final = 128**3
"""What is kept of a file; larger ones are scaled down by averaging."""

_LEAST_SPREAD = 1e-5
"""Of values that are not all the same, over their size: averaging leaves rounding errors."""

_SHARE_LEFT_OUT = 0.001
"""Of the voxels at either end of the values, which do not decide the window."""


def read(data: bytes, name: str) -> Volume:
    """A file's bytes as a volume; what the bytes say counts, not the name's ending.

    More than `MOST_VOXELS` are averaged to that. Values become 0 … 1 between the 0.1st and the
    99.9th percentile (`Volume.window` tells which they were); 8-bit colours keep 0 … 255.
    NIfTI files are turned so that D grows down, H to the back and W to the left, as slices are
    shown.
    Raises MediumError.
    """
    if not data:
        raise MediumError("empty_file", "This file is empty.", "Choose another volume.")
    stack = _open(data)
    shape = stack.shape
    factor = min(1.0, float((MOST_VOXELS / np.prod(shape)) ** (1 / 3)))
    smaller = scaled_shape(shape, factor, least=SHORTEST_SIDE)
    values = averaged(_checked(stack), shape, smaller)
    spacing = scaled_spacing(stack.spacing, shape, smaller)
    if stack.patient:
        values, spacing = _upright(values, spacing, stack.patient)
    if np.ptp(values, axis=0).max() <= 0.002 * np.ptp(values):
        values = values[:1]  # grey pictures that were saved with colours
    low, high = window = stack.window or _window(values)
    values = np.clip((values - low) / (high - low), 0, 1, dtype=np.float32)
    if np.ptp(values, axis=(1, 2, 3)).max() < _LEAST_SPREAD:
        raise _constant()
    return Volume(np.ascontiguousarray(values), spacing, window)


def deliver(volume: Volume) -> dict[str, bytes]:
    """`volume.nii.gz` (in mm and in the units of the source) and `volume.npy`: (D, H, W) or
    (D, H, W, 3), in 0 … 1."""
    array = np.moveaxis(volume.values, 0, -1)
    array = array[..., 0] if array.shape[-1] == 1 else array
    return {
        "volume.nii.gz": to_nifti(volume),
        "volume.npy": to_npy(np.ascontiguousarray(array)),
    }


def _open(data: bytes) -> Stack:
    if data.startswith(NPY):
        return open_npy(data)
    if data.startswith(ZIP):
        _, infos = members(data)
        is_npz = any(info.filename.endswith(".npy") for info in infos)
        return open_npz(data) if is_npz else open_zip(data)
    if data.startswith(TIFF):
        return open_tiff(data)
    if data.startswith(GZIP):
        return open_nifti(unpacked(data))
    if is_nifti(data[:540]):
        return open_nifti(data)
    raise MediumError(
        "not_a_volume",
        "This file is not a volume that can be read.",
        "Choose a NIfTI file (.nii, .nii.gz), a NumPy array (.npy, .npz), "
        "a TIFF of several pages, or a ZIP of equally large pictures.",
    )


def _checked(stack: Stack) -> Iterator[Floats]:
    """Each slice as (C, H, W) float32. Raises MediumError `not_finite`."""
    for plane in stack.slices:
        with np.errstate(over="ignore"):
            values = np.asarray(plane, np.float32)
        if not np.isfinite(values).all():
            raise MediumError(
                "not_finite",
                "This volume holds values that are not finite numbers (NaN or infinite).",
                "Replace them first, for example with numpy.nan_to_num.",
            )
        yield values[None] if values.ndim == 2 else values.transpose(2, 0, 1)


def _upright(
    values: Floats, spacing: Spacing, patient: tuple[str, str, str]
) -> tuple[Floats, Spacing]:
    """The axes turned and swapped so that they grow to I, P and L."""
    is_now, shall_be = (_turning.axcodes2ornt(axes) for axes in (patient, ("I", "P", "L")))
    turn = _turning.ornt_transform(is_now, shall_be)
    turned = _turning.apply_orientation(np.moveaxis(values, 0, -1), turn)
    d, h, w = (spacing[i] for i in np.argsort(turn[:, 0]))
    return np.moveaxis(turned, -1, 0), (d, h, w)


def _window(values: Floats) -> tuple[float, float]:
    """The percentiles that become 0 and 1; the extremes where these are one."""
    ends = np.quantile(values, (_SHARE_LEFT_OUT, 1 - _SHARE_LEFT_OUT)).tolist()
    if not _differ(*ends):
        ends = [float(values.min()), float(values.max())]
    if not _differ(*ends):
        raise _constant()
    return ends[0], ends[1]


def _differ(low: float, high: float) -> bool:
    return high - low > _LEAST_SPREAD * max(abs(low), abs(high))


def _constant() -> MediumError:
    return MediumError(
        "constant",
        "Every voxel of this volume has the same value.",
        "There is nothing in it to learn from; choose another one.",
    )
