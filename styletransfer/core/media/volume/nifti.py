"""NIfTI files, compressed or not (https://nifti.nimh.nih.gov/nifti-1), read by nibabel."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from typing import Any

import nibabel
import numpy as np

from styletransfer.core.media.types import MediumError, Volume
from styletransfer.core.media.volume.stack import (
    MOST_BYTES,
    Array,
    Stack,
    check_bytes,
    check_dtype,
    check_shape,
    damaged,
)

nib: Any = nibabel  # its functions have no types

GZIP = b"\x1f\x8b"
_HEADERS = {348: (nib.Nifti1Header, nib.Nifti1Image), 540: (nib.Nifti2Header, nib.Nifti2Image)}
_MM = {"meter": 1000.0, "mm": 1.0, "micron": 0.001}
_MOST_EXTRA = 4 * 1024**2
"""Bytes of extensions between the header and the voxels."""


def is_nifti(start: bytes) -> bool:
    """Whether a file that begins so (540 bytes suffice) is NIfTI-1 or -2 in one file."""
    return _version(start) is not None


def unpacked(data: bytes) -> bytes:
    """What a gzip file holds, as far as its NIfTI header promises and no further.

    Raises MediumError `not_a_volume`, `volume_damaged`, or as the header is judged.
    """
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        try:
            start = file.read(540)
            if not is_nifti(start):
                raise MediumError(
                    "not_a_volume",
                    "This compressed file holds no NIfTI volume.",
                    "Choose a .nii.gz file.",
                )
            return start + file.read(_end_of_voxels(_header(start)) - len(start))
        except (OSError, EOFError, zlib.error) as error:
            raise damaged("NIfTI file") from error


def open_nifti(data: bytes) -> Stack:
    """The volume of an uncompressed file's bytes. Raises MediumError."""
    header = _header(data)
    if len(data) < _end_of_voxels(header):
        raise damaged("NIfTI file")
    _, image_class = _HEADERS[_version(data) or 348]
    try:
        image: Any = image_class.from_bytes(data)
        codes = nib.aff2axcodes(image.affine)
        unit = _MM.get(header.get_xyzt_units()[0], 1.0)
    except Exception as error:
        raise damaged("NIfTI file") from error
    colours = _has_colours(header)
    i, j, k = check_shape(_sides(header))
    zooms = [float(z) if np.isfinite(z) and z > 0 else 1.0 for z in header.get_zooms()[:3]]
    x, y, z = (zoom * unit for zoom in zooms)
    return Stack(
        shape=(k, j, i),
        slices=_slices(image.dataobj, k, colours),
        spacing=(z, y, x),
        window=(0.0, 255.0) if colours else None,
        patient=None if None in codes else (codes[2], codes[1], codes[0]),
    )


def to_nifti(volume: Volume) -> bytes:
    """A .nii.gz in the units of the volume's window, its axes growing as `read` turns them;
    colours as RGB24."""
    low, high = volume.window
    d, h, w = volume.spacing
    affine = np.diag([-w, -h, -d, 1.0])
    xyzc = volume.values.transpose(3, 2, 1, 0)
    if xyzc.shape[-1] == 3:
        rgb = np.ascontiguousarray((xyzc * 255).round().astype(np.uint8))
        voxels = rgb.view([("R", "u1"), ("G", "u1"), ("B", "u1")])[..., 0]
    else:
        voxels = np.asarray(low + (high - low) * xyzc[..., 0], np.float32)
    image: Any = nib.Nifti1Image(voxels, affine)
    image.header.set_xyzt_units("mm")
    return gzip.compress(image.to_bytes(), compresslevel=6, mtime=0)


def _version(start: bytes) -> int | None:
    """348 or 540, the size of the header, of a single-file NIfTI; else None."""
    for size, magic_at, magic in ((348, 344, b"n+1"), (540, 4, b"n+2")):
        told = {int.from_bytes(start[:4], "little"), int.from_bytes(start[:4], "big")}
        if size in told and start[magic_at : magic_at + 3] == magic:
            return size
    return None


def _header(start: bytes) -> Any:
    """The header alone, judged. Raises MediumError."""
    size = _version(start) or 348
    try:
        header: Any = _HEADERS[size][0](start[:size])
        dtype, sides = header.get_data_dtype(), _sides(header)
        offset = int(header.get_data_offset())
    except Exception as error:
        raise damaged("NIfTI file") from error
    if not 0 <= offset <= size + _MOST_EXTRA:
        raise damaged("NIfTI file")
    check_shape(sides)
    if not _has_colours(header):
        check_dtype(dtype)
    check_bytes(_bytes_of_voxels(header))
    return header


def _sides(header: Any) -> tuple[int, ...]:
    """The sides without needless axes after the third."""
    shape = tuple(int(n) for n in header.get_data_shape())
    return shape[:3] if all(n == 1 for n in shape[3:]) else shape


def _has_colours(header: Any) -> bool:
    return bool(header.get_data_dtype().names == ("R", "G", "B"))


def _bytes_of_voxels(header: Any) -> int:
    shape = [int(n) for n in header.get_data_shape()]
    return int(np.prod(shape, dtype=object)) * int(header.get_data_dtype().itemsize)


def _end_of_voxels(header: Any) -> int:
    offset = int(header.get_data_offset()) or header.single_vox_offset
    return min(int(offset) + _bytes_of_voxels(header), MOST_BYTES + 2 * _MOST_EXTRA)


def _slices(voxels: Any, count: int, colours: bool) -> Iterator[Array]:
    """(H, W) or (H, W, 3) for each k, scaled as the file says."""
    rest = (0,) * (len(voxels.shape) - 3)
    for k in range(count):
        plane = np.asarray(voxels[(slice(None), slice(None), k, *rest)])
        if colours:
            plane = np.stack([plane[c] for c in "RGB"], -1)
        yield plane.swapaxes(0, 1)
