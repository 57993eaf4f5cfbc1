"""Reads the published dlib face recognition ResNet from its own file, without dlib.

The format is dlib's serialisation (dlib/serialize.h, dlib/dnn/core.h, dlib/dnn/layers.h): an
integer is a header byte (low 4 bits: how many bytes follow; 0x80: negative) and little-endian
bytes; a float is an integer mantissa and an integer exponent, m * 2^e; a string is its length
and its bytes; a bool is the ASCII digit 0 or 1; a tensor is a version, four dimensions and raw
little-endian float32. The network is a nested type, so its layers follow one another from the
input to the output.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facerec.core.errors import WeightsCorrupt, WeightsNotFound
from facerec.core.versions import ENCODER_SHA256, ENCODER_WEIGHTS

Array = NDArray[np.float32]

_PACKAGE = "face_recognition_models"
_INPUT_LAYER = b"\x01\x15input_rgb_image_sized"  # an integer 21, the name's length, and the name
_LAYERS = 108
_CONVOLUTIONS = 29


@dataclass(frozen=True, slots=True)
class ConvAffine:
    """A convolution and the per-channel affine (a frozen batch norm) that follows it.

    y = gamma * (weight * x + bias) + beta. weight: (out, in, h, w); the others: (out,).
    """

    weight: Array
    bias: Array
    gamma: Array
    beta: Array
    stride: int
    padding: int


@dataclass(frozen=True, slots=True)
class FaceNetWeights:
    """All numbers of the network. mean: (3,) RGB in 0..255; projection: (256, 128), y = x W."""

    mean: Array
    chip_size: int
    convolutions: tuple[ConvAffine, ...]
    projection: Array


def find_model_file(name: str, folder: Path | None = None) -> Path:
    """Where a model file lies: in folder, or in the installed `face_recognition_models`.

    The package is located but not imported: it imports pkg_resources, which setuptools dropped.
    Raises WeightsNotFound.
    """
    if folder is not None:
        places = [folder]
    else:
        spec = importlib.util.find_spec(_PACKAGE)
        roots = (spec.submodule_search_locations or []) if spec else []
        places = [Path(root) / "models" for root in roots]
    for place in places:
        if (place / name).is_file():
            return place / name
    raise WeightsNotFound(name, str(folder) if folder else f"the package {_PACKAGE}")


def read_verified(path: Path, sha256: str | None) -> bytes:
    """The file's bytes, if they have this checksum. Raises WeightsNotFound, WeightsCorrupt."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise WeightsNotFound(path.name, str(path.parent)) from None
    found = hashlib.sha256(data).hexdigest()
    if sha256 is not None and found != sha256:
        raise WeightsCorrupt(path, f"sha256 is {found}, expected {sha256}")
    return data


def load_face_net(
    path: Path | None = None, *, sha256: str | None = ENCODER_SHA256
) -> FaceNetWeights:
    """Reads and checks the network's file.

    path: the .dat file; by default the one in `face_recognition_models`.
    sha256: what its checksum must be; None takes any file of this architecture.
    Raises WeightsNotFound, WeightsCorrupt.
    """
    path = path or find_model_file(ENCODER_WEIGHTS)
    try:
        return parse_face_net(read_verified(path, sha256))
    except ValueError as error:
        raise WeightsCorrupt(path, str(error)) from error


def parse_face_net(data: bytes) -> FaceNetWeights:
    """The network in a .dat file's bytes. Raises ValueError where they are not one."""
    start = data.find(_INPUT_LAYER)
    if start < 0:
        raise ValueError("not a dlib face recognition network")
    reader = _Reader(data, start + len(_INPUT_LAYER))
    mean = np.array([reader.read_float() for _ in range(3)], dtype=np.float32)
    size = {reader.read_int(), reader.read_int()}
    layers = list(_layers(reader))
    if not reader.at_end:
        raise ValueError("the file goes on after its last layer")
    convolutions = []
    projection = None
    for layer, following in zip(layers, [*layers[1:], None], strict=True):
        if layer.name == "con_4":
            if following is None or following.name != "affine_":
                raise ValueError("a convolution is not followed by its affine")
            convolutions.append(_conv_affine(layer, following))
        elif layer.name == "fc_2":
            projection = layer.tensor.reshape(256, 128)
    if len(convolutions) != _CONVOLUTIONS or projection is None or len(size) != 1:
        raise ValueError("not the architecture of dlib's face recognition network")
    return FaceNetWeights(mean, size.pop(), tuple(convolutions), projection)


@dataclass(frozen=True, slots=True)
class _Layer:
    name: str
    tensor: Array
    ints: tuple[int, ...]


class _Reader:
    """Walks over dlib's serialised values. Every method raises ValueError at a broken one."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data = data
        self._position = position

    @property
    def at_end(self) -> bool:
        return self._position == len(self._data)

    def read_bytes(self, count: int) -> bytes:
        end = self._position + count
        if count < 0 or end > len(self._data):
            raise ValueError(f"the file ends early, at byte {len(self._data)}")
        chunk = self._data[self._position : end]
        self._position = end
        return chunk

    def read_int(self) -> int:
        header = self.read_bytes(1)[0]
        count = header & 0x0F
        if header & 0x70 or not 1 <= count <= 8:
            raise ValueError(f"byte {self._position - 1} is no integer's header")
        value = int.from_bytes(self.read_bytes(count), "little")
        return -value if header & 0x80 else value

    def read_float(self) -> float:
        mantissa, exponent = self.read_int(), self.read_int()
        if abs(exponent) > 1100:  # beyond a double's range lie dlib's inf and nan
            raise ValueError(f"no finite float before byte {self._position}")
        return mantissa * 2.0**exponent

    def read_string(self) -> str:
        return self.read_bytes(self.read_int()).decode("ascii")

    def read_bool(self) -> bool:
        digit = self.read_bytes(1)
        if digit not in (b"0", b"1"):
            raise ValueError(f"byte {self._position - 1} is no bool")
        return digit == b"1"

    def read_shape(self) -> tuple[int, ...]:
        """A tensor's version and dimensions, which are also all of an alias tensor."""
        self.read_int()
        return tuple(self.read_int() for _ in range(4))

    def read_tensor(self) -> Array:
        count = prod(self.read_shape())
        values = np.frombuffer(self.read_bytes(4 * count), dtype="<f4")
        if not np.isfinite(values).all():
            raise ValueError(f"a weight before byte {self._position} is not finite")
        return values.astype(np.float32)


_EMPTY = np.empty(0, dtype=np.float32)
_POOLS = ("max_pool_2", "avg_pool_2")
_BARE = ("relu_", "add_prev_")


def _layers(reader: _Reader) -> Iterator[_Layer]:
    """The layer records in order; tag and skip layers leave none."""
    for position in range(_LAYERS):
        yield _payload(reader, reader.read_string())
        for _ in range(3):  # set up, gradient stale, gradient disabled
            reader.read_bool()
        for _ in range(3):  # gradients and cached output: empty in a trained file
            reader.read_tensor()
        if position == 0:
            reader.read_int()  # only the layer on the input: its sample expansion factor


def _payload(reader: _Reader, name: str) -> _Layer:
    if name == "con_4":
        tensor = reader.read_tensor()
        ints = tuple(
            reader.read_int() for _ in range(7)
        )  # filters, rows, columns, strides, paddings
        _skip(reader, aliases=2, floats=4)
    elif name == "affine_":
        tensor = reader.read_tensor()
        _skip(reader, aliases=2)
        ints = (reader.read_int(),)
    elif name == "fc_2":
        ints = (reader.read_int(), reader.read_int())
        tensor = reader.read_tensor()
        _skip(reader, aliases=2)
        reader.read_int()
        _skip(reader, floats=4)
    elif name in _POOLS:
        tensor, ints = _EMPTY, tuple(reader.read_int() for _ in range(6))
    elif name in _BARE:
        tensor, ints = _EMPTY, ()
    else:
        raise ValueError(f"an unknown layer {name!r}")
    return _Layer(name, tensor, ints)


def _skip(reader: _Reader, *, aliases: int = 0, floats: int = 0) -> None:
    for _ in range(aliases):
        reader.read_shape()
    for _ in range(floats):
        reader.read_float()


def _conv_affine(conv: _Layer, affine: _Layer) -> ConvAffine:
    filters, rows, columns, stride, _, padding, _ = conv.ints
    gamma, beta = affine.tensor.reshape(2, filters)
    return ConvAffine(
        weight=conv.tensor[:-filters].reshape(filters, -1, rows, columns),
        bias=conv.tensor[-filters:],
        gamma=gamma,
        beta=beta,
        stride=stride,
        padding=padding,
    )
