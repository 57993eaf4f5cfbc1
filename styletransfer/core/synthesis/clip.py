"""The style of a clip: all frames are painted together, and held to each other where things move.

    J(G) = mean over t of J_t(G_t) + β · weight · (1/T) Σ over links of |warp(G_s) − G_t|²

J_t is what a single picture would be painted by (`objective.py`). The last term is the temporal
one of Ruder, Dosovitskiy and Brox, "Artistic Style Transfer for Videos" (2016), short and long
term: a frame shall show what the first and the fourth before it show, moved along the optical flow
of the content, as far as the content itself does so (`flow.py`). They paint frame after frame,
each from its predecessor; here the whole clip is one variable, so that every step shows all of it
and no frame is painted longer than another (docs/decisions.md has the figures of both).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from styletransfer.core.flow import Link, agreeing, links, warp
from styletransfer.core.images import resize, to_pixels, to_tensor
from styletransfer.core.measures.clip import warped_difference
from styletransfer.core.media.types import Clip, MediumError, Pixels
from styletransfer.core.objective import Objective
from styletransfer.core.optimisers import Evaluation
from styletransfer.core.pieces import Figure, PieceLosses, PieceRecipe
from styletransfer.core.synthesis.base import fingerprint, make
from styletransfer.core.synthesis.types import Inputs, PieceIterate, PieceState, Tools
from styletransfer.core.types import Recipe

DISTANCES = (1, 4)
"""How many frames before: the nearer one holds flicker, the farther one drift."""

MAX_VALUES = 45_000_000
"""Of a whole clip; the optimiser holds about a dozen times as many."""

_MEMORY = 1 << 30
"""Bytes that L-BFGS may remember."""

_TOGETHER = 12
"""Links that are warped at once."""

STEADINESS = "steadiness"
"""The temporal term's name among the shares of the style."""


def compose(
    inputs: Inputs, recipe: PieceRecipe, tools: Tools, state: PieceState | None = None
) -> Iterator[PieceIterate]:
    """The clip `content` in the manner of the picture `style`. See `types.Compose`."""
    content = scaled(cast(Clip, inputs["content"]), cast(int, recipe.size))
    style = resize(cast(Image.Image, inputs["style"]), max(content.frames.shape[1:3]))
    extractor = tools.extractor(recipe.filters)
    objective = ClipObjective(
        [
            Objective(extractor, frame, to_tensor(style, tools.device), picture_recipe(recipe))
            for frame in frames_of(content.frames, tools.device)
        ],
        list(held(content.frames, tools.device)),
        steadiness_weight(cast(float, recipe.steadiness)),
        picture_recipe(recipe),
    )
    start = torch.cat(list(frames_of(content.frames, tools.device)))
    rendering = _Rendering(content)
    filters = {"name": extractor.name, "version": extractor.version}
    for iterate in make(
        start,
        objective,
        recipe,
        rendering,
        fingerprint=fingerprint(inputs, recipe, filters),
        filters=filters,
        state=state,
        natural=picture_recipe(recipe).alpha + picture_recipe(recipe).beta,
        history=max(2, min(6, _MEMORY // (8 * start.numel()))),
    ):
        rendering.step = iterate.step
        yield iterate


def picture_recipe(recipe: PieceRecipe) -> Recipe:
    """What a single frame is painted by."""
    return Recipe(
        style_weight=cast(float, recipe.style_weight),
        extractor=recipe.filters,
        seed=recipe.seed,
    )


def steadiness_weight(steadiness: float) -> float:
    """The temporal term's weight in units of the style: 0 leaves it out, each 25 points are a
    factor of 10."""
    return 8.0 * 10.0 ** ((steadiness - 50) / 25) if steadiness else 0.0


def held(frames: Pixels, device: torch.device) -> Iterator[Link]:
    """What the frames of a content are held to each other by."""
    return agreeing(frames, links(frames, DISTANCES, device))


def scaled(clip: Clip, longest_side: int) -> Clip:
    """The clip with frames of that size. Raises MediumError where that is too much, or too
    little."""
    if len(clip.frames) < 2:
        raise MediumError(
            "one_frame", "This clip has only one frame.", "Paint it as a picture instead."
        )
    height, width = clip.frames.shape[1:3]
    scale = longest_side / max(height, width)
    values = 3 * len(clip.frames) * round(height * scale) * round(width * scale)
    if values > MAX_VALUES:
        most = int(longest_side * (MAX_VALUES / values) ** 0.5)
        raise MediumError(
            "clip_too_large",
            f"{len(clip.frames)} frames of {longest_side} px are too much to be painted together.",
            f"Choose a size of {most} px or less, or a shorter clip.",
        )
    frames = [np.asarray(resize(Image.fromarray(f), longest_side)) for f in clip.frames]
    if min(frames[0].shape[:2]) < 16:
        raise MediumError(
            "clip_too_narrow",
            f"At this size the clip is only {min(frames[0].shape[:2])} px wide.",
            "Choose a larger size, or a clip that is less narrow.",
        )
    return Clip(np.stack(frames), clip.fps)


def frames_of(frames: Pixels, device: torch.device) -> Iterator[Tensor]:
    """Each frame as (1, 3, H, W) in [0, 1]."""
    for frame in frames:
        yield to_tensor(Image.fromarray(frame), device)


class ClipObjective:
    """J(G) of a whole clip, G being (T, 3, H, W)."""

    def __init__(
        self,
        frames: Sequence[Objective],
        links: Sequence[Link],
        weight: float,
        recipe: Recipe,
    ) -> None:
        """frames: J of each. links: what they have of each other. weight: of the temporal term,
        in units of the style. recipe: the frames' own."""
        self._frames = frames
        self._links = links if weight else []
        self._weight, self._recipe = weight, recipe

    def evaluate(self, x: Tensor) -> Evaluation[PieceLosses]:
        """J and ∂J/∂G at x."""
        count, beta = len(self._frames), self._recipe.beta
        gradient = torch.empty_like(x)
        each = []
        for k, frame in enumerate(self._frames):
            here = frame.evaluate(x[k : k + 1])
            gradient[k] = here.gradient[0] / count
            each.append(here.losses)
        flicker = self._flicker(x, gradient, self._weight * beta / count) / beta
        total = sum(one.total for one in each) / count + beta * flicker
        layers = {
            name: sum(one.style_layers[name] for one in each) / count
            for name in each[0].style_layers
        }
        style = sum(layers.values()) + flicker
        content = sum(one.content for one in each) / count
        losses = PieceLosses(total, content, style, {**layers, STEADINESS: flicker})
        return Evaluation(total, gradient, losses)

    def _flicker(self, x: Tensor, gradient: Tensor, weight: float) -> float:
        """The temporal term; its gradient is added to `gradient`."""
        value = 0.0
        for first in range(0, len(self._links), _TOGETHER):
            some = self._links[first : first + _TOGETHER]
            earlier, later = [link.earlier for link in some], [link.later for link in some]
            trusted = torch.cat([link.trusted for link in some])
            before = x[earlier].requires_grad_()
            gap = (warp(before, torch.cat([link.grid for link in some])) - x[later]) * trusted
            cost = weight * gap.pow(2).mean((1, 2, 3)).sum()
            (pull,) = torch.autograd.grad(cost, before)
            gradient.index_add_(0, torch.tensor(earlier, device=x.device), pull)
            push = gap.detach() * (-2 * weight / gap[0].numel())
            gradient.index_add_(0, torch.tensor(later, device=x.device), push)
            value += float(cost.detach())
        return value


class _Rendering:
    """See `base.Rendering`. The wall plays the clip: every step shows the next frame."""

    def __init__(self, content: Clip) -> None:
        self._content = content
        self.step = 0

    def picture(self, x: Tensor) -> Pixels:
        return to_pixels(x[self._shown(x)])

    def header(self, x: Tensor) -> dict[str, Any]:
        return {"frame": self._shown(x) + 1, "frames": len(x)}

    def result(self, x: Tensor) -> Clip:
        return Clip(np.stack([to_pixels(frame) for frame in x]), self._content.fps)

    def figures(self, x: Tensor) -> list[Figure]:
        made = self.result(x).frames
        found = []
        for name, distance, meaning in (
            (
                "Warped frame difference",
                1,
                "How much a frame differs from the one before it, moved along with what moves: "
                "what is seen as flicker. The content’s own is the floor.",
            ),
            (
                "Warped difference over eight frames",
                8,
                "The same against eight frames before: what is seen as drift.",
            ),
        ):
            known = list(links(self._content.frames, [distance]))
            ours = warped_difference(made, known)
            if ours is not None:
                floor = warped_difference(self._content.frames, known)
                found.append(Figure(name, ours, floor, "", meaning))
        return found

    def _shown(self, x: Tensor) -> int:
        return self.step % len(x)
