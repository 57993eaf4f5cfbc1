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

from facerec.core.adapter import IDENTITY, Adapter
from facerec.core.dlib_weights import load_face_net
from facerec.core.encoder import FaceNet
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

    def prepare(self, faces: Encoding) -> Iterator[tuple[int, int]]:
        self._base = np.asarray(faces, dtype=np.float32)
        yield len(faces), len(faces)

    def forward(self, indices: NDArray[np.int64]) -> Tensor:
        x = torch.from_numpy(self._base[indices]).to(self._device)
        y = x @ self.trainable["weight"].T + self.trainable["bias"]
        return torch.nn.functional.normalize(y) if self._start.unit else y

    def adapter(self, arrays: dict[str, NDArray[Any]], version: str) -> Adapter:
        """These weights as what is put in use."""
        return Adapter(
            arrays["weight"],
            arrays["bias"],
            version=version,
            unit=self._start.unit,
            backbone=self._start.backbone,
        )


class BlocksLearner:
    """The last residual blocks' convolutions and the projection, from chips (N, 150, 150, 3).

    The biases stay: with the batch norms folded into the convolutions they are the norms' shifts,
    and a batch of a few people would only unsettle them. What the frozen trunk makes of each chip
    and of its mirror image is computed once and kept in a file without a name, 16 to 32 kB a view,
    so that memory stays bounded and a step costs the last blocks alone.
    """

    def __init__(self, device: torch.device, blocks: int, weights_path: Path | None = None) -> None:
        """Raises WeightsNotFound, WeightsCorrupt."""
        self._device, self._blocks = device, blocks
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
                features = self._net.trunk(self._views(chips), self._blocks).cpu().numpy()
            if start == 0:
                shape = len(faces), 2, *features.shape[1:]
                self._features = np.memmap(file, np.float32, "w+", shape=shape)
            self._features[start:][: len(chips), 0] = features[: len(chips)]
            self._features[start:][: len(chips), 1] = features[len(chips) :]
            yield start + len(chips), len(faces)

    def forward(self, indices: NDArray[np.int64]) -> Tensor:
        features = torch.from_numpy(self._features[indices]).to(self._device)
        encodings = self._net.tail(features.flatten(0, 1), self._blocks)
        return encodings.view(len(indices), 2, -1).mean(dim=1)

    def _views(self, chips: NDArray[np.uint8]) -> Tensor:
        both = np.ascontiguousarray(np.concatenate([chips, chips[:, :, ::-1]]))
        return torch.from_numpy(both).to(self._device).permute(0, 3, 1, 2).float()


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
