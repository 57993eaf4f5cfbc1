"""Five landmarks and the aligned chip that the encoder was trained on.

Source: Kazemi and Sullivan 2014 (the landmark regressor); the chip is dlib's `get_face_chip`: a
similarity transform that lays the five landmarks on their mean positions, with 25 % padding.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import dlib
import numpy as np
from numpy.typing import NDArray

from facerec.core.detector import Detection
from facerec.core.dlib_weights import find_model_file, read_verified
from facerec.core.spares import Spares
from facerec.core.types import Box, DetectedFace
from facerec.core.versions import ALIGNER_VERSION, LANDMARK_SHA256, LANDMARK_WEIGHTS

__all__ = ["ALIGNER_VERSION", "CHIP_SIZE", "AlignedFace", "FivePointAligner"]

CHIP_SIZE = 150
CHIP_PADDING = 0.25


class AlignedFace(NamedTuple):
    """A face and its chip, uint8 RGB (150, 150, 3)."""

    face: DetectedFace
    chip: NDArray[np.uint8]


class FivePointAligner:
    """Lays faces upright and to scale. Safe to share between threads."""

    version = ALIGNER_VERSION

    def __init__(self, weights_path: Path | None = None) -> None:
        """weights_path: the .dat file, by default the one in `face_recognition_models`.
        Raises WeightsNotFound, WeightsCorrupt."""
        path = weights_path or find_model_file(LANDMARK_WEIGHTS)
        read_verified(path, LANDMARK_SHA256)
        self._predictors: Spares[Any] = Spares(lambda: dlib.shape_predictor(str(path)))

    def align(self, image: NDArray[np.uint8], detection: Detection) -> AlignedFace:
        """The landmarks and the chip of one detected face.

        image: uint8 RGB (H, W, 3) at full resolution, though the detector saw a smaller one: the
        landmarks cost the same at any size, and a chip shrunk once keeps its detail.
        """
        with self._predictors.one() as predictor:
            shape = predictor(image, _rectangle(detection.box))
        chip = dlib.get_face_chip(image, shape, size=CHIP_SIZE, padding=CHIP_PADDING)
        a, b, c, d, e = ((float(point.x), float(point.y)) for point in shape.parts())
        return AlignedFace(DetectedFace(detection.box, (a, b, c, d, e), detection.score), chip)

    def prepare(self, threads: int) -> None:
        """Be ready for this many threads at once, so that none waits at its first photo."""
        self._predictors.prepare(threads)


def _rectangle(box: Box) -> Any:
    # dlib's rectangles include their last pixel.
    return dlib.rectangle(box.x, box.y, box.right - 1, box.bottom - 1)
