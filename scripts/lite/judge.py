"""How well an extractor paints, as its teacher sees it.

J of the teacher, with its heads of VGG-19's own width, at 256 px, α = 1 and β = 10 with each term
normalised as `styletransfer/core/objective.py` says: of the picture that L-BFGS makes in 60 steps
from C with the extractor under test, over that of the picture made with the teacher itself.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image

from scripts.lite.pictures import HELD_OUT_PAINTING
from scripts.lite.teacher import Teacher
from styletransfer.core.features import Extractor, NetworkExtractor
from styletransfer.core.images import resize, to_tensor
from styletransfer.core.lite import ThinVGG, initialise
from styletransfer.core.objective import Objective
from styletransfer.core.optimise import optimise
from styletransfer.core.types import STYLE_LAYERS, Recipe


def _slider(beta: float) -> float:
    """The style_weight whose β this is."""
    return 50 + 25 * math.log10(beta / Recipe(style_weight=50).beta)


RECIPE = Recipe(
    size=256,
    steps=60,
    style_weight=_slider(10.0),
    layer_weights=dict.fromkeys(STYLE_LAYERS, 1.0),
    content_layer="relu4_1",
    style_scales=1,
    tv_weight=0.0,
)


class Verdict(NamedTuple):
    """One pair of pictures: the ratios to the teacher's own result."""

    photo: str
    painting: str
    held_out: bool
    lite: float
    untrained: float
    unchanged: float


def judge(
    lite: Extractor, teacher_path: Path, photos: list[Path], paintings: Path
) -> list[Verdict]:
    """One verdict per painting, each with another held-out photo."""
    teacher = Teacher(teacher_path, widened=True)
    verdicts = []
    for photo, painting in zip(photos, sorted(paintings.glob("*.jpg")), strict=False):
        content, style = Image.open(photo).convert("RGB"), Image.open(painting).convert("RGB")
        best = _paint(content, style, teacher)
        objective = Objective(
            teacher, *(to_tensor(resize(x, RECIPE.size)) for x in (content, style)), RECIPE
        )
        reference = _cost(objective, best)
        ratios = [
            _cost(objective, picture) / reference
            for picture in (
                _paint(content, style, lite),
                _paint(content, style, untrained()),
                resize(content, RECIPE.size),
            )
        ]
        held_out = painting.stem == HELD_OUT_PAINTING
        verdicts.append(Verdict(photo.stem, painting.stem, held_out, *ratios))
    return verdicts


def untrained() -> NetworkExtractor:
    """lite's architecture with random weights."""
    net = ThinVGG()
    initialise(net, torch.Generator().manual_seed(0))
    return NetworkExtractor("lite", "random", net, torch.device("cpu"), bf16=False)


def _paint(content: Image.Image, style: Image.Image, extractor: Extractor) -> Image.Image:
    *_, last = optimise(content, style, extractor, RECIPE)
    return Image.fromarray(last.image())


def _cost(objective: Objective, picture: Image.Image) -> float:
    return objective.evaluate(to_tensor(picture)).value
