"""The teacher of `lite`: an ImageNet VGG-19 compressed 16 times.

Wang et al., "Collaborative Distillation for Ultra-Resolution Universal Style Transfer" (CVPR
2020). A 1×1 convolution on RGB in [0, 1], then VGG-19's convolutions conv1_1 … conv5_1 at widths
16/32/64/128/128 with reflection padding and max pooling. `widenL_1` leads from a tap to VGG-19's
own width.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from styletransfer.core.types import STYLE_LAYERS

_BLOCKS = (2, 2, 4, 4, 1)


class Teacher:
    """The compressed VGG-19 as an extractor; widened=True gives VGG-19's own channels."""

    name = "teacher"
    layers = STYLE_LAYERS
    device = torch.device("cpu")

    def __init__(self, path: Path, *, widened: bool = False) -> None:
        """path: the safetensors file, whose name per tensor is the layer's."""
        self.version = hashlib.sha256(path.read_bytes()).hexdigest()
        self._widened = widened
        self._weights = {
            k: v.contiguous(memory_format=torch.channels_last) if v.dim() == 4 else v
            for k, v in load_file(path).items()
        }

    def __call__(self, image: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """The features named in layers, after the ReLU."""
        taps = {name: functional.relu(z) for name, z in self.pre_activations(image).items()}
        if self._widened:
            taps = {
                name: functional.relu(self._conv(x, f"widen{name[4:]}"))
                for name, x in taps.items()
                if name in layers
            }
        return {name: taps[name] for name in layers}

    def pre_activations(self, image: Tensor) -> dict[str, Tensor]:
        """All five taps before the ReLU, at the thin widths."""
        taps: dict[str, Tensor] = {}
        x = self._conv(image, "preprocess")
        for block, depth in enumerate(_BLOCKS, start=1):
            if block > 1:
                x = functional.max_pool2d(x, 2)
            for index in range(1, depth + 1):
                x = self._conv(functional.pad(x, (1, 1, 1, 1), "reflect"), f"conv{block}_{index}")
                if index == 1:
                    taps[f"relu{block}_1"] = x
                x = functional.relu(x)
        return taps

    def _conv(self, x: Tensor, name: str) -> Tensor:
        return functional.conv2d(x, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])
