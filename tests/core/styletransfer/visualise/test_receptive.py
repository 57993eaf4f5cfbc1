"""Receptive fields: known values, and what the networks' gradients say."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from facerec.core import network_layers as face_layers
from facerec.core.dlib_weights import load_face_net
from facerec.core.encoder import FaceNet
from styletransfer.core.features import _VGG19
from styletransfer.core.lite import ThinVGG
from styletransfer.core.visualise.layers import NETWORKS, layer_info, network_layers
from styletransfer.core.visualise.receptive import (
    Box,
    Receptive,
    Residual,
    Window,
    map_extent,
    receptive_field,
    seen_box,
)

Activations = Callable[[Tensor], Mapping[str, Tensor]]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((), Receptive(1, 1, 0)),
        ((Window(3, padding=1),), Receptive(3, 1, -1)),
        ((Window(3, padding=1), Window(3, padding=1)), Receptive(5, 1, -2)),
        ((Window(7, stride=2), Window(3, stride=2)), Receptive(11, 4, 0)),
        ((Window(3, padding=2, dilation=2),), Receptive(5, 1, -2)),
        # AlexNet's conv1, pool1, conv2: 11/4, 3/2, 5 with padding 2
        ((Window(11, 4), Window(3, 2), Window(5, 1, 2)), Receptive(51, 8, -16)),
        ((Residual((Window(3, padding=1), Window(3, padding=1))),), Receptive(5, 1, -2)),
    ],
)
def test_known_fields(steps, expected):
    assert receptive_field(steps) == expected


def test_known_fields_of_vgg19():
    """Araujo, Norris and Sim (2019) and many others give these sizes."""
    sizes = {name: layer_info("vgg19", name).receptive.size for name in ("relu3_1", "relu5_1")}
    assert sizes == {"relu3_1": 24, "relu5_1": 156}


def test_a_branch_and_a_shortcut_of_two_strides_do_not_fit():
    with pytest.raises(ValueError):
        receptive_field([Residual((Window(3, stride=2),))])


def test_a_box_and_the_middle_of_a_field():
    field = Receptive(size=10, stride=2, start=-4)
    assert field.box_of(row=0, column=3) == Box(2, -4, 12, 6)
    assert field.box_of(0, 3).within((8, 8)) == Box(2, 0, 8, 6)
    assert field.centre_of(0) == 0.5
    assert field.centre_of(3) == 6.5


@given(
    st.lists(
        st.builds(Window, st.integers(1, 5), st.integers(1, 3), st.just(0), st.integers(1, 2)),
        max_size=4,
    )
)
def test_without_padding_the_fields_tile_the_picture_and_none_reaches_beyond(steps):
    field, extent = receptive_field(steps), (200, 200)
    width, height = map_extent(steps, extent)
    assume(width)
    last = field.box_of(height - 1, width - 1)
    assert last.within(extent) == last == seen_box(tuple(steps), extent, height - 1, width - 1)
    beyond = field.box_of(height, width)
    assert beyond.right > 200


@pytest.mark.parametrize("network", NETWORKS)
def test_layers_are_in_order_and_in_five_groups(network):
    layers = network_layers(network)
    assert {info.group for info in layers} == {1, 2, 3, 4, 5}
    assert [info.group for info in layers] == sorted(info.group for info in layers)
    assert [info.filters for info in layers] == [True] + [False] * (len(layers) - 1)
    with pytest.raises(KeyError):
        layer_info(network, "relu9_9")


def test_the_encoder_names_its_layers_as_the_table_does():
    assert tuple(info.name for info in network_layers("face")) == face_layers.LAYERS


def _positive(module: nn.Module) -> nn.Module:
    """So that every path counts and no ReLU shuts one."""
    torch.manual_seed(0)
    for parameter in module.parameters():
        with torch.no_grad():
            parameter.uniform_(0.1, 1).div_(parameter[0].numel() if parameter.dim() > 1 else 1)
    return module.requires_grad_(False)


def _lite() -> tuple[Activations, tuple[int, int]]:
    net, names = _positive(ThinVGG()), [info.name for info in network_layers("lite")]
    return lambda x: net(x + 1, names), (181, 150)


class _MeanPool(nn.MaxPool2d):
    """The same window, but all of its pixels come through."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.avg_pool2d(x, self.kernel_size, self.stride)


def _vgg19() -> tuple[Activations, tuple[int, int]]:
    net = _VGG19()
    from torchvision.models.vgg import cfgs, make_layers

    thin = make_layers([c if isinstance(c, str) else c // 32 for c in cfgs["E"]], batch_norm=False)
    for index, module in enumerate(thin):  # the architecture, at a width that is quick to test
        if isinstance(module, nn.ReLU):
            module = nn.ReLU()
        net.features[index] = _MeanPool(2) if isinstance(module, nn.MaxPool2d) else module
    _positive(net)
    names = [info.name for info in network_layers("vgg19")]
    return lambda x: net(x + 1, names), (203, 170)


def _face() -> tuple[Activations, tuple[int, int]]:
    net = _positive(FaceNet(load_face_net()))
    return lambda x: face_layers.activations(net, 200 + 50 * x, face_layers.LAYERS), (150, 150)


@pytest.mark.parametrize("build", [_lite, _vgg19, _face])
def test_the_arithmetic_agrees_with_the_gradients(build):
    """At inner units, in the corners and along the edges, for every layer."""
    activations, (width, height) = build()
    network = build.__name__.strip("_")
    found: dict[tuple[str, tuple[int, int]], Box] = {}
    for seed in range(2):  # the encoder's max pooling lets one of its pixels through at a time
        noise = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))
        picture = noise.requires_grad_()
        for name, features in activations(picture).items():
            rows, columns = features.shape[2:]
            inside = (rows // 2, columns // 2)
            for at in {(0, 0), (rows - 1, columns - 1), (0, columns - 1), (rows - 1, 0), inside}:
                value = features[0, :, at[0], at[1]].sum()
                (gradient,) = torch.autograd.grad(value, picture, retain_graph=True)
                box = _box(gradient)
                found[name, at] = found[name, at].union(box) if seed else box
    for info in network_layers(network):
        extent = info.map_extent((width, height))
        here = {at: box for (name, at), box in found.items() if name == info.name}
        assert extent == (max(c for _, c in here) + 1, max(r for r, _ in here) + 1)
        for (row, column), box in here.items():
            assert info.seen_box((width, height), row, column) == box, (info.name, row, column)
        row, column = extent[1] // 2, extent[0] // 2
        whole = info.receptive.box_of(row, column)
        if whole.within((width, height)) == whole:
            assert here[row, column] == whole


def _box(gradient: Tensor) -> Box:
    rows, columns = (gradient[0].abs().sum((0, axis)).nonzero() for axis in (2, 1))
    return Box(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)


@pytest.mark.parametrize("build", [_lite, _vgg19, _face])
def test_the_table_has_the_modules_units(build):
    activations, (width, height) = build()
    network = build.__name__.strip("_")
    share = 32 if network == "vgg19" else 1
    with torch.no_grad():
        for name, features in activations(torch.rand(1, 3, height, width)).items():
            assert features.shape[1] * share == layer_info(network, name).units
