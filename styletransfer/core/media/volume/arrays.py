"""NumPy's .npy and .npz, without pickles (numpy.lib.format)."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib import format as npy

from styletransfer.core.media.types import MediumError
from styletransfer.core.media.volume.stack import (
    Array,
    Stack,
    check_bytes,
    check_dtype,
    check_shape,
    damaged,
)
from styletransfer.core.media.volume.zips import members

NPY = b"\x93NUMPY"
_MOST_HEADER = 64 * 1024


def open_npy(data: bytes) -> Stack:
    """(D, H, W), or (D, H, W, 3) for colours; axes of length 1 are left out. Raises MediumError."""
    stream = io.BytesIO(data)
    shape, fortran, dtype = _header(stream)
    sides, colours = _sides(shape)
    check_shape(sides)
    check_dtype(dtype)
    count = int(np.prod(shape, dtype=object))
    check_bytes(count * dtype.itemsize)
    if len(data) - stream.tell() < count * dtype.itemsize:
        raise damaged("NumPy file")
    flat = np.frombuffer(data, dtype, count, stream.tell())
    array: Array = flat.reshape(shape, order="F" if fortran else "C")
    array = array.reshape((*sides, 3) if colours else sides)
    window = (0.0, 255.0) if colours and dtype == np.uint8 else None
    return Stack(check_shape(sides), iter(array), window=window)


def open_npz(data: bytes) -> Stack:
    """The one array of an .npz. Raises MediumError, among others `not_one_array`."""
    archive, infos = members(data)
    if len(infos) != 1:
        raise MediumError(
            "not_one_array",
            f"This file holds {len(infos)} arrays, not one.",
            "Save the one that you mean with numpy.save.",
        )
    check_bytes(infos[0].file_size - _MOST_HEADER)
    try:
        with archive.open(infos[0]) as file:
            held = file.read(infos[0].file_size)
    except Exception as error:  # each way of compressing has its own
        raise damaged("NumPy file") from error
    return open_npy(held)


def to_npy(array: Array) -> bytes:
    """A .npy of it."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _header(stream: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    readers: dict[tuple[int, int], Callable[[io.BytesIO], Any]] = {
        (1, 0): npy.read_array_header_1_0,
        (2, 0): npy.read_array_header_2_0,
    }
    try:
        shape, fortran, dtype = readers[npy.read_magic(stream)](stream)
    except Exception as error:  # the header is a Python literal, and may fail as one
        raise damaged("NumPy file") from error
    return shape, fortran, dtype


def _sides(shape: tuple[int, ...]) -> tuple[tuple[int, ...], bool]:
    """The spatial sides, and whether a last axis holds colours."""
    colours = len(shape) == 4 and shape[-1] == 3 and 1 not in shape
    sides = list(shape[:-1] if colours else shape)
    while len(sides) > 3 and 1 in sides:
        sides.remove(1)
    return tuple(sides), colours
