"""Paint the front page's pictures with the style core: harbour, style and painting.

    PYTHONPATH=. python scripts/paint_hero.py

It writes static/img/hero-content.jpg, hero-style.jpg and hero-painting.jpg.

All three are the project's own: drawn by `styletransfer.core.procedural`, painted with `lite`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image

from styletransfer.core.features import build_extractor
from styletransfer.core.images import to_pil
from styletransfer.core.optimise import optimise
from styletransfer.core.procedural import STARTERS
from styletransfer.core.types import Recipe

WIDTH, HEIGHT = 896, 672


def starter(slug: str, width: int) -> Image.Image:
    picture = next(s for s in STARTERS if s.slug == slug).render(width).convert("RGB")
    return picture.crop((0, 0, width, min(picture.height, width * HEIGHT // WIDTH)))


def paint(content: Image.Image, style: Image.Image, recipe: Recipe) -> Image.Image:
    last = None
    for iterate in optimise(content, style, build_extractor(recipe.extractor), recipe):
        last = iterate
        if iterate.step % 25 == 0:
            print(f"step {iterate.step} of {iterate.steps}: J = {iterate.losses.total:.4f}")
    assert last is not None  # the start is always yielded
    return to_pil(last.image())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("static/img"))
    parser.add_argument("--content", default="harbour")
    parser.add_argument("--style", default="currents")
    parser.add_argument("--size", type=int, default=WIDTH)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--style-weight", type=float, default=64.0)
    given = parser.parse_args()
    recipe = Recipe(size=given.size, steps=given.steps, style_weight=given.style_weight)
    content, style = starter(given.content, given.size), starter(given.style, given.size)
    painting = paint(content, style, recipe)
    for name, picture in (("content", content), ("style", style), ("painting", painting)):
        path = given.folder / f"hero-{name}.jpg"
        picture.save(path, quality=86, optimize=True, progressive=True)
