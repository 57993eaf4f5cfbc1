from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from styletransfer.core import features as features_module
from styletransfer.core.errors import WeightsError
from styletransfer.core.features import NetworkExtractor, build_extractor
from styletransfer.core.lite import ThinVGG, initialise
from styletransfer.core.torchvision_shim import import_torchvision
from styletransfer.core.types import LAYERS, STYLE_LAYERS

IMAGE = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0))


def test_lite_gives_its_five_taps(lite: NetworkExtractor) -> None:
    shapes = {k: tuple(v.shape) for k, v in lite(IMAGE, STYLE_LAYERS).items()}
    assert shapes == {
        "relu1_1": (1, 16, 48, 64),
        "relu2_1": (1, 32, 24, 32),
        "relu3_1": (1, 64, 12, 16),
        "relu4_1": (1, 128, 6, 8),
        "relu5_1": (1, 128, 3, 4),
    }
    assert all((v >= 0).all() for v in lite(IMAGE, STYLE_LAYERS).values())
    assert lite.layers == STYLE_LAYERS
    assert len(lite.version) == 64


def test_lite_is_trained(lite: NetworkExtractor) -> None:
    """Every tap answers, and to what is in the picture: no dead or constant network."""
    for name, x in lite(torch.cat([IMAGE, 1 - IMAGE]), STYLE_LAYERS).items():
        alive = (x.amax((0, 2, 3)) > 0).float().mean()
        assert alive > 0.5, name
        assert (x[0] - x[1]).abs().mean() > 0.01 * x.abs().mean(), name


def test_an_extractor_is_constant(lite: NetworkExtractor) -> None:
    image = IMAGE.clone().requires_grad_()
    lite(image, ["relu3_1"])["relu3_1"].sum().backward()
    assert image.grad is not None
    assert image.grad.abs().sum() > 0
    assert all(not p.requires_grad and p.grad is None for p in lite._network.parameters())


def test_it_goes_no_deeper_than_asked(lite: NetworkExtractor, monkeypatch) -> None:
    def deep(*_: object) -> None:
        raise AssertionError("conv4_1 ran")

    monkeypatch.setattr(lite._network.get_submodule("conv4_1"), "forward", deep)
    assert set(lite(IMAGE, ["relu1_1", "relu3_1"])) == {"relu1_1", "relu3_1"}
    with pytest.raises(AssertionError, match="conv4_1"):
        lite(IMAGE, ["relu4_1"])


def test_an_unknown_layer(lite: NetworkExtractor) -> None:
    with pytest.raises(KeyError, match="relu4_2"):
        lite(IMAGE, ["relu1_1", "relu4_2"])


def test_damaged_lite_weights_are_refused(tmp_path: Path, monkeypatch) -> None:
    damaged = tmp_path / "lite.safetensors"
    damaged.write_bytes(features_module.LITE_WEIGHTS.read_bytes()[:-1] + b"\x01")
    monkeypatch.setattr(features_module, "LITE_WEIGHTS", damaged)
    with pytest.raises(WeightsError, match="checksum"):
        build_extractor("lite")


def test_other_lite_weights_are_taken_and_named_by_their_checksum(
    tmp_path: Path, lite: NetworkExtractor
) -> None:
    net = ThinVGG()
    initialise(net, torch.Generator().manual_seed(1))
    save_file({k: v.half() for k, v in net.state_dict().items()}, tmp_path / "mine.safetensors")
    mine = build_extractor("lite", weights_path=tmp_path / "mine.safetensors", bf16=False)
    assert mine.version != lite.version
    assert not torch.allclose(
        mine(IMAGE, ["relu1_1"])["relu1_1"], lite(IMAGE, ["relu1_1"])["relu1_1"]
    )


@pytest.mark.parametrize("content", [None, b"", b"no weights at all"])
def test_weights_that_are_none(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "vgg19.pth"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match="vgg19"):
        build_extractor("vgg19", weights_path=path)


def test_vgg19_without_weights_is_an_error_never_another_network() -> None:
    with pytest.raises(WeightsError, match="vgg19"):
        build_extractor("vgg19")


def test_no_such_extractor() -> None:
    with pytest.raises(ValueError, match="resnet"):
        build_extractor("resnet")


@pytest.mark.parametrize("kind", ["pth", "safetensors"])
def test_vgg19_is_that_of_torchvision(kind: str, tmp_path: Path) -> None:
    """With random weights in torchvision's own naming, layer by layer."""
    import_torchvision()
    from torchvision.models.vgg import cfgs, make_layers

    torch.manual_seed(0)
    reference = make_layers(cfgs["E"], batch_norm=False).eval()
    for module in reference:
        if isinstance(module, nn.ReLU):
            module.inplace = False
    weights = {f"features.{k}": v for k, v in reference.state_dict().items()}
    weights["classifier.6.bias"] = torch.zeros(1000)
    path = tmp_path / f"vgg19.{kind}"
    torch.save(weights, path) if kind == "pth" else save_file(weights, path)
    ours = build_extractor("vgg19", weights_path=path, bf16=False)
    assert ours.layers == LAYERS["vgg19"]
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x = (IMAGE - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)
    given = ours(IMAGE, ["relu1_1", "relu2_2", "relu4_2", "relu5_1"])
    for layer, end in (("relu1_1", 2), ("relu2_2", 9), ("relu4_2", 23), ("relu5_1", 30)):
        with torch.no_grad():
            assert torch.allclose(given[layer], reference[:end](x), rtol=1e-3, atol=1e-5), layer


def test_torchvision_can_be_imported_beside_any_torch() -> None:
    import_torchvision()
    import_torchvision()
    from torchvision import models

    assert models.VGG19_Weights.IMAGENET1K_V1.url.endswith(".pth")
