"""Many photos that say whom they show, turned into encodings a few at a time.

Free of torch and dlib until `encode_set` is given a pipeline.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facerec.core.errors import FaceRefused
from facerec.core.quality import Use
from facerec.core.types import DetectedFace, EncodedFace, Encoding, Quality, Reason

if TYPE_CHECKING:
    from facerec.core.pipeline import FacePipeline

BATCH = 8
"""Photos that share a pass of the encoder. On a CPU more gain nothing, and a caller who reports
progress or wants to stop waits for one batch."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a photo was not used: a code for programs, a sentence for people."""

    code: str
    sentence: str

    @classmethod
    def of(cls, reason: Reason) -> Refusal:
        return cls(reason.value, reason.sentence)


class Picture(NamedTuple):
    """A photo of somebody: upright RGB, or why it could not be read."""

    person: str
    name: str
    image: Image.Image | Refusal


@dataclass(frozen=True, slots=True, eq=False)
class EncodedPhoto:
    """What became of one photo: either `refusal`, or all of the others: encoding (128,) as it is
    stored and the backbone that made it, chip uint8 RGB (150, 150, 3), quality and where the face
    is."""

    person: str
    name: str
    encoding: Encoding | None = None
    chip: NDArray[np.uint8] | None = None
    quality: Quality | None = None
    detected: DetectedFace | None = None
    encoder_version: str = ""
    refusal: Refusal | None = None

    @property
    def face(self) -> EncodedFace:
        """The face of a photo that was not refused."""
        if (
            self.encoding is None
            or self.quality is None
            or self.detected is None
            or self.chip is None
        ):
            raise ValueError(f"{self.name} was refused and has no face")
        made = (self.encoding, self.encoder_version, self.chip)
        return EncodedFace(self.detected, self.quality, *made)


def encode_set(
    pipeline: FacePipeline,
    pictures: Iterable[Picture],
    *,
    use: Use = Use.PROBE,
    batch: int = BATCH,
    threads: int = 1,
) -> Iterator[EncodedPhoto]:
    """One result a photo, in their order; each photo must show one person (see `one_face`).

    Photos are read, and their chips encoded, `batch` at a time: whoever stops iterating loses the
    work of one batch at most.

    Args:
        use: what for, and so how good a face has to be.
        threads: faces are looked for on so many photos at once; that takes nine tenths of the time.
    """
    waiting = iter(pictures)
    made_by = pipeline.encoder_version
    with ThreadPoolExecutor(threads) as pool:
        while group := list(islice(waiting, batch)):
            found = list(pool.map(lambda picture: _align(pipeline, picture, use), group))
            chips = [photo.chip for photo in found if photo.chip is not None]
            encodings = iter(pipeline.encode(np.stack(chips)) if chips else ())
            for photo in found:
                yield (
                    replace(photo, encoding=next(encodings), encoder_version=made_by)
                    if photo.chip is not None
                    else photo
                )


def _align(pipeline: FacePipeline, picture: Picture, use: Use) -> EncodedPhoto:
    person, name, image = picture
    if isinstance(image, Refusal):
        return EncodedPhoto(person, name, refusal=image)
    try:
        face, quality = pipeline.one_aligned(image, use)
    except FaceRefused as refused:
        return EncodedPhoto(person, name, refusal=Refusal.of(refused.reason))
    return EncodedPhoto(person, name, chip=face.chip, quality=quality, detected=face.face)
