"""Extractors: the constant networks whose activations are compared.

`lite` is the project's own thin VGG and lies beside this file; `vgg19` is torchvision's, with
its ImageNet weights found in a given file or downloaded once. One never stands in for the other.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Protocol

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from styletransfer.core.download import Progress, fetch, sha256_of
from styletransfer.core.errors import WeightsError
from styletransfer.core.lite import ThinVGG
from styletransfer.core.torchvision_shim import import_torchvision
from styletransfer.core.types import EXTRACTORS, LAYERS
from styletransfer.core.visualise.layers import layer_info
from styletransfer.core.visualise.receptive import Receptive

LITE_WEIGHTS = Path(__file__).with_name("lite.safetensors")
LITE_SHA256 = LITE_WEIGHTS.with_suffix(".sha256")


class Extractor(Protocol):
    """A network that does not learn any more and gives its activations by name."""

    @property
    def name(self) -> str:
        """Which extractor this is."""

    @property
    def version(self) -> str:
        """SHA-256 of the weights file."""

    @property
    def device(self) -> torch.device:
        """Where images must lie."""

    @property
    def layers(self) -> tuple[str, ...]:
        """All that it can give, shallow to deep."""

    def __call__(self, image: Tensor, /, layers: Collection[str]) -> dict[str, Tensor]:
        """(N, 3, H, W) RGB in [0, 1] to {layer: (N, C, H', W')}, after the ReLU.

        Goes no deeper than the deepest layer asked for. Raises KeyError for an unknown layer.
        """


class NetworkExtractor:
    """An Extractor made of a module `(image, layers) -> {layer: features}`."""

    def __init__(
        self, name: str, version: str, network: nn.Module, device: torch.device, *, bf16: bool
    ) -> None:
        self.name = name
        self.version = version
        self.layers = LAYERS[name]
        self.device = device
        self.bf16 = bf16
        self._network = network.eval().requires_grad_(False)
        self._network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def field(self, layer: str) -> Receptive:
        """What a layer's positions see of the picture."""
        return layer_info(self.name, layer).receptive

    def __call__(self, image: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """See Extractor."""
        unknown = set(layers) - set(self.layers)
        if unknown:
            raise KeyError(f"{self.name} has no layer {', '.join(sorted(unknown))}")
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            features: dict[str, Tensor] = self._network(image, layers)
        return features

    def activations(self, image: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """As a call, but in float32 and for every layer that the network has, also those that no
        recipe names (`visualise.layers`)."""
        features: dict[str, Tensor] = self._network(image, layers)
        return features

    def first_filters(self) -> Tensor:
        """The weights of the first convolution, (units, 3, 3, 3), for RGB."""
        first = next(m for m in self._network.modules() if isinstance(m, nn.Conv2d))
        return first.weight.detach()


def build_extractor(
    name: str,
    *,
    device: torch.device | str = "cpu",
    weights_path: Path | None = None,
    cache_dir: Path | None = None,
    on_progress: Progress | None = None,
    bf16: bool | None = None,
) -> NetworkExtractor:
    """The extractor of that name, ready on the device.

    weights_path: a weights file to use instead of the usual one.
    cache_dir: where vgg19's weights are kept; without it nothing is downloaded.
    on_progress: called with (bytes done, bytes in all) while downloading.
    bf16: compute activations in bfloat16; None: where the device has it in hardware.
    Raises WeightsError where the weights are missing, damaged or cannot be had.
    """
    device = torch.device(device)
    if bf16 is None:
        bf16 = has_fast_bf16(device)
    if name == "lite":
        network, version = _load_lite(weights_path)
    elif name == "vgg19":
        network, version = _load_vgg19(weights_path, cache_dir, on_progress)
    else:
        raise ValueError(f"no extractor {name!r}; there are {', '.join(EXTRACTORS)}")
    return NetworkExtractor(name, version, network, device, bf16=bf16)


def has_fast_bf16(device: torch.device) -> bool:
    """Whether bfloat16 convolutions are faster than float32 on the device."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported())
    return False


def _load_lite(weights_path: Path | None) -> tuple[nn.Module, str]:
    path = weights_path or LITE_WEIGHTS
    version = _version(path)
    if weights_path is None and version != LITE_SHA256.read_text().strip():
        raise WeightsError(f"{path.name} is damaged: its checksum differs; install Likeness again")
    network = ThinVGG()
    _load_into(network, path)
    return network, version


class _VGG19(nn.Module):
    """torchvision's VGG-19 up to relu5_1, with ImageNet normalisation."""

    def __init__(self) -> None:
        super().__init__()
        import_torchvision()
        from torchvision.models.vgg import cfgs, make_layers

        self.features = make_layers(cfgs["E"], batch_norm=False)
        for module in self.features:
            if isinstance(module, nn.ReLU):
                module.inplace = False
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), False)

    def forward(self, image: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        wanted = set(layers)
        taken: dict[str, Tensor] = {}
        x = (image - self.mean) / self.std  # type: ignore[operator]
        block, index = 1, 0
        for module in self.features:
            if not wanted:
                break
            x = module(x)
            if isinstance(module, nn.MaxPool2d):
                block, index = block + 1, 0
            elif isinstance(module, nn.ReLU):
                index += 1
                name = f"relu{block}_{index}"
                if name in wanted:
                    taken[name] = x
                    wanted.discard(name)
        return taken


def _load_vgg19(
    weights_path: Path | None, cache_dir: Path | None, on_progress: Progress | None
) -> tuple[nn.Module, str]:
    import_torchvision()
    if weights_path is None:
        from torchvision.models import VGG19_Weights

        if cache_dir is None:
            raise WeightsError("vgg19 needs its weights: give a file or a folder to keep them in")
        weights_path = fetch(str(VGG19_Weights.IMAGENET1K_V1.url), cache_dir, on_progress)
    version, network = _version(weights_path), _VGG19()
    _load_into(network, weights_path, ignore_prefix="classifier.")
    return network, version


def _load_into(network: nn.Module, path: Path, ignore_prefix: str | None = None) -> None:
    try:
        if path.suffix == ".safetensors":
            weights = load_file(path)
        else:
            weights = torch.load(path, map_location="cpu", weights_only=True)
        if ignore_prefix:
            weights = {k: v for k, v in weights.items() if not k.startswith(ignore_prefix)}
        network.load_state_dict({k: v.float() for k, v in weights.items()})
    except Exception as error:
        raise WeightsError(f"{path.name} does not hold weights of this network") from error


def _version(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise WeightsError(f"cannot read the weights file {path}") from error
