"""From a recipe to its generator."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import cast

from styletransfer.core.pieces import PieceRecipe
from styletransfer.core.synthesis.types import Compose, Inputs, PieceIterate, PieceState, Tools

MODULES = {
    ("sound", "transfer"): "sound",
    ("sound", "texture"): "sound",
    ("signal", "texture"): "signal",
    ("volume", "texture"): "volume",
    ("volume", "solid"): "solid",
    ("clip", "transfer"): "clip",
}


def compose(
    inputs: Inputs, recipe: PieceRecipe, tools: Tools, state: PieceState | None = None
) -> Iterator[PieceIterate]:
    """Make the piece that the recipe asks for; see `types.Compose`."""
    module = import_module(f"styletransfer.core.synthesis.{MODULES[recipe.medium, recipe.goal]}")
    return cast(Compose, module.compose)(inputs, recipe, tools, state)
