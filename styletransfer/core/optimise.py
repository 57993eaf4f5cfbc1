"""The painting itself: a generator of iterates. To cancel is to stop iterating."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from styletransfer.core.checkpoint import State
from styletransfer.core.descent import Descent
from styletransfer.core.features import Extractor
from styletransfer.core.images import Pixels, luma, resize, to_pixels, to_tensor
from styletransfer.core.objective import Objective
from styletransfer.core.optimisers import build_optimiser
from styletransfer.core.types import Losses, Recipe

PaintState = State[Losses]


@dataclass(frozen=True)
class Iterate:
    """G after `step` of `steps` steps, and J there. Step 0 is the start.

    Its methods read G at the time they are called: call them before asking for the next one.
    """

    step: int
    steps: int
    losses: Losses
    _painting: _Painting

    def image(self) -> Pixels:
        """The picture as (H, W, 3) uint8 RGB."""
        return self._painting.render()

    def state(self) -> PaintState:
        """All that a resumed run needs; see `checkpoint.py`."""
        return self._painting.descent.state(self.step, self.losses)


def optimise(
    content: Image.Image,
    style: Image.Image,
    extractor: Extractor,
    recipe: Recipe,
    *,
    state: PaintState | None = None,
) -> Iterator[Iterate]:
    """Paint `content` in the manner of `style`, yielding the start and then every step.

    Both pictures are scaled to the recipe's size. With a state, goes on from there: its own
    iterate comes again first, then the ones that the interrupted run would have made.
    Raises DivergedError when J leaves all bounds, CheckpointError when the state belongs to
    another painting, RecipeError when the recipe asks for layers that the extractor lacks.
    """
    painting = _Painting(content, style, extractor, recipe)
    for step, losses in painting.descent.run(state):
        yield Iterate(step, recipe.steps, losses, painting)


class _Painting:
    """G, and what changes it."""

    def __init__(
        self, content: Image.Image, style: Image.Image, extractor: Extractor, recipe: Recipe
    ) -> None:
        self._recipe = recipe
        content, style = resize(content, recipe.size), resize(style, recipe.size)
        self._content = to_tensor(content, extractor.device)
        seen, manner = as_compared(content, style, extractor, recipe)
        self.descent = Descent(
            _start_image(seen, recipe),
            Objective(extractor, seen, manner, recipe),
            build_optimiser(recipe.optimiser, recipe.effective_learning_rate),
            steps=recipe.steps,
            natural=recipe.alpha + recipe.beta,
            fingerprint=_fingerprint(content, style, extractor, recipe),
        )

    def render(self) -> Pixels:
        """G as it is shown."""
        image = self.descent.x
        if self._recipe.keep_colours:
            image = self._content + (luma(image) - luma(self._content))
        return to_pixels(image)


def as_compared(
    content: Image.Image, style: Image.Image, extractor: Extractor, recipe: Recipe
) -> tuple[Tensor, Tensor]:
    """C and S as the objective has them, (1, 3, H, W): at the recipe's size, and grey, of like
    lightness, where only that is painted."""
    seen, manner = (
        to_tensor(resize(picture, recipe.size), extractor.device) for picture in (content, style)
    )
    return _match_lightness(seen, manner) if recipe.keep_colours else (seen, manner)


def _start_image(content: Tensor, recipe: Recipe) -> Tensor:
    """C, uniform noise, or a blend; the seed decides alone, whatever the device."""
    share = {"content": 0.0, "noise": 1.0, "blend": recipe.blend}[recipe.start]
    if share == 0:
        return content.contiguous()
    generator = torch.Generator().manual_seed(recipe.seed)
    noise = torch.rand(content.shape, generator=generator).to(content.device)
    return (1 - share) * content + share * noise


def _match_lightness(content: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
    """Both as grey pictures, the style's lightness shifted and scaled to the content's.

    Gatys et al., "Preserving Color in Neural Artistic Style Transfer" (2016), section 3.2.
    """
    grey, manner = luma(content), luma(style)
    matched = (manner - manner.mean()) * (grey.std() / (manner.std() + 1e-6)) + grey.mean()
    return grey.expand_as(content), matched.clamp(0, 1).expand_as(style)


def _fingerprint(
    content: Image.Image, style: Image.Image, extractor: Extractor, recipe: Recipe
) -> str:
    """Equal for two runs of one painting; the number of steps may differ."""
    entries = recipe.to_dict() | {"steps": None, "extractor_version": extractor.version}
    digest = hashlib.sha256(json.dumps(entries, sort_keys=True).encode())
    for picture in (content, style):
        digest.update(repr(picture.size).encode() + picture.tobytes())
    return digest.hexdigest()
