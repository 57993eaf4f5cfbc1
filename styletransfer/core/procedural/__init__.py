"""Pictures that the program draws itself, to start with: styles and contents, free of rights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PIL import Image

from styletransfer.core.procedural import scenes, styles


@dataclass(frozen=True)
class Starter:
    """One picture: `draw(seed, size)` is a pure function, size its width in pixels."""

    slug: str
    title: str
    kind: Literal["style", "content"]
    draw: Callable[[int, int], Image.Image]
    seed: int

    def render(self, size: int) -> Image.Image:
        """The picture as it is shipped, at another size if need be."""
        return self.draw(self.seed, size)


STARTERS: tuple[Starter, ...] = (
    Starter("currents", "Night currents", "style", styles.currents, 3),
    Starter("waves", "Indigo swell", "style", styles.waves, 3),
    Starter("facets", "Ochre facets", "style", styles.facets, 3),
    Starter("points", "Meadow in points", "style", styles.points, 3),
    Starter("woodcut", "Woodcut hills", "style", styles.woodcut, 3),
    Starter("washes", "Watercolour washes", "style", styles.washes, 3),
    Starter("glass", "Rose window", "style", styles.glass, 3),
    Starter("marbling", "Marbled paper", "style", styles.marbling, 3),
    Starter("harbour", "Harbour at dusk", "content", scenes.harbour, 3),
    Starter("still-life", "Still life with jug", "content", scenes.still_life, 3),
)
