"""A light function over the frozen backbone: 128 numbers become 128 others, made so that one
person's photos lie closer together. Applied in memory wherever encodings are compared; what is
stored stays the backbone's, so that another adapter can be put in use, or back, at once.

numpy alone, so that the web process may use it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from facerec.core.errors import WeightsCorrupt
from facerec.core.tensor_file import read_tensors, write_tensors
from facerec.core.types import ENCODING_SIZE, Encoding
from facerec.core.versions import BACKBONE_VERSION, SHIPPED_ADAPTER

_FORMAT = "likeness-adapter-1"
_SHAPES = {"weight": (ENCODING_SIZE, ENCODING_SIZE), "bias": (ENCODING_SIZE,)}
_SCALE = "scale."
FARTHEST = 0.2
"""|h| at most. LFW's faces have h from -0.13 to 0.17; beyond what was seen the nets guess, and a
face unlike any of them must not be drawn to others by a guess."""


@dataclass(frozen=True, eq=False)
class LocalScale:
    """exp(h(u)), how far to spread the faces around u: h(u) = v . silu(A u + a) + c, within ±0.2.

    Strangers do not lie evenly on the sphere: where faces crowd, one threshold lets more of them
    pass. h is fitted to how close u's nearest strangers are, so that a crowd is spread and one
    threshold means one rate everywhere: the cohort normalisation of speaker verification, in a
    form that keeps d a squared L2 and needs no cohort at hand. hidden: A (H, 128). shift: a (H,).
    out: v (H,). offset: c (1,).

    Sources: Auckenthaler et al. 2000 (cohort normalisation of scores); Zelnik-Manor and Perona
    2004 (a scale for each point from its neighbours).
    """

    hidden: NDArray[np.float32]
    shift: NDArray[np.float32]
    out: NDArray[np.float32]
    offset: NDArray[np.float32]

    def __post_init__(self) -> None:
        units = len(self.hidden)
        expected = (units, ENCODING_SIZE), (units,), (units,), (1,)
        for value, shape in zip(self.arrays().values(), expected, strict=True):
            if value.shape != shape or not np.isfinite(value).all():
                raise ValueError("a local scale has the wrong shape, or is not finite")

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __call__(self, units: Encoding) -> NDArray[np.float32]:
        """(..., 128) of unit length -> (..., 1), around 1."""
        z = units @ self.hidden.T + self.shift
        logarithm = (z / (1 + np.exp(-z))) @ self.out + self.offset[0]
        logarithm = np.clip(logarithm, -FARTHEST, FARTHEST)
        return np.asarray(np.exp(logarithm)[..., None], dtype=np.float32)


class Adapter:
    """g(x) = W x + b; where `unit` is set, u = g(x) / |g(x)|; with a `scale` too, u exp(h(u)).

    Plain, d(g(x1), g(x2)) = (x1 - x2)^T W^T W (x1 - x2), a Mahalanobis distance; b then cancels.
    With `unit`, d = 2 - 2 cos, in [0, 4]. d is a squared L2 in every case.
    """

    def __init__(
        self,
        weight: NDArray[np.floating[Any]],
        bias: NDArray[np.floating[Any]] | None = None,
        *,
        version: str,
        unit: bool = False,
        scale: LocalScale | None = None,
        backbone: str = BACKBONE_VERSION,
    ) -> None:
        """weight: (128, 128). bias: (128,), by default 0. version: the name that joins the
        backbone's in the encoder's. Raises ValueError for another shape, a value that is not
        finite, or a scale without unit length."""
        self.weight = np.ascontiguousarray(weight, dtype=np.float32)
        self.bias = np.array(
            np.zeros(ENCODING_SIZE) if bias is None else bias, dtype=np.float32, order="C"
        )
        self.version, self.unit, self.scale, self.backbone = version, unit, scale, backbone
        if scale is not None and not unit:
            raise ValueError("a local scale is that of encodings of unit length")
        for name, expected in _SHAPES.items():
            values = getattr(self, name)
            if values.shape != expected:
                raise ValueError(f"an adapter's {name} is {expected}, not {values.shape}")
            if not np.isfinite(values).all():
                raise ValueError(f"an adapter's {name} has values that are not finite")
        self._is_identity = (
            not unit and not self.bias.any() and np.array_equal(self.weight, np.eye(ENCODING_SIZE))
        )

    @property
    def encoder_version(self) -> str:
        """The name of the encoder that the backbone and this adapter make together."""
        return f"{self.backbone}+{self.version}" if self.version else self.backbone

    def __call__(self, encodings: Encoding) -> Encoding:
        """The backbone's encodings, (N, 128) or (128,) -> adapted ones, float32, the same shape.

        The identity gives back the very array that it was given.
        """
        if self._is_identity:
            return encodings
        adapted = encodings.astype(np.float32, copy=False) @ self.weight.T + self.bias
        if self.unit:
            length = np.linalg.norm(adapted, axis=-1, keepdims=True)
            adapted /= np.maximum(length, np.finfo(np.float32).tiny)
        if self.scale is not None:
            adapted *= self.scale(adapted)
        return np.asarray(adapted, dtype=np.float32)

    def with_map(
        self, weight: NDArray[np.floating[Any]], bias: NDArray[np.floating[Any]], version: str
    ) -> Self:
        """Another W and b in front of the same rest."""
        return type(self)(
            weight,
            bias,
            version=version,
            unit=self.unit,
            scale=self.scale,
            backbone=self.backbone,
        )

    def save(self, path: Path) -> str:
        """Writes the file and gives back its SHA-256."""
        arrays = {"weight": self.weight, "bias": self.bias}
        if self.scale is not None:
            arrays |= {_SCALE + name: value for name, value in self.scale.arrays().items()}
        about = {"version": self.version, "backbone": self.backbone, "unit": json.dumps(self.unit)}
        return write_tensors(path, arrays, format=_FORMAT, **about)

    @classmethod
    def load(cls, path: Path, sha256: str | None = None) -> Self:
        """The adapter in a file, which has the given SHA-256 if one is given.

        Raises WeightsNotFound, WeightsCorrupt.
        """
        arrays, about = read_tensors(path, format=_FORMAT, sha256=sha256)
        try:
            scale = {
                name.removeprefix(_SCALE): arrays.pop(name)
                for name in [*arrays]
                if name.startswith(_SCALE)
            }
            return cls(
                **arrays,
                version=about["version"],
                unit=json.loads(about["unit"]) is True,
                scale=LocalScale(**scale) if scale else None,
                backbone=about["backbone"],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise WeightsCorrupt(path, f"not an adapter: {error!r}") from error


IDENTITY = Adapter(np.eye(ENCODING_SIZE), version="")
"""The backbone's encodings as they are."""


@cache
def shipped() -> Adapter:
    """The adapter that comes with the backbone; the identity where there is none.

    Raises WeightsNotFound, WeightsCorrupt.
    """
    if not SHIPPED_ADAPTER:
        return IDENTITY
    return Adapter.load(Path(__file__).with_name(f"{SHIPPED_ADAPTER}.safetensors"))
