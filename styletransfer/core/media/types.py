"""The media as arrays, and their way to a file of ours and back. Numpy alone."""

from __future__ import annotations

import dataclasses
import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
"""(H, W, 3) RGB."""


class MediumError(Exception):
    """A file cannot be used. `code` is for programs, `message` says what is wrong in a sentence,
    `hint` what to do."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


@dataclass(frozen=True, eq=False)
class Sound:
    """samples: (1, T) float32 in [-1, 1], one channel. rate: Hz."""

    samples: Floats
    rate: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return float(self.samples.shape[-1] / self.rate)


@dataclass(frozen=True, eq=False)
class Signal:
    """values: (C, T) float32 in the units of the file. rate: Hz. names, units: one a channel."""

    values: Floats
    rate: float
    names: tuple[str, ...]
    units: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """How long it is."""
        return float(self.values.shape[-1] / self.rate)


@dataclass(frozen=True, eq=False)
class Volume:
    """values: (C, D, H, W) float32 in [0, 1], C is 1 (intensities) or 3 (RGB). spacing: mm from
    voxel to voxel along D, H, W. window: what 0 and 1 were in the file."""

    values: Floats
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    window: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Clip:
    """frames: (T, H, W, 3) uint8 RGB. fps: frames a second. note: what was left out of the file
    when it was read, a sentence, or nothing."""

    frames: Pixels
    fps: float
    note: str = ""


Medium = Sound | Signal | Volume | Clip
NAMES: dict[type, str] = {Sound: "sound", Signal: "signal", Volume: "volume", Clip: "clip"}
_CLASSES: dict[str, type[Any]] = {name: kind for kind, name in NAMES.items()}


def pack(medium: Medium) -> bytes:
    """The medium as one file (npz without pickles); `unpack` reads it."""
    facts: dict[str, Any] = {"medium": NAMES[type(medium)]}
    arrays: dict[str, Any] = {}
    for field in dataclasses.fields(medium):
        value = getattr(medium, field.name)
        (arrays if isinstance(value, np.ndarray) else facts)[field.name] = value
    buffer = io.BytesIO()
    np.savez(buffer, facts=np.frombuffer(json.dumps(facts).encode(), np.uint8), **arrays)
    return buffer.getvalue()


def unpack(data: bytes) -> Medium:
    """What `pack` packed. Raises ValueError for anything else."""
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        arrays = dict(file)
    facts = json.loads(arrays.pop("facts").tobytes())
    kind = _CLASSES[facts.pop("medium")]
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in facts.items()}
    medium: Medium = kind(**given, **arrays)
    return medium
