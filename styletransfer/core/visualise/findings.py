"""What a mining finds: the nine patches of each unit. No torch: the web process reads it too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as pack

from styletransfer.core.errors import CheckpointError

if TYPE_CHECKING:
    from styletransfer.core.visualise.networks import SeenNetwork

TOP = 9
"""Patches that are kept for a unit."""

Array = npt.NDArray[Any]


class Hit(NamedTuple):
    """A patch: how strongly the unit fires, in which view, at which position of the layer's map."""

    activation: float
    key: str
    row: int
    column: int


@dataclass
class _Tops:
    """The best of one layer's units, each (units, TOP), best first; activation 0 is no patch."""

    activation: npt.NDArray[np.float32]
    serial: npt.NDArray[np.int32]
    row: npt.NDArray[np.int16]
    column: npt.NDArray[np.int16]

    @classmethod
    def empty(cls, units: int) -> Self:
        shape = (units, TOP)
        none = np.full(shape, -1, np.int32)
        return cls(
            np.zeros(shape, np.float32), none, np.zeros(shape, np.int16), np.zeros(shape, np.int16)
        )

    def take(self, activation: Array, serial: Array, row: Array, column: Array) -> None:
        """Candidates, each (units, n), in the order of the pictures: of equals the first stays."""
        every = np.concatenate([self.activation, activation], 1)
        best = np.argsort(-every, axis=1, kind="stable")[:, :TOP]

        def chosen(old: Array, new: Array) -> Array:
            return np.take_along_axis(np.concatenate([old, new.astype(old.dtype)], 1), best, 1)

        self.activation = np.take_along_axis(every, best, 1)
        self.serial = np.where(self.activation > 0, chosen(self.serial, serial), -1)
        self.row, self.column = chosen(self.row, row), chosen(self.column, column)


class Findings:
    """The state of a mining, small whatever the corpus: the top nine and the counts.

    done: pictures taken, unreadable ones among them. faceless: pictures in which the network had
    nothing to look at.
    """

    def __init__(self, network: str, version: str, units: Mapping[str, int]) -> None:
        self.network, self.version = network, version
        self.done = self.unreadable = self.faceless = 0
        self._views = 0  # their serial numbers
        self._keys: dict[int, str] = {}
        self._tops = {layer: _Tops.empty(count) for layer, count in units.items()}

    @classmethod
    def begin(cls, network: SeenNetwork) -> Self:
        """Nothing seen yet."""
        return cls(network.name, network.version, {i.name: i.units for i in network.layers})

    @property
    def layers(self) -> tuple[str, ...]:
        return tuple(self._tops)

    def fits(self, network: SeenNetwork) -> bool:
        """Whether these are findings of this very network."""
        units = {info.name: info.units for info in network.layers}
        of_ours = {layer: len(top.activation) for layer, top in self._tops.items()}
        return (self.network, self.version, of_ours) == (network.name, network.version, units)

    def best(self, layer: str) -> list[list[Hit]]:
        """Each unit's patches, the strongest first; fewer than nine where it fired more seldom.

        Raises KeyError for an unknown layer.
        """
        top = self._tops[layer]
        return [
            [
                Hit(float(a), self._keys[int(s)], int(r), int(c))
                for a, s, r, c in zip(*unit, strict=True)
                if a > 0
            ]
            for unit in zip(top.activation, top.serial, top.row, top.column, strict=True)
        ]

    def kept(self) -> set[str]:
        """The keys of the views that stand among some unit's nine."""
        return set(self._keys.values())

    def take(self, keys: list[str], maxima: Mapping[str, tuple[Array, Array, Array]]) -> set[str]:
        """The next views' best positions: {layer: (activation, row, column)}, each (views, units).

        Gives the keys of those that came among some unit's nine.
        """
        serials = np.arange(self._views, self._views + len(keys), dtype=np.int32)
        self._views += len(keys)
        for layer, (activation, row, column) in maxima.items():
            serial = np.broadcast_to(serials, activation.T.shape)
            self._tops[layer].take(activation.T, serial, row.T, column.T)
        self._keys |= dict(zip(serials.tolist(), keys, strict=True))
        alive = {s for top in self._tops.values() for s in np.unique(top.serial).tolist()}
        self._keys = {serial: key for serial, key in self._keys.items() if serial in alive}
        return {self._keys[s] for s in serials.tolist() if s in self._keys}

    def to_bytes(self) -> bytes:
        """As safetensors."""
        arrays = {
            f"{layer}.{part}": np.ascontiguousarray(values)
            for layer, top in self._tops.items()
            for part, values in vars(top).items()
        }
        about = {
            "network": self.network,
            "version": self.version,
            "counts": [self.done, self.unreadable, self.faceless, self._views],
            "keys": list(self._keys.items()),
        }
        return pack(arrays, {"mining": json.dumps(about)})

    @classmethod
    def load(cls, path: Path) -> Self:
        """What `to_bytes` made, from a file. Raises CheckpointError where it cannot be read."""
        try:
            with safe_open(path, framework="numpy") as file:
                about = json.loads(file.metadata()["mining"])
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            layers: dict[str, dict[str, Array]] = {}
            for name, values in arrays.items():
                layer, _, part = name.rpartition(".")
                layers.setdefault(layer, {})[part] = values
            found = cls(about["network"], about["version"], {})
            found._tops = {layer: _Tops(**parts) for layer, parts in layers.items()}
            found.done, found.unreadable, found.faceless, found._views = about["counts"]
            found._keys = {int(serial): str(key) for serial, key in about["keys"]}
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{path.name} is no state of a mining") from error
        return found
