"""From a photo to encodings: detect, align, measure the quality, encode."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facerec.core import quality
from facerec.core.alignment import AlignedFace, FivePointAligner
from facerec.core.detector import Detection, HogDetector
from facerec.core.dlib_weights import find_model_file
from facerec.core.encoder import Encoder
from facerec.core.errors import FaceRefused
from facerec.core.quality import Use
from facerec.core.types import EncodedFace, Encoding, Quality, Reason
from facerec.core.versions import ENCODER_WEIGHTS, LANDMARK_WEIGHTS

BACKGROUND_WIDTH = 0.5
"""Beside a face at least twice as wide, another is taken for a bystander in the background."""


class Detector(Protocol):
    def detect(self, image: Image.Image) -> list[Detection]: ...

    def look(
        self, pixels: NDArray[np.uint8], scale: float = 1.0, limit: float = 0.0
    ) -> list[Detection]: ...


class Aligner(Protocol):
    version: str

    def align(self, image: NDArray[np.uint8], detection: Detection) -> AlignedFace: ...


class ChipEncoder(Protocol):
    version: str

    def encode_symmetric(self, chips: NDArray[np.uint8]) -> Encoding: ...


class FacePipeline:
    """The whole way from an RGB photo to encodings. Safe to share between threads if its parts
    are, as the ones that `build` makes."""

    def __init__(self, detector: Detector, aligner: Aligner, encoder: ChipEncoder) -> None:
        self.detector = detector
        self.aligner = aligner
        self._encoder = encoder
        self.encoder_version = encoder.version
        self.aligner_version = aligner.version

    @classmethod
    def build(cls, device: str = "cpu", weights_folder: Path | None = None) -> Self:
        """The shipped detector, aligner and encoder.

        weights_folder: where the two .dat files lie, by default in `face_recognition_models`.
        Raises WeightsNotFound, WeightsCorrupt.
        """
        return cls(
            HogDetector(),
            FivePointAligner(find_model_file(LANDMARK_WEIGHTS, weights_folder)),
            Encoder(device, find_model_file(ENCODER_WEIGHTS, weights_folder)),
        )

    def with_encoder(self, encoder: ChipEncoder) -> Self:
        """The same detector and aligner before another encoder."""
        return type(self)(self.detector, self.aligner, encoder)

    def analyse(self, image: Image.Image) -> list[EncodedFace]:
        """Every face of an upright photo, the largest first; an empty list where there is none.
        A face that is not fit to be decided on says so in its `refusal`."""
        image = image.convert("RGB")
        faces = self._aligned(image, self.detector.detect(image))
        encodings = self.encode(np.stack([f.chip for f in faces])) if faces else ()
        return [
            self._encoded(face, measured, encoding, quality.refusal(measured))
            for face, measured, encoding in zip(faces, _measure(faces), encodings, strict=True)
        ]

    def one_face(self, image: Image.Image, use: Use = Use.PROBE) -> EncodedFace:
        """The face of a photo that shows one person, whoever may pass in the background.

        Raises FaceRefused with NO_FACE; SEVERAL_FACES, where a second face is more than half as
        wide as the largest; what `quality.MEASURES` refuses for this use: in this order.
        """
        face, measured = self.one_aligned(image, use)
        [encoding] = self.encode(face.chip[None])
        return self._encoded(face, measured, encoding)

    def one_aligned(self, image: Image.Image, use: Use = Use.PROBE) -> tuple[AlignedFace, Quality]:
        """`one_face` before the encoder, so that the chips of many photos can share its passes."""
        image = image.convert("RGB")
        detections = self.detector.detect(image)
        if not detections:
            raise FaceRefused(Reason.NO_FACE)
        largest, *others = detections
        if any(other.box.w > BACKGROUND_WIDTH * largest.box.w for other in others):
            raise FaceRefused(Reason.SEVERAL_FACES)
        [face] = self._aligned(image, [largest])
        [measured] = _measure([face])
        if (reason := quality.refusal(measured, use)) is not None:
            raise FaceRefused(reason)
        return face, measured

    def encode(self, chips: NDArray[np.uint8]) -> Encoding:
        """Aligned faces, uint8 RGB (N, 150, 150, 3) -> the encodings that are stored, (N, 128)."""
        return self._encoder.encode_symmetric(chips)

    def _encoded(
        self,
        face: AlignedFace,
        measured: Quality,
        encoding: Encoding,
        refusal: Reason | None = None,
    ) -> EncodedFace:
        made = (encoding, self.encoder_version, face.chip)
        return EncodedFace(face.face, measured, *made, refusal=refusal)

    def _aligned(self, image: Image.Image, detections: Sequence[Detection]) -> list[AlignedFace]:
        pixels = np.asarray(image)
        return [self.aligner.align(pixels, detection) for detection in detections]


def _measure(faces: Sequence[AlignedFace]) -> list[Quality]:
    return [quality.measure(face.face, face.chip) for face in faces]
