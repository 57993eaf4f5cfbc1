"""How much a painted clip flickers, and what that costs in style: three ways to paint it.

Alone: each frame as a picture of its own, the plain reference. In turn: as Ruder, Dosovitskiy and
Brox (2016) do it, each frame begun as its warped predecessor and held to it. Together: ours, the
whole clip as one variable. All with the same extractor, recipe and number of steps.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from styletransfer.core.features import build_extractor
from styletransfer.core.flow import Link, links, warp
from styletransfer.core.images import to_pixels, to_tensor
from styletransfer.core.measures.clip import warped_difference
from styletransfer.core.media.clip.starters import STARTERS as CLIPS
from styletransfer.core.media.types import Clip
from styletransfer.core.objective import Objective
from styletransfer.core.optimisers import Evaluation, build_optimiser
from styletransfer.core.pieces import PieceRecipe
from styletransfer.core.procedural import STARTERS as PICTURES
from styletransfer.core.synthesis.clip import (
    ClipObjective,
    frames_of,
    held,
    picture_recipe,
    scaled,
    steadiness_weight,
)

SCENES = (("sails", "waves"), ("ball", "facets"))
FRAMES, SIZE, STEPS = 10, 96, 30
_IN_TURN = 300.0
"""Weight of the temporal term in turn: larger ones leave the styles of the first and the last
frame farther apart, smaller ones flicker more."""


def rows(frames: int = FRAMES, size: int = SIZE, steps: int = STEPS) -> list[dict]:
    """For each scene and way: flicker and drift (mean difference to the warped frame one and
    eight before, in thousandths of the range; the content's own is the floor), style and content
    reached (0 is the style picture, 0 the content), the last frame's style over the first's, and
    seconds a frame."""
    found = []
    for clip_name, style_name in SCENES:
        whole = next(s for s in CLIPS if s.name == clip_name).make()
        assert isinstance(whole, Clip)
        clip = scaled(Clip(whole.frames[:frames], whole.fps), size)
        scene = Scene(clip, style_name)
        floor = scene.row("content as it is", scene.start, 0.0)
        found.append({k: v for k, v in floor.items() if k in ("scene", "way", "flicker", "drift")})
        for way, paint in (
            ("each frame alone", scene.alone),
            ("one after the other", scene.in_turn),
            ("together, steadiness 50", partial(scene.together, steadiness=50)),
            ("together, steadiness 75", partial(scene.together, steadiness=75)),
        ):
            began = time.perf_counter()
            painted = paint(steps)
            found.append(scene.row(way, painted, time.perf_counter() - began))
    return found


class Scene:
    """One clip and one style, ready to be painted in any way."""

    def __init__(self, clip: Clip, style_name: str) -> None:
        extractor = build_extractor("lite", bf16=False)
        size = max(clip.frames.shape[1:3])
        style = next(p for p in PICTURES if p.slug == style_name).render(size)
        self.name = style_name
        self.clip = clip
        self.recipe = picture_recipe(
            PieceRecipe.from_dict({"medium": "clip", "goal": "transfer", "size": size})
        )
        contents = list(frames_of(clip.frames, torch.device("cpu")))
        self.start = torch.cat(contents)
        self.costs = [Objective(extractor, c, to_tensor(style), self.recipe) for c in contents]
        self.links = list(held(clip.frames, torch.device("cpu")))

    def alone(self, steps: int) -> Tensor:
        """Each frame as a picture."""
        frames = range(len(self.costs))
        return torch.cat([self._paint(self.start[k : k + 1], k, steps) for k in frames])

    def in_turn(self, steps: int) -> Tensor:
        """Each frame from its warped predecessor, to which it is held."""
        painted = [self._paint(self.start[:1], 0, steps)]
        for link in links(self.clip.frames):
            before = warp(painted[-1], link.grid)
            own = self.start[link.later : link.later + 1]
            begun = link.trusted * before + (1 - link.trusted) * own
            painted.append(self._paint(begun.contiguous(), link.later, steps, link, before))
        return torch.cat(painted)

    def together(self, steps: int, steadiness: float) -> Tensor:
        """The whole clip as one variable."""
        weight = steadiness_weight(steadiness)
        objective = ClipObjective(self.costs, self.links, weight, self.recipe)
        return descend(self.start, objective.evaluate, steps)

    def row(self, way: str, painted: Tensor, seconds: float) -> dict:
        """What is measured of it."""
        pixels = np.stack([to_pixels(frame) for frame in painted])
        each = [cost.evaluate(painted[k : k + 1]).losses for k, cost in enumerate(self.costs)]
        return {
            "scene": self.name,
            "way": way,
            "flicker": self._difference(pixels, 1),
            "drift": self._difference(pixels, 8),
            "style": float(np.mean([one.style for one in each])),
            "content": float(np.mean([one.content for one in each])),
            "last/first": each[-1].style / each[0].style,
            "s a frame": seconds / len(each),
        }

    def _difference(self, pixels: np.ndarray, distance: int) -> float | None:
        found = warped_difference(pixels, links(self.clip.frames, [distance]))
        return None if found is None else 1000 * found

    def _paint(
        self,
        start: Tensor,
        index: int,
        steps: int,
        link: Link | None = None,
        before: Tensor | None = None,
    ) -> Tensor:
        cost = self.costs[index]

        def held(x: Tensor) -> Evaluation:
            here = cost.evaluate(x)
            if link is None or before is None:
                return here
            gap = (x - before) * link.trusted
            value = here.value + _IN_TURN * float(gap.pow(2).mean())
            gradient = here.gradient + gap * (2 * _IN_TURN / gap.numel())
            return dataclasses.replace(here, value=value, gradient=gradient)

        return descend(start, held, steps)


def descend(start: Tensor, evaluate: Callable[[Tensor], Evaluation], steps: int) -> Tensor:
    """So many steps of L-BFGS."""
    optimiser, x = build_optimiser("lbfgs", 1.0), start
    here = evaluate(x)
    for _ in range(steps):
        x, here = optimiser.step(x, here, evaluate)
    return x
