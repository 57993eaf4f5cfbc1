"""What the judge sees with: the detector in a region, the aligner, the encoder and its adapter."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.core.adapter import Adapter, shipped
from facerec.core.alignment import AlignedFace
from facerec.core.detector import Detection
from facerec.core.pipeline import FacePipeline
from facerec.core.types import Box, Encoding

REGION = 0.4
"""How far beyond the last box a face is looked for, in widths of the box."""

REGION_FACE = 110
"""Pixels across a face in the region that is searched: the detector needs 80 and costs by area."""

REGION_SCORE = -0.5
"""A turned face scores less than one from the front. Where one was seen 0.1 s ago a low score
will do; a wrong box is caught by the tracks."""


FAINT = -0.4
"""Where no face is sure, the one that scores best above this is taken: on small pictures in poor
light the detector misses dark faces first. What is no face shows no depth."""


class Eyes(Protocol):
    """Finds faces and tells people apart."""

    def faces(self, image: NDArray[np.uint8], near: Box | None = None) -> list[AlignedFace]:
        """The faces of an RGB image (H, W, 3), the largest first; with `near`, the one face that
        is about where that box is, or none."""
        ...

    def encode(self, chips: NDArray[np.uint8]) -> Encoding:
        """Chips (N, 150, 150, 3) -> (N, 128), comparable by squared L2."""
        ...


class FaceEyes:
    """The shipped parts. Safe to share between threads if the pipeline is."""

    def __init__(self, pipeline: FacePipeline, adapter: Adapter) -> None:
        """adapter: what makes the pipeline's encodings comparable."""
        self._pipeline = pipeline
        self._adapter = adapter

    @classmethod
    def build(cls) -> Self:
        """With the shipped encoder and adapter. Raises WeightsNotFound, WeightsCorrupt."""
        return cls(FacePipeline.build(), shipped())

    def faces(self, image: NDArray[np.uint8], near: Box | None = None) -> list[AlignedFace]:
        found = self._everywhere(image) if near is None else self._near(image, near)
        found.sort(key=lambda detection: detection.box.area, reverse=True)
        return [self._pipeline.aligner.align(image, detection) for detection in found]

    def encode(self, chips: NDArray[np.uint8]) -> Encoding:
        return self._adapter(self._pipeline.encode(chips))

    def _everywhere(self, image: NDArray[np.uint8]) -> list[Detection]:
        found = self._pipeline.detector.look(image, limit=FAINT)
        sure = [detection for detection in found if detection.score > 0]
        return sure or sorted(found, key=lambda detection: detection.score)[-1:]

    def _near(self, image: NDArray[np.uint8], near: Box) -> list[Detection]:
        margin = round(near.w * REGION)
        top, left = max(0, near.y - margin), max(0, near.x - margin)
        region = image[top : near.bottom + margin, left : near.right + margin]
        if not region.size:
            return []
        scale = min(1.0, REGION_FACE / near.w)
        small = cv2.resize(region, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        found = self._pipeline.detector.look(small.astype(np.uint8), scale, REGION_SCORE)
        best = max(found, key=lambda d: d.score, default=None)
        if best is None:
            return []
        box = replace(best.box, x=best.box.x + left, y=best.box.y + top)
        return [Detection(box, best.score)]
