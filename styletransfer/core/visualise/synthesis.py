"""A picture made to excite one unit: gradient ascent on the picture, the network stays constant.

Sources: Erhan et al. 2009 (activation maximisation); Yosinski et al. 2015 (it wants a prior on
pictures); Olah, Mordvintsev and Schubert, "Feature Visualization" (Distill 2017): the picture is
changed as a Fourier spectrum with decorrelated colours, and shown to the network from a slightly
other place at every step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from styletransfer.core.images import to_pixels
from styletransfer.core.visualise.layers import LayerInfo
from styletransfer.core.visualise.networks import SeenNetwork, info_of

STEPS = 96
_RATES = (0.1, 0.1, 0.1, 0.06, 0.06)
"""Of Adam, in layers 1 … 5."""

_DECAY = 1.15
"""Amplitudes fall as f^-decay: natural pictures have about 1."""

_SMOOTHNESS = (0.02, 0.02, 0.05, 0.15, 0.15)
"""Weight of total variation in layers 1 … 5, against the unit's own scale: without it the deep ones
are driven by fine noise that no picture has."""

_START = 0.15

_EVERYWHERE = 0.7
"""Share of the whole map in what is maximised; the rest is the unit in the middle, without which
nothing would grow where the unit seldom fires."""

_SILENT = 0.01
"""How much a silent place counts against the picture: a unit that few pictures excite must not be
driven to a grey that displeases it nowhere."""

# RGB of lightness, blue against yellow, and green against red: the directions along which colours
# of natural pictures vary on their own (Ruderman et al. 1998), weighted about as they do.
_COLOURS = ((0.56, 0.16, 0.06), (0.56, 0.00, -0.12), (0.56, -0.16, 0.06))


@dataclass(frozen=True)
class Excited:
    """One step. activation: the unit's largest over the picture, after the ReLU. image: (3, H, W)
    RGB in [0, 1]."""

    step: int
    steps: int
    activation: float
    image: Tensor

    def picture(self) -> Image.Image:
        return Image.fromarray(to_pixels(self.image))


def excite(
    network: SeenNetwork,
    layer: str,
    unit: int,
    *,
    steps: int = STEPS,
    seed: int = 0,
    every: int = 8,
) -> Iterator[Excited]:
    """Change noise until the unit fires as much as it can, everywhere in the picture.

    Yields at step 0, then every so many steps and at the last. What is maximised is made of z, what
    goes into the layer's ReLU, so that there is a gradient where the unit is silent:
    0.3 · z[middle] / n^¾ + 0.7 · mean over the map's n places of (z where positive, else 0.01 z).
    Raises KeyError for an unknown layer, IndexError for an unknown unit.
    """
    info = info_of(network, layer)
    if not 0 <= unit < info.units:
        raise IndexError(f"{layer} has {info.units} units")
    side, jitter = canvas_side(network.name, info), max(2, info.receptive.stride // 2)
    random = torch.Generator().manual_seed(seed)
    canvas = _Canvas(side + 2 * jitter, random, network.device)
    ascent = torch.optim.Adam([canvas.spectrum], _RATES[info.group - 1])
    for step in range(steps + 1):
        if step % every == 0 or step == steps:
            middle = canvas.image(jitter, jitter, side).detach()
            with torch.no_grad():
                found = network(middle, [layer])[layer][0, unit]
            yield Excited(step, steps, float(found.max()), middle[0])
        if step < steps:
            top, left = torch.randint(0, 2 * jitter + 1, (2,), generator=random).tolist()
            image = canvas.image(top, left, side)
            value = _excitement(_before_the_relu(network, image, layer)[0, unit])
            scale = value.detach().abs() + 1e-3
            loss = _SMOOTHNESS[info.group - 1] * _variation(image) - value / scale
            (canvas.spectrum.grad,) = torch.autograd.grad(loss, canvas.spectrum)
            ascent.step()


def _excitement(before: Tensor) -> Tensor:
    """(h, w), what goes into the ReLU, to what is maximised."""
    rows, columns = before.shape
    middle = before[rows // 2, columns // 2] / (rows * columns) ** 0.75
    everywhere = functional.leaky_relu(before, _SILENT).mean()
    value: Tensor = (1 - _EVERYWHERE) * middle + _EVERYWHERE * everywhere
    return value


def canvas_side(network: str, info: LayerInfo) -> int:
    """Pixels of the picture's side: a face's chip; else four receptive fields, 32 … 128, or one
    where that is larger."""
    if network == "face":
        return 150
    size = info.receptive.size
    return max(size, min(128, max(32, 4 * size)))


class _Canvas:
    """A picture as a Fourier spectrum of decorrelated colours."""

    def __init__(self, side: int, random: torch.Generator, device: torch.device) -> None:
        across, down = torch.fft.rfftfreq(side)[None], torch.fft.fftfreq(side)[:, None]
        amplitude = torch.hypot(across, down).clamp_min(1 / side) ** -_DECAY
        self._amplitude = (amplitude / amplitude.pow(2).mean().sqrt()).to(device)
        self._colours = torch.tensor(_COLOURS, device=device)
        self._side = side
        noise = torch.randn(1, 3, *amplitude.shape, 2, generator=random)
        self.spectrum = (_START * noise).to(device).requires_grad_()

    def image(self, top: int, left: int, side: int) -> Tensor:
        """(1, 3, side, side) RGB in [0, 1], cut from that corner."""
        spectrum = torch.view_as_complex(self.spectrum) * self._amplitude
        plain = torch.fft.irfft2(spectrum, s=(self._side, self._side), norm="ortho")
        plain = plain[..., top : top + side, left : left + side]
        image: Tensor = torch.einsum("nchw,dc->ndhw", plain, self._colours)
        return image.mul(2).sigmoid()


class _ReluInputs(TorchFunctionMode):
    """Remembers what went into each ReLU."""

    _relus = (functional.relu, torch.relu, torch.Tensor.relu)

    def __init__(self) -> None:
        super().__init__()
        self._inputs: list[tuple[Tensor, Tensor]] = []

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in self._relus:
            self._inputs.append((result, args[0]))
        return result

    def of(self, result: Tensor) -> Tensor:
        """What the ReLU of that result was given."""
        return next(given for made, given in self._inputs if made is result)


def _before_the_relu(network: SeenNetwork, image: Tensor, layer: str) -> Tensor:
    with _ReluInputs() as inputs:
        before: Tensor = inputs.of(network(image, [layer])[layer])
    return before


def _variation(image: Tensor) -> Tensor:
    """Mean squared difference of neighbours, both ways, over 0.01."""
    across = (image[..., 1:] - image[..., :-1]).pow(2).mean()
    down = (image[..., 1:, :] - image[..., :-1, :]).pow(2).mean()
    variation: Tensor = (across + down) / 0.01
    return variation
