"""Numbers in files as safetensors: named arrays and a few words about them. They hold no code, so
that a file from elsewhere can do no more than be wrong.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from facerec.core.errors import WeightsCorrupt, WeightsNotFound

Arrays = dict[str, NDArray[Any]]


def write_tensors(path: Path, arrays: Arrays, *, format: str, **about: str) -> str:
    """Writes the file, whole or not at all, and gives back its SHA-256. format: what kind of file
    it is, with a version; about: anything else that is to be known."""
    contiguous = {name: np.array(values, order="C") for name, values in arrays.items()}
    content = save(contiguous, metadata={"format": format, **about})
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)
    return hashlib.sha256(content).hexdigest()


def read_tensors(
    path: Path, *, format: str, sha256: str | None = None
) -> tuple[Arrays, dict[str, str]]:
    """(arrays, about) of a file of this format, which has the given SHA-256 if one is given.

    Raises WeightsNotFound, WeightsCorrupt.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsNotFound(path.name, str(path.parent)) from error
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise WeightsCorrupt(path, "not the file that was saved: its SHA-256 differs")
    try:
        # 8 bytes of length, then JSON.
        size = int.from_bytes(content[:8], "little")
        about = dict(json.loads(content[8 : 8 + size])["__metadata__"])
        if about.pop("format") != format:
            raise ValueError(f"not of the format {format}")
        return dict(load(content)), about
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise WeightsCorrupt(path, f"not {format}: {error!r}") from error
