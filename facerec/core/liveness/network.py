"""An optional network that tells a face from a picture of one, from a file that the house brings.

Source: minivision-ai, Silent-Face-Anti-Spoofing 2020, MiniFASNetV2: a MobileFaceNet (Chen et al.
2018) pruned to 0.43 M weights, of 80 x 80 pixels around a face. Its weights are not shipped, and
what they achieve here was not measured.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facerec.core.errors import WeightsCorrupt, WeightsNotFound
from facerec.core.types import Box

VERSION = "minifasnet-v2"
SIDE = 80
"""Pixels that the network sees in each direction."""

SCALE = 2.7
"""How much wider and higher than the face's box the picture is that it sees."""

LIVE = 1
"""Of its three classes the one of living people; the others are flat pictures and masks."""

_WIDTHS_64 = (13, 13, 13, 13)
_WIDTHS_128 = (231, 52, 26, 77, 26, 26)
_WIDTHS_LAST = (26, 26)
_NOT_READ = "num_batches_tracked"  # training's own count, which older files lack


def _layers(**layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(OrderedDict(layers))


def _convolution(
    inputs: int, outputs: int, side: int = 1, *, stride: int = 1, padding: int = 0, groups: int = 1
) -> OrderedDict[str, nn.Module]:
    conv = nn.Conv2d(inputs, outputs, side, stride, padding, groups=groups, bias=False)
    return OrderedDict(conv=conv, bn=nn.BatchNorm2d(outputs))


def _active(*args: int, **kwargs: int) -> nn.Sequential:
    """Convolution, normalisation, PReLU."""
    linear = _convolution(*args, **kwargs)
    outputs = cast(nn.Conv2d, linear["conv"]).out_channels
    return _layers(**linear, prelu=nn.PReLU(outputs))


def _bottleneck(inputs: int, width: int, outputs: int, stride: int) -> nn.Sequential:
    """Each channel looks around for itself, at the given width: 1 x 1, 3 x 3 by channel, 1 x 1."""
    return _layers(
        conv=_active(inputs, width),
        conv_dw=_active(width, width, 3, stride=stride, padding=1, groups=width),
        project=_layers(**_convolution(width, outputs)),
    )


class _Residuals(nn.Module):
    """Bottlenecks at one size, each adding to what it was given."""

    def __init__(self, channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.model = nn.ModuleList(_bottleneck(channels, width, channels, 1) for width in widths)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.model:
            x = x + block(x)
        return x


class MiniFASNet(nn.Sequential):
    """BGR pixels (N, 3, 80, 80) as float in 0..255 -> logits (N, 3). The layers' names are those
    of the published files."""

    def __init__(self) -> None:
        super().__init__(
            OrderedDict(
                conv1=_active(3, 32, 3, stride=2, padding=1),
                conv2_dw=_active(32, 32, 3, padding=1, groups=32),
                conv_23=_bottleneck(32, 103, 64, stride=2),
                conv_3=_Residuals(64, _WIDTHS_64),
                conv_34=_bottleneck(64, 231, 128, stride=2),
                conv_4=_Residuals(128, _WIDTHS_128),
                conv_45=_bottleneck(128, 308, 128, stride=2),
                conv_5=_Residuals(128, _WIDTHS_LAST),
                conv_6_sep=_active(128, 512),
                conv_6_dw=_layers(**_convolution(512, 512, SIDE // 16, groups=512)),
                conv_6_flatten=nn.Flatten(),
                linear=nn.Linear(512, 128, bias=False),
                bn=nn.BatchNorm1d(128),
                prob=nn.Linear(128, 3, bias=False),
            )
        )


def surroundings(box: Box, width: int, height: int) -> Box:
    """What of a picture of this size the network sees of a face: its box, `SCALE` times as large,
    less where the picture is too small for that, and moved inwards where it would reach out.
    The box is the detector's; one of no size counts as a pixel."""
    w, h = max(1, box.w), max(1, box.h)
    scale = min(SCALE, (width - 1) / w, (height - 1) / h)
    wide, high = w * scale, h * scale
    x = min(max(0.0, box.x + (box.w - wide) / 2), width - 1 - wide)
    y = min(max(0.0, box.y + (box.h - high) / 2), height - 1 - high)
    left, top = int(x), int(y)
    return Box(left, top, int(x + wide) + 1 - left, int(y + high) + 1 - top)


class LivenessNetwork:
    """The network on a device. Safe to share between threads."""

    version = VERSION

    def __init__(self, path: Path, sha256: str, device: str | torch.device = "cpu") -> None:
        """path: a state dict by `torch.save` or, if it ends in .safetensors, of that format; the
        layers may be named as a `DataParallel` saves them ("module." in front). sha256: what the
        file must hash to.

        Raises WeightsNotFound; WeightsCorrupt where it is another file, holds anything but
        tensors, or not this network's; the message names what does not fit.
        """
        self.path, self.sha256 = path, sha256.lower()
        self.device = torch.device(device)
        net = MiniFASNet()
        _put(net, _read(path, self.sha256), path)
        self._net = net.eval().requires_grad_(False).to(self.device)

    def live_share(self, image: NDArray[np.uint8], box: Box) -> float:
        """How much of the network's certainty is on a living person, in [0, 1].

        image: uint8 RGB (H, W, 3). box: the face in it.
        """
        around = surroundings(box, image.shape[1], image.shape[0])
        seen = image[around.y : around.bottom, around.x : around.right]
        small = cv2.resize(seen, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
        bgr = np.ascontiguousarray(small[..., ::-1].transpose(2, 0, 1))
        with torch.inference_mode():
            logits = self._net(torch.from_numpy(bgr)[None].to(self.device).float())
            return float(logits.softmax(dim=1)[0, LIVE])


def _read(path: Path, sha256: str) -> dict[str, Tensor]:
    """The tensors in a file that has this SHA-256: read once, so that what was hashed is what is
    loaded, and never as code."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsNotFound(path.name, str(path.parent)) from error
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise WeightsCorrupt(path, f"its SHA-256 is {found}, not {sha256 or 'given'}")
    try:
        state: Any
        if path.suffix == ".safetensors":
            state = safetensors.torch.load(content)
        else:
            state = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # torch and safetensors raise a dozen kinds at a broken file
        raise WeightsCorrupt(path, "neither a state dict of torch nor safetensors") from error
    if not isinstance(state, dict) or not all(isinstance(t, Tensor) for t in state.values()):
        raise WeightsCorrupt(path, "not a state dict: it holds something other than tensors")
    return {str(name).removeprefix("module."): tensor for name, tensor in state.items()}


def _put(net: MiniFASNet, state: dict[str, Tensor], path: Path) -> None:
    """All of the file's tensors into the network, and nothing of it left as it was made."""
    wanted = {name: t for name, t in net.state_dict().items() if not name.endswith(_NOT_READ)}
    given = {name: t for name, t in state.items() if not name.endswith(_NOT_READ)}
    shared = wanted.keys() & given.keys()
    problems = {
        "missing": sorted(wanted.keys() - given.keys()),
        "not of this network": sorted(given.keys() - wanted.keys()),
        "of another shape": [
            f"{name} {tuple(given[name].shape)} instead of {tuple(wanted[name].shape)}"
            for name in sorted(shared)
            if given[name].shape != wanted[name].shape
        ],
        "not finite numbers": [
            name
            for name in sorted(shared)
            if not (given[name].is_floating_point() and given[name].isfinite().all())
        ],
    }
    if told := "; ".join(f"{what}: {_some(names)}" for what, names in problems.items() if names):
        raise WeightsCorrupt(path, f"not {VERSION}: {told}")
    for name, tensor in wanted.items():
        tensor.copy_(given[name])


def _some(names: list[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
