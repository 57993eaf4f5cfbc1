"""A piece in the making on disk: the same file as a painting's."""

from __future__ import annotations

from pathlib import Path

from styletransfer.core.checkpoint import load_checkpoint, save_checkpoint
from styletransfer.core.pieces import PieceLosses
from styletransfer.core.synthesis.types import PieceState


def save_piece(path: Path, state: PieceState) -> None:
    """Write the state to path, whole or not at all."""
    save_checkpoint(path, state)


def load_piece(path: Path) -> PieceState:
    """The state in path. Raises CheckpointError where there is none, or it is damaged."""
    return load_checkpoint(path, PieceLosses)
