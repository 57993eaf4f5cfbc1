"""What the pages show: choices, meanings, facts. Words live here and in the templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from styletransfer.core.types import DEFAULT_LEARNING_RATES, STYLE_LAYERS, Recipe
from styletransfer.forms.pictures import EXTRACTOR_NAMES, OPTIMISER_NAMES, START_NAMES, STROKE_NAMES
from styletransfer.models import StyleJob
from styletransfer.starters import starters

SIZES = (256, 384, 512, 768, 1024)
EXTRACTOR_HINTS = {
    "lite": "the house’s own small network: quick, ready at once",
    "vgg19": "the network of the paper: richer strokes, about ten times slower",
}
MEANINGS = (
    (20, "the photo, lightly touched"),
    (40, "the photo leads"),
    (60, "in balance"),
    (80, "the style leads"),
    (101, "the style almost alone"),
)


def meaning_of(style_weight: float) -> str:
    """What a place of the slider means, in words."""
    return next(words for below, words in MEANINGS if style_weight < below)


def paint_context(
    values: Mapping[str, Any],
    *,
    like: StyleJob | None = None,
    errors: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """The paint page's context."""
    by_field = {error["field"]: error["message"] for error in errors or []}
    size = _int(values.get("size"), 512)
    weight = values.get("style_weight", 50)
    return {
        "v": values,
        "like": like,
        "errors": errors,
        "error_of": by_field,
        "sizes": [(s, str(s)) for s in sorted({*SIZES, size})],
        "size": size,
        "optimisers": OPTIMISER_NAMES.items(),
        "starts": START_NAMES.items(),
        "strokes": STROKE_NAMES.items(),
        "extractors": [
            {"value": name, "label": label, "hint": EXTRACTOR_HINTS[name]}
            for name, label in EXTRACTOR_NAMES.items()
        ],
        "content_starters": _cards("content"),
        "style_starters": _cards("style"),
        "weights": [(layer, values.get(f"weight_{layer}", 1)) for layer in STYLE_LAYERS],
        "layers": STYLE_LAYERS,
        "meanings": {
            "style_weight": [{"below": below, "words": words} for below, words in MEANINGS]
        },
        "meaning": meaning_of(_float(weight, 50)),
        "rates": DEFAULT_LEARNING_RATES,
    }


def _cards(kind: Literal["content", "style"]) -> list[dict[str, str]]:
    return [{"value": s.name, "label": s.title, "picture": s.url} for s in starters(kind)]


def _int(value: Any, otherwise: int) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return otherwise


def _float(value: Any, otherwise: float) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return otherwise


def facts(job: StyleJob) -> list[tuple[str, str]]:
    """A job's parameters as rows of name and value."""
    recipe = job.cooked
    weights = ", ".join(f"{k} {w:g}" for k, w in recipe.layer_weights.items() if w)
    rows = [
        ("Size", f"{job.width} × {job.height}"),
        ("Steps", str(recipe.steps)),
        ("Style weight", f"{recipe.style_weight:g}, {meaning_of(recipe.style_weight)}"),
        ("β / α", f"{recipe.beta / recipe.alpha:.3g}"),
        ("Optimiser", OPTIMISER_NAMES[recipe.optimiser]),
        ("Learning rate", f"{recipe.effective_learning_rate:g}"),
        ("Start", _start(recipe)),
        ("Seed", str(recipe.seed)),
        ("Extractor", EXTRACTOR_NAMES[recipe.extractor]),
        ("Content layer", recipe.content_layer),
        ("Style layers λ", weights),
        ("Colours", "the photo’s" if recipe.keep_colours else "the style’s"),
        ("Strokes", STROKE_NAMES[recipe.style_scales].lower()),
        ("Smoothness", f"{recipe.tv_weight:g}"),
    ]
    if job.seconds:
        rows.append(("Painted in", f"{job.seconds:.0f} s on {job.made_with.get('device', '?')}"))
    if version := job.made_with.get("version"):
        rows.append(("Extractor’s checksum", version[:12]))
    return rows


def layers(job: StyleJob) -> list[tuple[str, str, str]]:
    """For each style layer that counts: its name, what it adds to the style term, its share."""
    counting = [name for name, weight in job.cooked.layer_weights.items() if weight]
    costs = (job.losses or {}).get("style_layers", {})
    whole = sum(costs.values()) or 1.0
    return [
        (name, f"{costs[name]:.3g}" if name in costs else "–", f"{costs.get(name, 0) / whole:.4f}")
        for name in counting
    ]


def _start(recipe: Recipe) -> str:
    if recipe.start == "blend":
        return f"{recipe.blend:.0%} noise over the photo"
    return {"content": "the photo", "noise": "noise"}[recipe.start]


def summary(job: StyleJob) -> str:
    """One line beneath a picture: “Lite · 512 × 384 · L-BFGS · style 50 · seed 7”."""
    recipe = job.cooked
    return (
        f"{EXTRACTOR_NAMES[recipe.extractor]} · {job.width} × {job.height} · "
        f"{OPTIMISER_NAMES[recipe.optimiser]} · style {recipe.style_weight:g} · seed {recipe.seed}"
    )
