"""The optional network: the published architecture, read from a file that must be the right one.

No weights of it are at hand, so files are made here with random numbers in the published layout.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from facerec.core.errors import WeightsCorrupt, WeightsNotFound
from facerec.core.liveness.network import LIVE, SCALE, LivenessNetwork, MiniFASNet, surroundings
from facerec.core.types import Box

State = dict[str, Tensor]


def published_layout() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes of the published file, written down from the published widths."""

    def norm(name: str, channels: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        for part in ("weight", "bias", "running_mean", "running_var"):
            yield f"{name}.bn.{part}", (channels,)

    def conv(
        name: str, shape: tuple[int, int, int, int], *, active: bool = True
    ) -> Iterator[tuple[str, tuple[int, ...]]]:
        yield f"{name}.conv.weight", shape
        yield from norm(name, shape[0])
        if active:
            yield f"{name}.prelu.weight", (shape[0],)

    def bottleneck(
        name: str, inputs: int, width: int, outputs: int
    ) -> Iterator[tuple[str, tuple[int, ...]]]:
        yield from conv(f"{name}.conv", (width, inputs, 1, 1))
        yield from conv(f"{name}.conv_dw", (width, 1, 3, 3))
        yield from conv(f"{name}.project", (outputs, width, 1, 1), active=False)

    yield from conv("conv1", (32, 3, 3, 3))
    yield from conv("conv2_dw", (32, 1, 3, 3))
    yield from bottleneck("conv_23", 32, 103, 64)
    for i in range(4):
        yield from bottleneck(f"conv_3.model.{i}", 64, 13, 64)
    yield from bottleneck("conv_34", 64, 231, 128)
    for i, width in enumerate((231, 52, 26, 77, 26, 26)):
        yield from bottleneck(f"conv_4.model.{i}", 128, width, 128)
    yield from bottleneck("conv_45", 128, 308, 128)
    for i in range(2):
        yield from bottleneck(f"conv_5.model.{i}", 128, 26, 128)
    yield from conv("conv_6_sep", (512, 128, 1, 1))
    yield from conv("conv_6_dw", (512, 1, 5, 5), active=False)
    yield "linear.weight", (128, 512)
    for part in ("weight", "bias", "running_mean", "running_var"):
        yield f"bn.{part}", (128,)
    yield "prob.weight", (3, 128)


def random_state(seed: int = 0) -> State:
    chance = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in published_layout():
        values = torch.randn(shape, generator=chance)
        fan = max(1, values[0].numel()) if values.ndim > 1 else 1
        state[name] = values.abs() + 0.5 if name.endswith("running_var") else values / fan**0.5
    return state


def saved(state: object, path: Path) -> tuple[Path, str]:
    if path.suffix == ".safetensors":
        safetensors.torch.save_file(state, path)
    else:
        torch.save(state, path)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def picture(seed: int = 0, height: int = 360, width: int = 480) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


BOX = Box(190, 130, 100, 110)


def test_the_published_size() -> None:
    """0.435 M weights and 0.081 G operations, two for each multiplication."""
    net = MiniFASNet().eval()
    assert sum(p.numel() for p in net.parameters()) == 434_560
    products = 0

    def count(module: torch.nn.Module, _: object, out: Tensor) -> None:
        nonlocal products
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            products += out.numel() * module.weight[0].numel()

    for module in net.modules():
        module.register_forward_hook(count)
    net(torch.zeros(1, 3, 80, 80))
    assert 2 * products == pytest.approx(0.081e9, rel=0.01)


def test_the_published_layout() -> None:
    ours = {n: tuple(t.shape) for n, t in MiniFASNet().state_dict().items() if t.ndim}
    assert ours == dict(published_layout())


def forward(state: State, x: Tensor) -> Tensor:
    """The network once more, straight from the layout, without a module."""

    def block(name: str, x: Tensor, *, stride: int = 1, active: bool = True) -> Tensor:
        weight = state[f"{name}.conv.weight"]
        side, groups = weight.shape[-1], x.shape[1] // weight.shape[1]
        x = functional.conv2d(x, weight, None, stride, 1 if side == 3 else 0, groups=groups)
        parts = ("running_mean", "running_var", "weight", "bias")
        mean, var, scale, shift = (state[f"{name}.bn.{p}"][:, None, None] for p in parts)
        x = (x - mean) / (var + 1e-5).sqrt() * scale + shift
        if not active:
            return x
        return torch.where(x > 0, x, x * state[f"{name}.prelu.weight"][:, None, None])

    def bottleneck(name: str, x: Tensor, stride: int = 1) -> Tensor:
        wide = block(f"{name}.conv_dw", block(f"{name}.conv", x), stride=stride)
        return block(f"{name}.project", wide, active=False)

    x = block("conv2_dw", block("conv1", x, stride=2))
    for down, group, count in (("conv_23", "conv_3", 4), ("conv_34", "conv_4", 6)):
        x = bottleneck(down, x, 2)
        for i in range(count):
            x = x + bottleneck(f"{group}.model.{i}", x)
    x = bottleneck("conv_45", x, 2)
    for i in range(2):
        x = x + bottleneck(f"conv_5.model.{i}", x)
    x = block("conv_6_dw", block("conv_6_sep", x), active=False).flatten(1)
    x = x @ state["linear.weight"].T
    mean, var = state["bn.running_mean"], state["bn.running_var"]
    x = (x - mean) / (var + 1e-5).sqrt() * state["bn.weight"] + state["bn.bias"]
    return x @ state["prob.weight"].T


@pytest.mark.parametrize("name", ["net.pth", "net.safetensors"])
def test_what_it_says_is_what_the_layers_say(name: str, tmp_path: Path) -> None:
    state = random_state()
    network = LivenessNetwork(*saved(state, tmp_path / name))
    image = picture()
    around = surroundings(BOX, 480, 360)
    seen = image[around.y : around.bottom, around.x : around.right]
    bgr = cv2.resize(seen, (80, 80))[..., ::-1].transpose(2, 0, 1).astype(np.float32)
    expected = forward(state, torch.from_numpy(bgr)[None]).softmax(1)[0, LIVE].item()
    assert network.live_share(image, BOX) == pytest.approx(expected, abs=1e-4)


def test_names_of_a_parallel_run_and_a_count_of_batches(tmp_path: Path) -> None:
    state = random_state()
    plain = LivenessNetwork(*saved(state, tmp_path / "plain.pth"))
    wrapped = {f"module.{name}": values for name, values in state.items()}
    wrapped["module.conv1.bn.num_batches_tracked"] = torch.tensor(7)
    parallel = LivenessNetwork(*saved(wrapped, tmp_path / "parallel.pth"))
    assert parallel.live_share(picture(), BOX) == plain.live_share(picture(), BOX)


def without(name: str) -> Callable[[State], State]:
    return lambda state: {n: t for n, t in state.items() if n != name}


def also(name: str, values: Tensor) -> Callable[[State], State]:
    return lambda state: {**state, name: values}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (without("prob.weight"), "missing: prob.weight"),
        (also("FTGenerator.ft.0.weight", torch.ones(1)), "not of this network: FTGenerator"),
        (also("prob.weight", torch.ones(4, 128)), r"prob.weight \(4, 128\) instead of \(3, 128\)"),
        (also("bn.bias", torch.full((128,), torch.nan)), "not finite numbers: bn.bias"),
        (also("bn.bias", torch.ones(128, dtype=torch.int64)), "not finite numbers: bn.bias"),
        (lambda state: {"epoch": 3}, "something other than tensors"),
        (lambda state: {"model": state}, "something other than tensors"),
        (lambda state: list(state.values()), "something other than tensors"),
    ],
)
def test_a_file_that_does_not_fit_says_what_does_not(
    change: Callable[[State], object], told: str, tmp_path: Path
) -> None:
    path, sha256 = saved(change(random_state()), tmp_path / "net.pth")
    with pytest.raises(WeightsCorrupt, match=told):
        LivenessNetwork(path, sha256)


def test_a_few_names_are_told_not_three_hundred(tmp_path: Path) -> None:
    path, sha256 = saved({"prob.weight": torch.ones(3, 128)}, tmp_path / "net.pth")
    with pytest.raises(WeightsCorrupt, match=r"and \d{3} more") as raised:
        LivenessNetwork(path, sha256)
    assert len(str(raised.value)) < 300


def test_another_file_is_refused(tmp_path: Path) -> None:
    path, sha256 = saved(random_state(), tmp_path / "net.pth")
    LivenessNetwork(path, sha256.upper())
    for wrong in (hashlib.sha256(b"").hexdigest(), ""):
        with pytest.raises(WeightsCorrupt, match=sha256):
            LivenessNetwork(path, wrong)


def test_a_file_that_is_away(tmp_path: Path) -> None:
    with pytest.raises(WeightsNotFound, match=r"gone\.pth"):
        LivenessNetwork(tmp_path / "gone.pth", "0" * 64)


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise AssertionError('code in a file of weights was run')",)


@pytest.mark.parametrize("name", ["net.pth", "net.safetensors"])
@pytest.mark.parametrize(
    "content", [b"", b"no weights", pickle.dumps(Bomb(), 2)], ids=["empty", "text", "pickle"]
)
def test_what_is_no_file_of_weights_is_refused_and_never_run(
    name: str, content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(WeightsCorrupt, match="neither"):
        LivenessNetwork(path, hashlib.sha256(content).hexdigest())


def test_code_beside_the_tensors_is_not_run(tmp_path: Path) -> None:
    path, sha256 = saved({**random_state(), "extra": Bomb()}, tmp_path / "net.pth")
    with pytest.raises(WeightsCorrupt, match="neither"):
        LivenessNetwork(path, sha256)


def test_it_sees_the_face_and_what_is_round_it() -> None:
    assert surroundings(Box(200, 150, 40, 50), 480, 360) == Box(166, 107, 109, 136)
    assert surroundings(Box(-10, 5, 60, 60), 480, 360) == Box(0, 0, 163, 163)  # pushed inwards
    whole = surroundings(Box(100, 0, 300, 360), 480, 360)  # no room for more than the face
    assert (whole.y, whole.h) == (0, 360)


BOXES = st.builds(
    Box, st.integers(-500, 1000), st.integers(-500, 1000), st.integers(0, 600), st.integers(0, 600)
)


@given(BOXES, st.integers(2, 700), st.integers(2, 700))
def test_it_looks_at_nothing_beyond_the_picture(box: Box, width: int, height: int) -> None:
    around = surroundings(box, width, height)
    assert 0 <= around.x < around.right <= width
    assert 0 <= around.y < around.bottom <= height
    assert around.w <= SCALE * max(1, box.w) + 2
