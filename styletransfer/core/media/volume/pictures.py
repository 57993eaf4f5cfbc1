"""Stacks of equally large pictures: a ZIP in name order, or the pages of a TIFF."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import numpy as np
from PIL import Image

from styletransfer.core.media.types import MediumError
from styletransfer.core.media.volume.stack import (
    LONGEST_SIDE,
    SHORTEST_SIDE,
    Array,
    Stack,
    check_bytes,
    check_shape,
    damaged,
)
from styletransfer.core.media.volume.zips import members

TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF")
_GREY = ("1", "L", "I", "I;16", "I;16B", "I;16L", "F")
_MOST_FILE_BYTES = 8 * 1024**2
"""Of one picture of at most 512 × 512, whatever its format."""


def open_zip(data: bytes) -> Stack:
    """Pictures in the order of their names, numbers by their value. Raises MediumError."""
    archive, infos = members(data)
    if not infos:
        raise MediumError("volume_empty", "This ZIP is empty.", "Put the slices into it.")
    _check_count(len(infos), "picture")
    infos.sort(key=lambda info: _natural(info.filename))
    for info in infos:
        if info.file_size > _MOST_FILE_BYTES:
            raise MediumError(
                "volume_too_large",
                f"{info.filename} has {info.file_size / 1024**2:,.0f} MB.",
                f"A slice is at most {LONGEST_SIDE} pixels wide and high.",
            )

    def pictures() -> Iterator[tuple[str, Image.Image]]:
        for info in infos:
            try:
                with archive.open(info) as file:
                    held = file.read(_MOST_FILE_BYTES)
                picture = Image.open(io.BytesIO(held), formats=_FORMATS)
            except Image.DecompressionBombError as error:
                raise _too_wide(info.filename) from error
            except Exception as error:  # whatever a decoder says of hostile bytes
                raise MediumError(
                    "not_a_picture",
                    f"{info.filename} is not a picture that can be read.",
                    "The ZIP should hold the slices alone: PNG, TIFF, JPEG, BMP, WebP or GIF.",
                ) from error
            yield info.filename, picture

    return _stack(pictures(), len(infos))


def open_tiff(data: bytes) -> Stack:
    """The pages of a TIFF. Raises MediumError."""
    try:
        image = Image.open(io.BytesIO(data), formats=("TIFF",))
        count = int(getattr(image, "n_frames", 1))
    except Image.DecompressionBombError as error:
        raise _too_wide("A page") from error
    except Exception as error:
        raise damaged("TIFF") from error
    _check_count(count, "page")

    def pages() -> Iterator[tuple[str, Image.Image]]:
        for k in range(count):
            try:
                image.seek(k)
            except Image.DecompressionBombError as error:
                raise _too_wide(f"Page {k + 1}") from error
            except Exception as error:
                raise damaged("TIFF") from error
            yield f"Page {k + 1}", image

    return _stack(pages(), count)


def _check_count(count: int, what: str) -> None:
    if count < SHORTEST_SIDE:
        raise MediumError(
            "volume_too_small",
            f"There {'is' if count == 1 else 'are'} only {count} {what}{'s' * (count != 1)}.",
            f"A stack needs at least {SHORTEST_SIDE} slices.",
        )
    if count > LONGEST_SIDE:
        raise MediumError(
            "volume_too_large",
            f"There are {count:,} {what}s; at most {LONGEST_SIDE} are taken.",
            "Take every second one, say.",
        )


def _stack(pictures: Iterator[tuple[str, Image.Image]], count: int) -> Stack:
    """As the first picture is, so are all: its size, and whether it has colours."""
    name, first = next(pictures)
    _check_width(name, first)
    width, height = first.size
    shape = check_shape((count, height, width))
    colours = first.mode not in _GREY
    check_bytes(count * height * width * (3 if colours else 4))

    def slices() -> Iterator[Array]:
        yield _decode(name, first, colours)
        for other, picture in pictures:
            if picture.size != (width, height):
                raise MediumError(
                    "unequal_pictures",
                    f"{other} has {picture.size[0]} × {picture.size[1]} pixels, "
                    f"{name} has {width} × {height}.",
                    "All slices must be equally large.",
                )
            yield _decode(other, picture, colours)

    return Stack(shape, slices(), window=(0.0, 255.0) if colours else None)


def _check_width(name: str, picture: Image.Image) -> None:
    if max(picture.size) > LONGEST_SIDE:
        raise _too_wide(name)


def _too_wide(name: str) -> MediumError:
    return MediumError(
        "volume_too_large",
        f"{name} is wider or higher than {LONGEST_SIDE} pixels.",
        f"Cut or scale the slices to at most {LONGEST_SIDE} × {LONGEST_SIDE} pixels.",
    )


def _decode(name: str, picture: Image.Image, colours: bool) -> Array:
    try:
        if colours:
            return np.asarray(picture.convert("RGB"))
        if picture.mode not in _GREY:
            picture = picture.convert("L")
        return np.asarray(picture)
    except Exception as error:
        raise damaged(f"picture ({name})") from error


def _natural(name: str) -> list[tuple[int, str]]:
    """slice2 before slice10."""
    return [(int(p) if p.isdigit() else -1, p.casefold()) for p in re.split(r"(\d+)", name)]
