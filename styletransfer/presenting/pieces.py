"""What the pages of pieces show; in which words says `piece_words.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.urls import reverse

from styletransfer.core.media import registry
from styletransfer.core.pieces import KINDS
from styletransfer.forms.pictures import OPTIMISER_NAMES
from styletransfer.forms.pieces import LABELS, goals_of
from styletransfer.models import Piece
from styletransfer.presenting.piece_words import (
    MEANINGS,
    MEDIA,
    SLIDERS,
    TAKEN,
    TITLES,
    WORDS,
    InputWords,
    Words,
    filter_words,
    meaning_of,
)
from styletransfer.services.starter_shows import PLAYED
from styletransfer.starters import starters as drawn


def make_context(
    medium: str,
    goal: str,
    values: Mapping[str, Any],
    *,
    like: Piece | None = None,
    errors: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """The context of the page that a piece is asked for on."""
    by_field = {error["field"]: error["message"] for error in errors or []}
    kind, words = KINDS[medium, goal], WORDS[medium, goal]
    return {
        "here": medium,
        "medium": medium,
        "goal": goal,
        "title": TITLES[medium],
        "words": words,
        "goals": [
            {
                "url": f"{reverse('styletransfer:make', args=[medium])}?goal={each}",
                "label": WORDS[medium, each].goal,
                "hint": WORDS[medium, each].hint,
                "chosen": each == goal,
            }
            for each in goals_of(medium)
        ],
        "v": values,
        "like": like,
        "errors": errors,
        "error_of": by_field,
        "inputs": [
            _input(name, each, words.inputs[name], values, by_field, like)
            for name, each in kind.inputs.items()
        ],
        "sliders": [_slider(name, values, by_field) for name in SLIDERS if name in kind.numbers],
        "numbers": [
            _number(name, kind.numbers[name], words, values, by_field)
            for name in ("seconds", "size", "steps")
            if name in kind.numbers
        ],
        "filters": filter_choices(medium, kind.filters),
        "optimisers": OPTIMISER_NAMES.items(),
        "meanings": {
            name: [{"below": below, "words": text} for below, text in steps]
            for name, steps in MEANINGS.items()
            if name in kind.numbers
        },
    }


def filter_choices(medium: str, names: tuple[str, ...]) -> list[dict[str, str]]:
    """The filters as cards; of several the first is the default, and says so."""
    cards = []
    for i, name in enumerate(names):
        label, hint = filter_words(medium, name)
        default = " The default: it measured best." if i == 0 and len(names) > 1 else ""
        cards.append({"value": name, "label": label, "hint": f"{hint}.{default}"})
    return cards


def _input(
    name: str,
    medium: str,
    words: InputWords,
    values: Mapping[str, Any],
    error_of: Mapping[str, str],
    like: Piece | None,
) -> dict[str, Any]:
    reused = like is not None and like.cooked.kind.inputs.get(name) == medium
    reads = {} if medium == "picture" else registry.reads(medium)
    formats = ", ".join(dict.fromkeys(each.split(",")[0] for each in reads.values()))
    return {
        "name": name,
        "medium": medium,
        "words": words,
        "accept": ",".join(reads),
        "formats": formats,
        "hint": f"{formats}. {TAKEN[medium]}" if reads else "",
        "max_mb": settings.MAX_MEDIUM_MB if reads else settings.MAX_UPLOAD_MB,
        "starters": starter_cards(medium),
        "starter": values.get(f"{name}_starter", ""),
        "error": error_of.get(name, ""),
        "reused": like.called.get(name, "") if like and reused else "",
    }


def starter_cards(medium: str) -> list[dict[str, str]]:
    """The house's own examples of a medium, as cards; `play` is a URL, where there is one."""
    if medium == "picture":
        return [{"value": s.name, "label": s.title, "picture": s.url} for s in drawn("style")]

    def url(name: str, file: str) -> str:
        return reverse("styletransfer:starter", args=[medium, name, file])

    return [
        {
            "value": each.name,
            "label": each.title,
            "picture": url(each.name, "picture.jpg"),
            "play": url(each.name, PLAYED["sound"]) if medium == "sound" else "",
        }
        for each in registry.starters(medium)
    ]


def _slider(name: str, values: Mapping[str, Any], error_of: Mapping[str, str]) -> dict[str, Any]:
    label, low, high = SLIDERS[name]
    return {
        "name": name,
        "label": label,
        "low": low,
        "high": high,
        "value": values.get(name, 50),
        "meaning": meaning_of(name, values.get(name, 50)),
        "error": error_of.get(name, ""),
    }


def _number(
    name: str,
    bounds: tuple[float, float, float],
    words: Words,
    values: Mapping[str, Any],
    error_of: Mapping[str, str],
) -> dict[str, Any]:
    low, high, _ = bounds
    label, hint = words.numbers.get(name, (LABELS[name], ""))
    return {
        "name": name,
        "label": label,
        "hint": hint,
        "value": values.get(name, ""),
        "min": f"{low:g}",
        "max": f"{high:g}",
        "step": "any" if name == "seconds" else "1",
        "error": error_of.get(name, ""),
    }


def facts(piece: Piece) -> list[tuple[str, str]]:
    """A piece's parameters as rows of name and value."""
    recipe = piece.cooked
    words = WORDS[piece.medium, piece.goal]
    rows = [("Made as", f"{MEDIA[piece.medium]}: {words.goal.lower()}"), *_extent(piece)]
    rows.append(("Steps", str(recipe.steps)))
    for name in SLIDERS:
        if (value := getattr(recipe, name)) is not None:
            rows.append((LABELS[name], f"{value:g}, {meaning_of(name, value)}"))
    rows += [
        ("Filters", filter_words(piece.medium, recipe.filters)[0]),
        ("Optimiser", OPTIMISER_NAMES[recipe.optimiser]),
        ("Learning rate", f"{recipe.effective_learning_rate:g}"),
        ("Seed", str(recipe.seed)),
    ]
    if piece.seconds:
        rows.append(("Made in", f"{piece.seconds:.0f} s on {piece.made_with.get('device', '?')}"))
    if version := piece.made_with.get("filters", {}).get("version"):
        rows.append(("Filters, exactly", version if " " in version else version[:12]))
    return rows


def _extent(piece: Piece) -> list[tuple[str, str]]:
    extent = piece.extent
    if "frames" in extent:
        return [
            ("Frames", f"{extent['frames']}, {extent['fps']:g} a second"),
            ("Size", f"{extent['width']} × {extent['height']}"),
        ]
    if "shape" in extent:
        return [("Size", " × ".join(map(str, extent["shape"])) + " voxels")]
    if "rate" in extent:
        rows = [("Length", f"{extent['seconds']:g} s at {extent['rate']:g} Hz")]
        return rows + ([("Channels", str(extent["channels"]))] if extent["channels"] > 1 else [])
    return []


def filters_said(piece: Piece) -> str:
    """Which filters its features were compared with, in a sentence."""
    label, hint = filter_words(piece.medium, piece.cooked.filters)
    return f"{label}: {hint}." if hint else f"{label}."


def layers(piece: Piece) -> list[tuple[str, str, str]]:
    """Each layer, or other term: its name, what it adds to the style term, its share."""
    costs: dict[str, float] = (piece.losses or {}).get("layers", {})
    sum_of_all = sum(costs.values()) or 1.0
    return [(name, f"{cost:.3g}", f"{cost / sum_of_all:.4f}") for name, cost in costs.items()]


def summary(piece: Piece) -> str:
    """One line beneath a piece: “Sound · 10 s · Random · L-BFGS · seed 7”."""
    recipe = piece.cooked
    parts = [MEDIA[piece.medium]]
    if recipe.seconds is not None:
        parts.append(f"{recipe.seconds:g} s")
    if recipe.size is not None:
        parts.append(f"{recipe.size} {'pixels' if piece.medium == 'clip' else 'voxels'}")
    filters = filter_words(piece.medium, recipe.filters)[0]
    return " · ".join([*parts, filters, OPTIMISER_NAMES[recipe.optimiser], f"seed {recipe.seed}"])


def inputs_shown(piece: Piece) -> list[dict[str, str]]:
    """A piece's inputs as its page shows them."""
    words = WORDS[piece.medium, piece.goal].inputs
    kinds = piece.cooked.kind.inputs

    def url(name: str, file: str) -> str:
        return reverse("styletransfer:piece_input", args=[piece.pk, name, file])

    return [
        {
            "name": name,
            "medium": kinds[name],
            "caption": words[name].caption,
            "called": piece.called.get(name, ""),
            "note": piece.notes.get(name, ""),
            "picture": url(name, "picture.jpg"),
            "base": url(name, "x").removesuffix("x"),
        }
        for name in kinds
    ]


def downloads(piece: Piece) -> list[tuple[str, str]]:
    """URL and label of each file to download, the best first."""
    return [
        (
            reverse("styletransfer:piece_result", args=[piece.pk, name]) + "?download",
            name.split(".", 1)[-1].upper(),
        )
        for name in piece.files
    ]


def figure_rows(piece: Piece) -> list[dict[str, str]]:
    """The held-out statistics as a table's rows."""

    def said(value: float | None, unit: str) -> str:
        if value is None:
            return "–"
        return f"{value:.3g}" if not unit else f"{value:.4g} {unit}"

    return [
        {
            "name": figure["name"],
            "result": said(figure["result"], figure["unit"]),
            "example": said(figure["example"], figure["unit"]),
            "meaning": figure["meaning"],
        }
        for figure in piece.figures
    ]
