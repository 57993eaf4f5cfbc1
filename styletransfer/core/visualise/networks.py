"""The networks that are looked into, all behind one face: pictures in, activations by layer out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from styletransfer.core.features import NetworkExtractor
from styletransfer.core.images import resize, to_tensor
from styletransfer.core.visualise.layers import LayerInfo, Padding, network_layers, padding_of

SIDE = 256
"""Longest side, in pixels, at which lite and vgg19 are shown a picture (docs/decisions.md)."""

LEAST_SIDE = 32
"""Shortest side: the deepest maps then have two rows."""


class SeenNetwork(Protocol):
    """A constant network, its layers, and how a picture has to be for it.

    version: of its weights. padding: what it takes to lie beyond a picture's edge.
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def layers(self) -> tuple[LayerInfo, ...]: ...
    @property
    def device(self) -> torch.device: ...
    @property
    def padding(self) -> Padding: ...

    def views(self, picture: Image.Image) -> list[Image.Image]:
        """What the network is shown of a picture: RGB, as `prepare` takes it; may be nothing."""

    def prepare(self, view: Image.Image) -> Tensor:
        """(1, 3, H, W) float32 RGB in [0, 1] on the device."""

    def __call__(self, batch: Tensor, layers: Collection[str]) -> Mapping[str, Tensor]:
        """(N, 3, H, W) RGB in [0, 1] to {layer: (N, units, h, w)}, float32, none below 0.

        Goes no deeper than the deepest layer asked for; differentiable with respect to the batch.
        Raises KeyError for an unknown layer.
        """

    def filters(self) -> Tensor:
        """The first layer's weights, (units, 3, k, k), for RGB."""


class ExtractorNetwork:
    """lite or vgg19: a picture is shown whole, scaled to `SIDE`."""

    def __init__(self, extractor: NetworkExtractor, side: int = SIDE) -> None:
        self._extractor = extractor
        self._side = side
        self.name = extractor.name
        self.version = extractor.version
        self.layers = network_layers(extractor.name)
        self.device = extractor.device
        self.padding = padding_of(extractor.name)

    def views(self, picture: Image.Image) -> list[Image.Image]:
        """See SeenNetwork. A picture longer than 8 : 1 is cut to its middle; none is enlarged but
        those that are too small for the network."""
        width, height = picture.size
        longest = self._side // LEAST_SIDE * min(width, height)
        if max(width, height) > longest:
            left, top = max(0, width - longest) // 2, max(0, height - longest) // 2
            picture = picture.crop(
                (left, top, left + min(width, longest), top + min(height, longest))
            )
        longer, shorter = max(picture.size), min(picture.size)
        scale = max(min(1.0, self._side / longer), LEAST_SIDE / shorter)
        return [resize(picture, min(self._side, round(longer * scale)))]

    def prepare(self, view: Image.Image) -> Tensor:
        """See SeenNetwork."""
        return to_tensor(view, self.device)

    def __call__(self, batch: Tensor, layers: Collection[str]) -> Mapping[str, Tensor]:
        """See SeenNetwork."""
        _check(self, layers)
        return self._extractor.activations(batch, layers)

    def filters(self) -> Tensor:
        """See SeenNetwork."""
        return self._extractor.first_filters()


class FaceSight(Protocol):
    """What this package asks of the encoder: `facerec.seam` gives it."""

    @property
    def version(self) -> str: ...
    @property
    def device(self) -> torch.device: ...

    def chips(self, picture: Image.Image) -> Sequence[npt.NDArray[np.uint8]]:
        """The aligned faces of a picture, the largest first; (S, S, 3) RGB."""

    def activations(self, chips: Tensor, layers: Collection[str]) -> Mapping[str, Tensor]:
        """(N, 3, S, S) RGB in 0 … 255 to {layer: (N, units, h, w)}."""

    def filters(self) -> Tensor:
        """The stem's weights, (32, 3, 7, 7)."""


class FaceNetwork:
    """The face encoder: of a picture it is shown the faces, each aligned and cut out alike."""

    name = "face"

    def __init__(self, sight: FaceSight) -> None:
        self._sight = sight
        self.version = sight.version
        self.layers = network_layers("face")
        self.device = sight.device
        self.padding = padding_of("face")

    def views(self, picture: Image.Image) -> list[Image.Image]:
        """See SeenNetwork. Every face that is found; nothing where there is none."""
        return [Image.fromarray(chip) for chip in self._sight.chips(picture.convert("RGB"))]

    def prepare(self, view: Image.Image) -> Tensor:
        """See SeenNetwork."""
        return to_tensor(view, self.device)

    def __call__(self, batch: Tensor, layers: Collection[str]) -> Mapping[str, Tensor]:
        """See SeenNetwork."""
        _check(self, layers)
        return self._sight.activations(batch * 255, layers)

    def filters(self) -> Tensor:
        """See SeenNetwork."""
        return self._sight.filters()


def build_network(source: NetworkExtractor | FaceSight) -> SeenNetwork:
    """The network of an extractor, or of the face encoder."""
    if isinstance(source, NetworkExtractor):
        return ExtractorNetwork(source)
    return FaceNetwork(source)


def info_of(network: SeenNetwork, layer: str) -> LayerInfo:
    """The network's layer of that name. Raises KeyError."""
    for info in network.layers:
        if info.name == layer:
            return info
    raise KeyError(f"{network.name} has no layer {layer!r}")


def _check(network: SeenNetwork, layers: Collection[str]) -> None:
    for layer in layers:
        info_of(network, layer)
