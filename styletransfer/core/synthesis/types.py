"""What every medium's generator takes and yields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from PIL import Image

from styletransfer.core.checkpoint import State
from styletransfer.core.features import Extractor
from styletransfer.core.media.types import Medium, Pixels
from styletransfer.core.pieces import Figure, PieceLosses, PieceRecipe

Inputs = Mapping[str, Medium | Image.Image]
"""`content` and `style`, as the recipe's kind names them."""


@dataclass(frozen=True)
class Tools:
    """What the house provides. extractor: by name, on the device (it may download first)."""

    device: torch.device
    extractor: Callable[[str], Extractor]


PieceState = State[PieceLosses]
"""A piece between two steps; its fingerprint is `base.fingerprint`."""


class PieceIterate(Protocol):
    """A piece after `step` of `steps` steps. Its methods read it at the time they are called."""

    @property
    def step(self) -> int: ...
    @property
    def steps(self) -> int: ...
    @property
    def losses(self) -> PieceLosses: ...

    def picture(self) -> Pixels:
        """What the wall shows of this step; quick (tens of milliseconds)."""

    def header(self) -> dict[str, Any]:
        """JSON facts that go with the picture, under 8 kB (`waveform`, say)."""

    def result(self) -> Medium:
        """The piece so far, to hear, turn or play; may take longer."""

    def figures(self) -> list[Figure]:
        """Held-out statistics against the example."""

    def filters(self) -> dict[str, str]:
        """What its features are compared with: {name, version (checksum, or the seed)}."""

    def state(self) -> PieceState:
        """All that a resumed run needs."""


Compose = Callable[[Inputs, PieceRecipe, Tools, PieceState | None], Iterator[PieceIterate]]
"""Each medium's module has one, called `compose`. Raises DivergedError, CheckpointError (the state
belongs to another piece), MediumError (the inputs do not suffice)."""
