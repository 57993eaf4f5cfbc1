"""Where many pictures are read from: a folder, or a ZIP archive that was found harmless.

Nothing of an archive is unpacked to a disk, so a path that points out of it could harm nobody; it
is refused all the same, since an honest program writes none. What the directory promises is checked
before the first file is read, and no file gives more than its promise.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Protocol

from webapp.errors import UserFacingError

MAX_DIRECTORY_BYTES = 32 * 1024**2  # of an archive: about 200,000 entries
MAX_UNPACKED_BYTES = 64 * 1024**3
MAX_RATIO = 100  # a photo is compressed already; only made-up data shrinks more
RATIO_FREE_BYTES = 1024**2  # below this a ratio harms nobody (a flat little BMP)
PIECE = 1024**2

BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,
    OverflowError,
    ValueError,
)


class FileSource(Protocol):
    """Files by name: relative paths with `/`."""

    def names(self) -> list[str]:
        """Every file but hidden ones and links, in no order."""

    def read(self, name: str, limit: int) -> bytes:
        """The file, or its first `limit` + 1 bytes where it is longer.

        Raises:
            UserFacingError: `file_unreadable`.
        """

    def close(self) -> None: ...


class Folder:
    """A folder on this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self) -> list[str]:
        found = []
        for folder, subfolders, files in os.walk(self._root):
            subfolders[:] = [name for name in subfolders if not name.startswith(".")]
            found += [Path(folder, name) for name in files if not name.startswith(".")]
        return [path.relative_to(self._root).as_posix() for path in found if not path.is_symlink()]

    def read(self, name: str, limit: int) -> bytes:
        try:
            with (self._root / name).open("rb") as file:
                return file.read(limit + 1)
        except OSError as error:
            raise _unreadable() from error

    def close(self) -> None:
        """Nothing is open."""


class _BoundedFile(BufferedReader):
    """Refuses to be read in one piece larger than an archive's directory may be: so is a directory
    that would fill the memory refused before it is parsed."""

    def read(self, size: int | None = -1, /) -> bytes:
        whole = size is None or size < 0  # as zipfile reads the last 64 kB
        data = super().read(MAX_DIRECTORY_BYTES + 1 if whole or size is None else size)
        if len(data) > MAX_DIRECTORY_BYTES:
            raise _too_large()
        return data


class Archive:
    """A ZIP archive, its files stored or deflated."""

    def __init__(self, path: Path) -> None:
        self._file = _BoundedFile(FileIO(str(path)))
        try:
            self._zip = zipfile.ZipFile(self._file)
            self._members = {_name_of(member): member for member in self._wanted()}
        except BROKEN as error:
            self._file.close()
            raise refused(
                "not_an_archive",
                "This file is not a ZIP archive, or it is cut off.",
                "Pack the pictures as a ZIP and send that.",
                415,
            ) from error
        except BaseException:
            self._file.close()
            raise

    def names(self) -> list[str]:
        return list(self._members)

    def read(self, name: str, limit: int) -> bytes:
        try:
            with self._zip.open(self._members[name]) as member:
                data = bytearray()
                while len(data) <= limit and (piece := member.read(PIECE)):
                    data += piece
                return bytes(data[: limit + 1])
        except BROKEN as error:
            raise _unreadable() from error

    def close(self) -> None:
        self._zip.close()
        self._file.close()

    def _wanted(self) -> Iterator[zipfile.ZipInfo]:
        """Files worth a look. Raises UserFacingError for what an honest archive does not have."""
        unpacked, seen = 0, set()
        for member in self._zip.infolist():
            name = _name_of(member)
            parts = name.split("/")
            _check_path(name, parts)
            if member.is_dir() or stat.S_ISLNK(member.external_attr >> 16):
                continue
            if parts[0] == "__MACOSX" or any(part.startswith(".") for part in parts):
                continue
            if member.flag_bits & 0x1:
                raise refused(
                    "archive_encrypted",
                    "This archive is locked with a password.",
                    "Pack it again without one.",
                )
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise refused(
                    "archive_unsupported",
                    "This archive uses a compression that is not taken.",
                    "Pack it again as an ordinary ZIP (deflate).",
                )
            packed = max(1, member.compress_size)
            if member.file_size > max(RATIO_FREE_BYTES, MAX_RATIO * packed):
                times = member.file_size // packed
                raise _unsafe(f"“{name}” would unpack to {times:,} times its size")
            unpacked += member.file_size
            if unpacked > MAX_UNPACKED_BYTES:
                raise _too_large()
            if name in seen:
                raise _unsafe(f"“{name}” is in it twice")
            seen.add(name)
            yield member


def _name_of(member: zipfile.ZipInfo) -> str:
    """Its name; many programs write UTF-8 without saying so, and some a backslash."""
    name = member.filename
    if not member.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("utf-8")
        except (UnicodeEncodeError, UnicodeDecodeError):
            name = member.filename  # it was cp437
    return name.replace("\\", "/")


def _check_path(name: str, parts: list[str]) -> None:
    if ".." in parts or not parts[0] or parts[0].endswith(":"):
        raise _unsafe(f"“{name}” points out of it")


def _unsafe(what: str) -> UserFacingError:
    return refused(
        "archive_unsafe", f"This archive is not taken: {what}.", "Pack the pictures anew."
    )


def _too_large() -> UserFacingError:
    return refused(
        "too_many_photos", "This archive holds too much.", "Send it in several parts.", 413
    )


def _unreadable() -> UserFacingError:
    return UserFacingError(
        "file_unreadable",
        "This file cannot be read: it is damaged or gone.",
        "Send it again.",
        status=422,
    )


def refused(code: str, message: str, hint: str, status: int = 422) -> UserFacingError:
    return UserFacingError(code, message, hint, status=status, field="archive")
