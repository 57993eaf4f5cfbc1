"""f: an aligned face becomes 128 numbers. dlib's face recognition ResNet in torch.

Source: D. King 2017, the network of dlib's `dnn_face_recognition_ex`, a ResNet-29 after He et al.
2016 with the published weights. It agrees with dlib's own output to 1e-5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from facerec.core.dlib_weights import ConvAffine, FaceNetWeights, load_face_net
from facerec.core.fine_tuned import FineTunedBlocks
from facerec.core.types import ENCODING_SIZE, Encoding
from facerec.core.versions import BACKBONE_VERSION, ENCODER_SHA256

__all__ = [
    "BACKBONE_VERSION",
    "ENCODER_SHA256",
    "VIEWS",
    "Encoder",
    "FaceNet",
    "fold_affine",
    "views",
]

# Blocks per group and whether the group's first one halves the picture.
_GROUPS = ((3, False), (4, True), (3, True), (3, True), (1, True))

VIEW_PADDINGS = (0.2, 0.3)
"""A face is looked at from a little nearer and a little farther than the aligner cuts it (0.25),
each way as it is and mirrored."""

VIEWS = 2 * len(VIEW_PADDINGS)

_CHIP_PADDING = 0.25  # the aligner's, as a share of the face on each side
_CUDA_PRECISION = Lock()


def fold_affine(layer: ConvAffine) -> tuple[Tensor, Tensor]:
    """The one convolution (weight, bias) that equals a convolution and its affine.

    gamma * (w x + b) + beta = (gamma w) x + (gamma b + beta), in float64 until the end.
    """
    gamma = layer.gamma.astype(np.float64)
    weight = layer.weight * gamma[:, None, None, None]
    bias = layer.bias * gamma + layer.beta
    return torch.from_numpy(weight).float(), torch.from_numpy(bias).float()


class FaceNet(nn.Module):
    """uint8-valued RGB chips (N, 3, 150, 150) as float -> encodings (N, 128)."""

    mean: Tensor
    projection: Tensor

    def __init__(self, weights: FaceNetWeights) -> None:
        super().__init__()
        layers = iter(weights.convolutions)
        self.stem = _convolution(next(layers))
        self.blocks = nn.Sequential(
            *(
                _Block(layers, down=halves and position == 0)
                for blocks, halves in _GROUPS
                for position in range(blocks)
            )
        )
        self.register_buffer("mean", torch.from_numpy(weights.mean).view(1, 3, 1, 1))
        self.register_buffer("projection", torch.from_numpy(weights.projection))

    def put(self, blocks: FineTunedBlocks) -> None:
        """Trained blocks in place of the published ones. Raises ValueError if they do not fit."""
        state = self.state_dict()
        for name, values in blocks.arrays.items():
            if name not in state or state[name].shape != values.shape:
                raise ValueError(f"this network has no {name} of shape {values.shape}")
            state[name].copy_(torch.from_numpy(values))

    def forward(self, chips: Tensor) -> Tensor:
        return self.tail(self.trunk(chips))

    def trunk(self, chips: Tensor, last: int = 0) -> Tensor:
        """Everything before the last so many blocks and the projection."""
        x = self.stem((chips - self.mean) / 256).relu()
        x = functional.max_pool2d(x, kernel_size=3, stride=2)
        features: Tensor = self.blocks[: len(self.blocks) - last](x)
        return features

    def tail(self, features: Tensor, last: int = 0) -> Tensor:
        """The last so many blocks and the projection, of what `trunk` gave."""
        x = self.blocks[len(self.blocks) - last :](features)
        encodings: Tensor = x.mean(dim=(2, 3)) @ self.projection
        return encodings


def views(chips: Tensor) -> Tensor:
    """The views of a face whose encodings are averaged: chips (N, 3, H, W) as float ->
    (N, VIEWS, 3, H, W). Beyond a chip's edge its outermost pixels go on."""
    count, _, height, width = chips.shape
    looks = []
    for padding in VIEW_PADDINGS:
        span = (1 + 2 * padding) / (1 + 2 * _CHIP_PADDING)
        place = chips.new_tensor([[span, 0, 0], [0, span, 0]]).expand(count, 2, 3)
        grid = functional.affine_grid(place, [count, 3, height, width], align_corners=False)
        look = functional.grid_sample(
            chips, grid, mode="bilinear", padding_mode="border", align_corners=False
        )
        looks += [look, look.flip(3)]
    return torch.stack(looks, dim=1)


class _Block(nn.Module):
    """y = relu(conv(relu(conv(x))) + shortcut(x)); a down block halves the picture.

    Where the two branches differ in size, dlib lays them at the top left and the first channels
    and takes what is missing as zero.
    """

    def __init__(self, layers: Iterator[ConvAffine], *, down: bool) -> None:
        super().__init__()
        self.first = _convolution(next(layers))
        self.second = _convolution(next(layers))
        self.down = down

    def forward(self, x: Tensor) -> Tensor:
        branch = self.second(self.first(x).relu())
        if self.down:
            x = functional.avg_pool2d(x, kernel_size=2)
            rows, columns = x.shape[2] - branch.shape[2], x.shape[3] - branch.shape[3]
            branch = functional.pad(branch, (0, columns, 0, rows))
            x = functional.pad(x, (0, 0, 0, 0, 0, branch.shape[1] - x.shape[1]))
        return functional.relu(branch + x)


def _convolution(layer: ConvAffine) -> nn.Conv2d:
    filters, channels, rows, columns = layer.weight.shape
    conv = nn.Conv2d(channels, filters, (rows, columns), layer.stride, layer.padding)
    weight, bias = fold_affine(layer)
    with torch.no_grad():
        conv.weight.copy_(weight)
        conv.bias.copy_(bias)  # type: ignore[union-attr]
    return conv


class Encoder:
    """The encoder f on a device. Its output is not of unit length; what is compared is what the
    adapter makes of it. Safe to share between threads."""

    version = BACKBONE_VERSION

    def __init__(
        self,
        device: str | torch.device = "cpu",
        weights_path: Path | None = None,
        *,
        batch_size: int = 32,
        blocks: FineTunedBlocks | None = None,
    ) -> None:
        """weights_path: the .dat file, by default the installed package's. batch_size: the most
        chips in one pass. blocks: trained ones in place of the published, which makes it another
        backbone. Raises WeightsNotFound, WeightsCorrupt; ValueError for blocks that do not fit."""
        weights = load_face_net(weights_path)
        self.device = torch.device(device)
        self.chip_size = weights.chip_size
        self._batch_size = batch_size
        net = FaceNet(weights).eval().requires_grad_(False)
        if blocks is not None:
            net.put(blocks)
            self.version = blocks.version
        self._net = cast(FaceNet, net.to(self.device, memory_format=torch.channels_last))  # type: ignore[call-overload]

    @property
    def net(self) -> FaceNet:
        """The network itself, for who wants to look into it. It is constant."""
        return self._net

    def encode(self, chips: NDArray[np.uint8]) -> Encoding:
        """f itself, of one view. Aligned faces, uint8 RGB (N, 150, 150, 3) -> float32 (N, 128).
        N may be 0."""
        return self._encode(chips, self._net, self._batch_size)

    def encode_symmetric(self, chips: NDArray[np.uint8]) -> Encoding:
        """The mean of f over a chip's four `views`, shapes as in `encode`: what is stored and
        compared. A face has no preferred side and no exact frame, and the mean takes out much of
        what depends on pose, light and the landmarks; what it brings stands in docs/faces.md."""

        def mean(x: Tensor) -> Tensor:
            looks = views(x).flatten(0, 1).contiguous(memory_format=torch.channels_last)
            encodings: Tensor = self._net(looks)
            return encodings.view(len(x), VIEWS, -1).mean(dim=1)

        return self._encode(chips, mean, max(1, self._batch_size // VIEWS))

    def _encode(
        self, chips: NDArray[np.uint8], net: Callable[[Tensor], Tensor], at_once: int
    ) -> Encoding:
        expected = (self.chip_size, self.chip_size, 3)
        if chips.dtype != np.uint8 or chips.shape[1:] != expected:
            raise ValueError(
                f"chips must be uint8 (N, {expected}), not {chips.dtype} {chips.shape}"
            )
        encodings = np.empty((len(chips), ENCODING_SIZE), dtype=np.float32)
        with torch.inference_mode(), self._full_precision():
            for start in range(0, len(chips), at_once):
                batch = torch.from_numpy(np.ascontiguousarray(chips[start:][:at_once]))
                x = batch.to(self.device).permute(0, 3, 1, 2)  # NHWC is channels_last already
                encodings[start:][: len(batch)] = net(x.float()).cpu().numpy()
        return encodings

    @contextmanager
    def _full_precision(self) -> Iterator[None]:
        """TF32, CUDA's default for convolutions, would miss dlib's numbers by 1e-3. The switch
        is the process's, so threads take turns; on a CPU there is nothing to switch."""
        if self.device.type != "cuda":
            yield
            return
        with _CUDA_PRECISION, torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            yield
