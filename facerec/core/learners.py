"""The two things that can be trained: an adapter over the frozen backbone, or its last blocks."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from facerec.core.adapter import FARTHEST, IDENTITY, Adapter
from facerec.core.dlib_weights import load_face_net
from facerec.core.encoder import VIEWS, FaceNet, views
from facerec.core.types import Encoding

_TRUNK_BATCH = 16


class Learner(Protocol):
    """A network with some trainable tensors.

    trainable: by name; leaves that carry gradients. prepared: yields (done, total) while faces
    are brought into the form that the network takes, and keeps them. forward: indices of prepared
    faces (B,) -> encodings (B, 128).
    """

    trainable: dict[str, Tensor]

    def prepare(self, faces: NDArray[Any]) -> Iterator[tuple[int, int]]: ...

    def forward(self, indices: NDArray[np.int64]) -> Tensor: ...


class AdapterLearner:
    """g(x) = W x + b over frozen encodings (N, 128), begun at a given adapter, by default the
    identity: what is learned is how to depart from the backbone."""

    def __init__(self, device: torch.device, start: Adapter = IDENTITY) -> None:
        self._device, self._start = device, start
        self.trainable = {
            name: torch.from_numpy(values.copy()).to(device).requires_grad_()
            for name, values in (("weight", start.weight), ("bias", start.bias))
        }
        self._rest = _Rest(start, device)

    def prepare(self, faces: Encoding) -> Iterator[tuple[int, int]]:
        self._base = np.asarray(faces, dtype=np.float32)
        yield len(faces), len(faces)

    def forward(self, indices: NDArray[np.int64]) -> Tensor:
        x = torch.from_numpy(self._base[indices]).to(self._device)
        return self._rest(x @ self.trainable["weight"].T + self.trainable["bias"])

    def adapter(self, arrays: dict[str, NDArray[Any]], version: str) -> Adapter:
        """These weights as what is put in use."""
        return self._start.with_map(arrays["weight"], arrays["bias"], version)


class _Rest:
    """What an adapter does after W x + b. It stays as it is, and the local scale has no gradient:
    to spread all faces by it would lower the loss and tell nobody apart."""

    def __init__(self, adapter: Adapter, device: torch.device) -> None:
        self._unit = adapter.unit
        scale = adapter.scale.arrays().items() if adapter.scale else ()
        self._scale = {name: torch.from_numpy(values).to(device) for name, values in scale}

    def __call__(self, y: Tensor) -> Tensor:
        if self._unit:
            y = functional.normalize(y)
        if self._scale:
            z = functional.silu(y.detach() @ self._scale["hidden"].T + self._scale["shift"])
            logarithm = (z @ self._scale["out"] + self._scale["offset"]).clamp(-FARTHEST, FARTHEST)
            y = y * logarithm.exp()[:, None]
        return y


class BlocksLearner:
    """The last residual blocks' convolutions and the projection, from chips (N, 150, 150, 3), by
    what a frozen adapter makes of their encodings: that is what will be compared.

    The biases stay: with the batch norms folded into the convolutions they are the norms' shifts,
    and a batch of a few people would only unsettle them. What the frozen trunk makes of a
    chip's views is computed once and kept in a file without a name, 16 to 32 kB a view, so that
    memory stays bounded and a step costs the last blocks alone.
    """

    def __init__(
        self,
        device: torch.device,
        blocks: int,
        weights_path: Path | None = None,
        *,
        through: Adapter = IDENTITY,
    ) -> None:
        """Raises WeightsNotFound, WeightsCorrupt."""
        self._device, self._blocks = device, blocks
        self._weight, self._bias = (
            torch.from_numpy(values).to(device) for values in (through.weight, through.bias)
        )
        self._rest = _Rest(through, device)
        net = FaceNet(load_face_net(weights_path)).eval().requires_grad_(False)
        self._net = net.to(device)
        self.trainable = trainable_tensors(self._net, blocks)
        for tensor in self.trainable.values():
            tensor.requires_grad_()

    def prepare(self, faces: NDArray[np.uint8]) -> Iterator[tuple[int, int]]:
        file = tempfile.TemporaryFile()  # noqa: SIM115  it goes with the array that maps it
        for start in range(0, len(faces), _TRUNK_BATCH):
            chips = np.asarray(faces[start:][:_TRUNK_BATCH])
            with torch.no_grad():
                looks = views(self._pixels(chips)).flatten(0, 1)
                features = self._net.trunk(looks, self._blocks).cpu().numpy()
            features = features.reshape(len(chips), VIEWS, *features.shape[1:])
            if start == 0:
                shape = len(faces), *features.shape[1:]
                self._features = np.memmap(file, np.float32, "w+", shape=shape)
            self._features[start:][: len(chips)] = features
            yield start + len(chips), len(faces)

    def forward(self, indices: NDArray[np.int64]) -> Tensor:
        features = torch.from_numpy(self._features[indices]).to(self._device)
        encodings = self._net.tail(features.flatten(0, 1), self._blocks)
        mean = encodings.view(len(indices), VIEWS, -1).mean(dim=1)
        return self._rest(mean @ self._weight.T + self._bias)

    def _pixels(self, chips: NDArray[np.uint8]) -> Tensor:
        x = torch.from_numpy(np.array(chips, order="C")).to(self._device)
        return x.permute(0, 3, 1, 2).float()


def trainable_tensors(net: FaceNet, blocks: int) -> dict[str, Tensor]:
    """The tensors of a net that training its last so many blocks changes, by their names."""
    first = len(net.blocks) - blocks
    names = [
        f"blocks.{block}.{half}.weight"
        for block in range(first, len(net.blocks))
        for half in ("first", "second")
    ]
    state = net.state_dict(keep_vars=True)
    return {name: state[name] for name in (*names, "projection")}
