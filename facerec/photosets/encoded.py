"""A labelled set's encodings on disk, while a run needs them: so that a killed worker goes on
where it was instead of looking at every photo again.

People are numbers here, no names. The folder goes with the run (`facerec.services.training`).
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from facerec.core.labelled import EncodedPhoto
from facerec.core.types import ENCODING_SIZE, Encoding

_CHIP_SHAPE = (150, 150, 3)
_ENCODING_BYTES = 4 * ENCODING_SIZE
_PERSON_BYTES = 4
_CHIP_BYTES = 150 * 150 * 3


class EncodedPhotos:
    """Photos in the order of their set. `flush` makes what was added so far survive; what a killed
    worker wrote beyond is cut off at the next opening."""

    def __init__(self, folder: Path, *, with_chips: bool, made_by: str) -> None:
        """made_by: what encodes (backbone and aligner); what something else encoded is dropped."""
        self._folder, self._with_chips = folder, with_chips
        self._parts = {"encodings": _ENCODING_BYTES, "people": _PERSON_BYTES}
        if with_chips:
            self._parts["chips"] = _CHIP_BYTES
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        about = self._read_about()
        if about.get("made_by") != made_by or about.get("with_chips") != with_chips:
            about = {"made_by": made_by, "with_chips": with_chips}
        self._made_by = made_by
        self.seen: int = about.get("seen", 0)  # photos, the refused ones too
        self.used: int = about.get("used", 0)
        self.refused: Counter[str] = Counter(about.get("refused", {}))
        self._files = {name: self._open(name, size) for name, size in self._parts.items()}

    def add(self, photo: EncodedPhoto, person: int) -> None:
        """The next photo of the set; person: their number."""
        self.seen += 1
        if photo.refusal is not None or photo.encoding is None or photo.chip is None:
            self.refused[photo.refusal.code if photo.refusal else "unreadable"] += 1
            return
        self.used += 1
        self._files["encodings"].write(photo.encoding.astype("<f4").tobytes())
        self._files["people"].write(np.int32(person).astype("<i4").tobytes())
        if self._with_chips:
            self._files["chips"].write(np.ascontiguousarray(photo.chip).tobytes())

    def flush(self) -> None:
        for file in self._files.values():
            file.flush()
        about = {
            "made_by": self._made_by,
            "with_chips": self._with_chips,
            "seen": self.seen,
            "used": self.used,
            "refused": dict(self.refused),
        }
        partial = self._folder / "about.partial"
        partial.write_text(json.dumps(about))
        partial.replace(self._folder / "about.json")

    def encodings(self) -> Encoding:
        """(N, 128), N photos used."""
        return self._read("encodings", "<f4").astype(np.float32).reshape(-1, ENCODING_SIZE)

    def people(self) -> NDArray[np.int32]:
        """(N,), each photo's person."""
        return self._read("people", "<i4").astype(np.int32)

    def chips(self) -> NDArray[np.uint8]:
        """uint8 RGB (N, 150, 150, 3), mapped from the disk and not held in memory."""
        if not self.used:
            return np.empty((0, *_CHIP_SHAPE), np.uint8)
        path, shape = self._folder / "chips", (self.used, *_CHIP_SHAPE)
        return cast(NDArray[np.uint8], np.memmap(path, np.uint8, mode="r", shape=shape))

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    def _read(self, name: str, kind: str) -> NDArray[Any]:
        self.flush()
        return np.frombuffer((self._folder / name).read_bytes(), kind)

    def _open(self, name: str, size: int) -> Any:
        file = (self._folder / name).open("ab")
        file.truncate(self.used * size)
        return file

    def _read_about(self) -> dict[str, Any]:
        try:
            about = json.loads((self._folder / "about.json").read_text())
        except (OSError, ValueError):
            return {}
        return about if isinstance(about, dict) else {}


def discard(folder: Path) -> None:
    """Whatever a run kept, gone; no error where there is nothing."""
    shutil.rmtree(folder, ignore_errors=True)
