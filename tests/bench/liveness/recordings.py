"""A site's own sessions, recorded on the page Liveness and judged again.

A recording is a ZIP file: recording.json, and the frames as the browser sent them. It comes from
somebody's disk, so it is read with limits and never unpacked.
"""

from __future__ import annotations

import io
import json
import lzma
import math
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facerec.core.liveness.challenge import Challenge
from facerec.core.liveness.types import Frame

FORMAT = 1
MANIFEST = "recording.json"
MAX_FILES = 1500  # 60 s at 15 frames a second, and then some
MAX_MANIFEST = 1_000_000  # bytes
MAX_FRAME = 500_000  # bytes
MAX_PIXELS = 640 * 480
MAX_STEPS = 12

_LABEL = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FRAME = re.compile(r"[0-9]{1,6}\.jpg")
_UNREADABLE = (  # damaged, encrypted, or packed in a way that Python does not know
    OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error, lzma.LZMAError,
)  # fmt: skip


class RecordingError(ValueError):
    """A file that is no recording; its text is a sentence for whoever runs the bench."""


@dataclass(frozen=True, slots=True)
class Times:
    """When a frame was taken, by the browser's clock, and arrived and was judged, by the
    server's: seconds."""

    file: str
    taken: float
    arrived: float
    judged: float


@dataclass(frozen=True, slots=True)
class Recording:
    """species: what was presented, as whoever recorded it says."""

    path: Path
    species: str
    person: str
    scene: str
    challenge: Challenge
    times: tuple[Times, ...]

    @classmethod
    def open(cls, path: Path) -> Self:
        """Raises RecordingError."""
        with _archive(path) as archive:
            told = _manifest(archive)
            names = set(archive.namelist())
        _require(told.get("format") == FORMAT, f"its format is not {FORMAT}")
        _require(told.get("consent") is True, "it does not say that the person consented")
        species = told.get("species")
        _require(
            isinstance(species, str) and _LABEL.fullmatch(species) is not None,
            "its species is not a word of small letters, digits and underscores",
        )
        times = tuple(map(_times, _list(told, "frames", MAX_FILES)))
        _require(bool(times), "it has no frames")
        missing = next((it.file for it in times if it.file not in names), None)
        _require(missing is None, f"{missing} is missing")
        person, scene = (str(told.get(name, ""))[:80] for name in ("person", "scene"))
        return cls(path, species, person, scene, _challenge(told), times)

    def frames(self) -> Iterator[Frame]:
        """Raises RecordingError where a picture cannot be read."""
        with _archive(self.path) as archive:
            for it in self.times:
                image = _picture(_read(archive, it.file, MAX_FRAME), it.file)
                yield Frame(image, it.taken, it.arrived, it.judged)


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise RecordingError("it is not a ZIP file") from error
    if len(archive.infolist()) > MAX_FILES + 1:
        archive.close()
        raise RecordingError(f"it holds more than {MAX_FILES} files")
    return archive


def _read(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    try:
        with archive.open(name) as file:
            data = file.read(limit + 1)  # not more than that, whatever the header claims
    except KeyError as error:
        raise RecordingError(f"{name} is missing") from error
    except _UNREADABLE as error:
        raise RecordingError(f"{name} cannot be read") from error
    _require(len(data) <= limit, f"{name} is larger than {limit // 1000} kB")
    return data


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        told = json.loads(_read(archive, MANIFEST, MAX_MANIFEST))
    except (ValueError, RecursionError) as error:
        if isinstance(error, RecordingError):
            raise
        raise RecordingError(f"{MANIFEST} is not JSON") from error
    _require(isinstance(told, dict), f"{MANIFEST} is not an object")
    return told


def _challenge(told: dict[str, Any]) -> Challenge:
    try:
        challenge = Challenge.from_json(_list(told, "steps", MAX_STEPS))
    except (KeyError, TypeError, ValueError) as error:
        raise RecordingError("its steps are not those of a challenge") from error
    _require(bool(challenge.steps), "it has no steps")
    _require(
        all(math.isfinite(step.hold) and 0 <= step.hold <= 10 for step in challenge.steps),
        "its steps are not those of a challenge",
    )
    return challenge


def _times(told: Any) -> Times:
    try:
        file, *seconds = told["file"], *(float(told[k]) for k in ("taken", "arrived", "judged"))
    except (KeyError, TypeError, ValueError) as error:
        raise RecordingError("a frame lacks its file or one of its times") from error
    _require(
        isinstance(file, str) and _FRAME.fullmatch(file) is not None,
        "a frame's file is not a number with .jpg",
    )
    _require(all(map(math.isfinite, seconds)), "a frame's time is not a number")
    return Times(file, *seconds)


def _list(told: dict[str, Any], name: str, limit: int) -> list[Any]:
    value = told.get(name)
    _require(isinstance(value, list) and len(value) <= limit, f"its {name} are not a short list")
    return value  # type: ignore[return-value]


def _picture(data: bytes, name: str) -> NDArray[np.uint8]:
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as picture:
            _require(picture.width * picture.height <= MAX_PIXELS, f"{name} is too large")
            return np.array(picture.convert("RGB"))
    except RecordingError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise RecordingError(f"{name} is not a JPEG that can be read") from error


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise RecordingError(otherwise)
