"""The pictures of an archive or a folder, wherever in it they lie, read one at a time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from django.conf import settings
from PIL import Image

from webapp.archives.sources import FileSource, refused
from webapp.errors import UserFacingError
from webapp.uploads import decode_picture

PICTURE_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".png", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff", ".mpo")
)


def pictures_among(names: Iterable[str], *, most: int) -> list[str]:
    """The names of pictures, sorted.

    Raises:
        UserFacingError: `no_photos`, `too_many_photos`.
    """
    found = sorted(n for n in names if PurePosixPath(n).suffix.lower() in PICTURE_SUFFIXES)
    if not found:
        raise refused(
            "no_photos", "There is no picture in it.", "Pack JPEG, PNG or WebP files as a ZIP."
        )
    if len(found) > most:
        raise refused(
            "too_many_photos",
            f"These are {len(found):,} pictures; at most {most:,} are taken at once.",
            "Send fewer.",
            413,
        )
    return found


def read_picture_of(source: FileSource, name: str, *, max_side: int) -> Image.Image:
    """The upright RGB picture, at most `max_side` pixels on its longer side.

    Raises:
        UserFacingError: as `webapp.uploads.decode_picture`, or `file_too_large`, `empty_file`,
            `file_unreadable`.
    """
    limit = settings.MAX_UPLOAD_MB * 1024**2
    data = source.read(name, limit)
    if len(data) > limit:
        raise UserFacingError(
            "file_too_large",
            f"This file has more than {settings.MAX_UPLOAD_MB} MB.",
            "Save it smaller or as JPEG, then try again.",
            status=413,
        )
    if not data:
        raise UserFacingError(
            "empty_file", "This file is empty.", "Choose another picture.", status=422
        )
    return decode_picture(data, field="", max_side=max_side)
