"""What the style half may ask of faces: the encoder's layers, and the faces of a picture as the
encoder is shown them. Loads torch when it is asked: workers only.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facerec.encoders import active
from facerec.services.work import ready_runtime

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from facerec.core.encoder import Encoder
    from facerec.core.pipeline import FacePipeline


class FaceSight:
    """The encoder in use, looked into: it shares the worker's own, so it costs no memory.

    version: of its backbone. device: where chips must lie.
    """

    def __init__(self, pipeline: FacePipeline, encoder: Encoder) -> None:
        self._pipeline = pipeline
        self._net = encoder.net
        self.version = encoder.version
        self.device: torch.device = encoder.device

    def chips(self, picture: Image.Image) -> list[NDArray[np.uint8]]:
        """The aligned faces of an upright RGB picture, the largest first, whatever their quality:
        uint8 RGB (150, 150, 3). None where no face is found."""
        pixels = np.asarray(picture)
        found = self._pipeline.detector.detect(picture)
        return [self._pipeline.aligner.align(pixels, detection).chip for detection in found]

    def activations(self, chips: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """(N, 3, H, W) RGB in 0 … 255 to {layer: (N, C, h, w)}; see `network_layers`."""
        from facerec.core.network_layers import activations

        return activations(self._net, chips, layers)

    def filters(self) -> Tensor:
        """The stem's weights for RGB in 0 … 255, (32, 3, 7, 7)."""
        return self._net.stem.weight.detach()


def sight() -> FaceSight:
    """The encoder in use, as this worker has it loaded. Raises UserFacingError."""
    encoder = active()
    with ready_runtime() as here:
        return FaceSight(here.pipeline_of(encoder), here.encoder_of(encoder))
