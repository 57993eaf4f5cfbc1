"""Checkpoints: what is in the making as one safetensors file, so that loading runs no code."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from styletransfer.core.errors import CheckpointError

_FORMAT = "1"

LossesT = TypeVar("LossesT")


@dataclass(frozen=True)
class State(Generic[LossesT]):
    """Something in the making, between two steps.

    tensors: `x`, what is changed, and whatever else changes it (`descent.py`). fingerprint: of
    inputs, recipe and extractor; a state only fits the making of the same.
    """

    step: int
    tensors: Mapping[str, Tensor]
    losses: LossesT
    fingerprint: str

    @property
    def x(self) -> Tensor:
        """What is changed step by step: for a picture G, (1, 3, H, W) float32."""
        return self.tensors["x"]


def save_checkpoint(path: Path, state: State[Any]) -> None:
    """Write the state to path, whole or not at all: written aside, flushed, then renamed."""
    metadata = {
        "format": _FORMAT,
        "step": str(state.step),
        "losses": json.dumps(asdict(state.losses)),
        "fingerprint": state.fingerprint,
    }
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        save_file({k: v.contiguous().cpu() for k, v in state.tensors.items()}, aside, metadata)
        with aside.open("rb+") as file:
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # makes the rename itself durable
    finally:
        os.close(folder)


def load_checkpoint(path: Path, losses: type[LossesT]) -> State[LossesT]:
    """The state in path, with losses of that class.

    Raises CheckpointError where there is none, or it is damaged.
    """
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118
        if metadata.get("format") != _FORMAT:
            raise CheckpointError(f"{path.name} is no checkpoint of this version")
        if "image" in tensors:  # as earlier versions called it
            tensors["x"] = tensors.pop("image")
        return State(
            step=int(metadata["step"]),
            tensors=tensors,
            losses=losses(**json.loads(metadata["losses"])),
            fingerprint=metadata["fingerprint"],
        )
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise CheckpointError(f"{path.name} cannot be read as a checkpoint") from error
