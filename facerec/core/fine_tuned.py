"""The last blocks of the encoder as a training run left them: a backbone of its own version."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from facerec.core.errors import WeightsCorrupt
from facerec.core.tensor_file import Arrays, read_tensors, write_tensors
from facerec.core.versions import BACKBONE_VERSION

_FORMAT = "likeness-blocks-1"


@dataclass(frozen=True, slots=True, eq=False)
class FineTunedBlocks:
    """version: the backbone's, which its templates carry. arrays: the changed tensors of
    `encoder.FaceNet`, by their names; all others are the published ones."""

    version: str
    arrays: Arrays

    def save(self, path: Path) -> str:
        """Writes the file and gives back its SHA-256."""
        return write_tensors(
            path, self.arrays, format=_FORMAT, version=self.version, over=BACKBONE_VERSION
        )

    @classmethod
    def load(cls, path: Path, sha256: str | None = None) -> Self:
        """The blocks in a file, which has the given SHA-256 if one is given.

        Raises WeightsNotFound; WeightsCorrupt, also where they belong over another backbone.
        """
        arrays, about = read_tensors(path, format=_FORMAT, sha256=sha256)
        if about.get("over") != BACKBONE_VERSION or not about.get("version"):
            raise WeightsCorrupt(path, f"not blocks over {BACKBONE_VERSION}")
        return cls(about["version"], arrays)
