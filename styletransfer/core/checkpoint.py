"""Checkpoints: a painting in the making as one safetensors file, so that loading runs no code."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from styletransfer.core.errors import CheckpointError
from styletransfer.core.types import Losses

_OPTIMISER = "optimiser."
_FORMAT = "1"


@dataclass(frozen=True)
class PaintState:
    """A painting between two steps.

    image: G, (1, 3, H, W) float32. optimiser: the optimiser's own tensors. fingerprint: of the
    pictures, the recipe and the extractor; a state only fits a painting with the same.
    """

    step: int
    image: Tensor
    optimiser: Mapping[str, Tensor]
    losses: Losses
    fingerprint: str


def save_checkpoint(path: Path, state: PaintState) -> None:
    """Write the state to path, whole or not at all: written aside, flushed, then renamed."""
    tensors = {"image": state.image} | {_OPTIMISER + k: v for k, v in state.optimiser.items()}
    metadata = {
        "format": _FORMAT,
        "step": str(state.step),
        "losses": json.dumps(state.losses.to_dict()),
        "fingerprint": state.fingerprint,
    }
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        save_file({k: v.contiguous().cpu() for k, v in tensors.items()}, aside, metadata)
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


def load_checkpoint(path: Path) -> PaintState:
    """The state in path. Raises CheckpointError where there is none, or it is damaged."""
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118
        if metadata.get("format") != _FORMAT:
            raise CheckpointError(f"{path.name} is no checkpoint of this version")
        return PaintState(
            step=int(metadata["step"]),
            image=tensors.pop("image"),
            optimiser={k.removeprefix(_OPTIMISER): v for k, v in tensors.items()},
            losses=Losses(**json.loads(metadata["losses"])),
            fingerprint=metadata["fingerprint"],
        )
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise CheckpointError(f"{path.name} cannot be read as a checkpoint") from error
