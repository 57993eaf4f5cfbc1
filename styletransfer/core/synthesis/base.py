"""What all pieces share: the loop, what is told of each step, and the fingerprint."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from styletransfer.core.descent import Descent, Objective
from styletransfer.core.media.types import Medium, Pixels
from styletransfer.core.optimisers import HISTORY, Bounds, build_optimiser
from styletransfer.core.pieces import Figure, PieceLosses, PieceRecipe
from styletransfer.core.synthesis.types import Inputs, PieceIterate, PieceState


class Rendering(Protocol):
    """A medium's own part: what x, the tensor that is optimised, looks and sounds like."""

    def picture(self, x: Tensor) -> Pixels:
        """See PieceIterate."""

    def header(self, x: Tensor) -> dict[str, Any]:
        """See PieceIterate."""

    def result(self, x: Tensor) -> Medium:
        """See PieceIterate."""

    def figures(self, x: Tensor) -> list[Figure]:
        """See PieceIterate."""


def make(
    start: Tensor,
    objective: Objective[PieceLosses],
    recipe: PieceRecipe,
    rendering: Rendering,
    *,
    fingerprint: str,
    filters: Mapping[str, str],
    state: PieceState | None = None,
    bounds: Bounds = (0.0, 1.0),
    natural: float = 1.0,
    history: int = HISTORY,
) -> Iterator[PieceIterate]:
    """Change start step by step, yielding it first and then every step.

    filters: {name, version} of what features are compared with. bounds: of the values of x; None:
    it has none. natural: J's size for something without likeness; its value at the start counts
    where that is larger. history: what L-BFGS remembers.
    Raises DivergedError when J leaves all bounds, CheckpointError when the state belongs to
    another piece.
    """
    rate = recipe.effective_learning_rate
    descent = Descent(
        start,
        objective,
        build_optimiser(recipe.optimiser, rate, bounds, history),
        steps=recipe.steps,
        natural=natural,
        fingerprint=fingerprint,
    )
    for step, losses in descent.run(state):
        yield _Iterate(step, recipe.steps, losses, descent, rendering, dict(filters))


@dataclass(frozen=True)
class _Iterate:
    """See PieceIterate."""

    step: int
    steps: int
    losses: PieceLosses
    _descent: Descent[PieceLosses]
    _rendering: Rendering
    _filters: dict[str, str]

    def picture(self) -> Pixels:
        return self._rendering.picture(self._descent.x)

    def header(self) -> dict[str, Any]:
        return self._rendering.header(self._descent.x)

    def result(self) -> Medium:
        return self._rendering.result(self._descent.x)

    def figures(self) -> list[Figure]:
        return self._rendering.figures(self._descent.x)

    def filters(self) -> dict[str, str]:
        return self._filters

    def state(self) -> PieceState:
        return self._descent.state(self.step, self.losses)


def fingerprint(inputs: Inputs, recipe: PieceRecipe, filters: Mapping[str, str]) -> str:
    """Equal for two runs of one piece; the number of steps may differ."""
    entries = recipe.to_dict() | {"steps": None, "filters_used": dict(filters)}
    digest = hashlib.sha256(json.dumps(entries, sort_keys=True).encode())
    for name, given in sorted(inputs.items()):
        digest.update(name.encode())
        if dataclasses.is_dataclass(given):
            for field in dataclasses.fields(given):
                _add(digest, getattr(given, field.name))
        else:
            digest.update(repr((given.mode, given.size)).encode() + given.tobytes())
    return digest.hexdigest()


def _add(digest: hashlib._Hash, value: object) -> None:
    if isinstance(value, np.ndarray):
        digest.update(repr((value.dtype, value.shape)).encode() + value.tobytes())
    else:
        digest.update(repr(value).encode())
