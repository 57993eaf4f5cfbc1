"""Fetching a weights file once, verified."""

from __future__ import annotations

import hashlib
import os
import re
import urllib.request
from collections.abc import Callable
from pathlib import Path

from styletransfer.core.errors import WeightsError

Progress = Callable[[int, int], None]
"""Called with (bytes done, bytes in all); the latter is 0 where the server does not say."""

_CHUNK = 1 << 20
_TIMEOUT_S = 30


def fetch(url: str, folder: Path, on_progress: Progress | None = None) -> Path:
    """The file behind url, from the folder where it lies there already, else downloaded into it.

    As torch.hub has it, the file's name ends in the first digits of its SHA-256
    (`name-0123abcd.pth`), and a file is only taken where they match. A broken download leaves
    nothing that could be taken for the file. Raises WeightsError.
    """
    path = folder / url.rpartition("/")[2]
    expected = re.search(r"-([0-9a-f]{8,64})\.", path.name)
    if expected is None:
        raise WeightsError(f"{path.name} carries no checksum in its name")
    if path.exists() and sha256_of(path).startswith(expected[1]):
        return path
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        digest = _download(url, part, on_progress)
        if not digest.startswith(expected[1]):
            raise WeightsError(f"the download of {path.name} is damaged: its checksum differs")
        part.replace(path)
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"{path.name} could not be downloaded; put it into {folder} by hand, or try again"
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _download(url: str, part: Path, on_progress: Progress | None) -> str:
    digest, done = hashlib.sha256(), 0
    with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as reply, part.open("wb") as file:  # noqa: S310
        total = int(reply.headers.get("Content-Length") or 0)
        while chunk := reply.read(_CHUNK):
            file.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            if on_progress:
                on_progress(done, total)
    if total and done != total:
        raise OSError(f"{done} of {total} bytes")
    return digest.hexdigest()


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
