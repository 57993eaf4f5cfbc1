"""ZIP archives in memory, judged by their directory before anything is unpacked."""

from __future__ import annotations

import io
import zipfile
from typing import Final

from styletransfer.core.media.types import MediumError
from styletransfer.core.media.volume.stack import damaged

ZIP: Final = b"PK"
_MOST_DIRECTORY = 1024**2
"""Bytes of the list of files; 2,000 files have about 200 kB."""


def members(data: bytes) -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
    """The archive and its files, without folders and what systems leave there.

    Raises MediumError `volume_damaged`, `too_many_files`, `zip_encrypted`.
    """
    _check_directory(data)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise damaged("ZIP") from error
    infos = [info for info in archive.infolist() if not _is_litter(info)]
    if any(info.flag_bits & 0x1 for info in infos):
        raise MediumError(
            "zip_encrypted", "This ZIP has a password.", "Make one without a password."
        )
    return archive, infos


def _check_directory(data: bytes) -> None:
    """zipfile makes an object for each entry: a long directory is refused before."""
    at = data.rfind(b"PK\x05\x06", max(0, len(data) - 22 - 65_535))
    if at < 0 or len(data) < at + 22:
        raise damaged("ZIP")
    zip64 = data[max(0, at - 20) : at].startswith(b"PK\x06\x07")
    if zip64 or int.from_bytes(data[at + 12 : at + 16], "little") > _MOST_DIRECTORY:
        raise MediumError(
            "too_many_files", "This ZIP holds too many files.", "A stack has at most 512 pictures."
        )


def _is_litter(info: zipfile.ZipInfo) -> bool:
    name = info.filename
    last = name.rsplit("/", 1)[-1]
    return info.is_dir() or "__MACOSX/" in name or last.startswith(".") or last == "Thumbs.db"
