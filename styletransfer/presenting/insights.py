"""What the page says of a picture that was looked into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import reverse

from styletransfer.core.visualise.layers import layer_info
from styletransfer.models import Mining, StyleJob
from styletransfer.presenting.see import Tile, layer_url, tiles, unit_url
from styletransfer.services.insights import WHICH, progress, stored
from styletransfer.services.minings import house_mining

_CONTENT = (
    (0.1, "kept"),
    (0.3, "mostly kept"),
    (0.6, "half kept"),
    (1.0, "hardly kept"),
    (float("inf"), "painted over"),
)
_STYLE = (
    (0.02, "reached"),
    (0.1, "nearly reached"),
    (0.4, "well on its way"),
    (0.8, "begun"),
    (1.05, "as far as the photo"),
    (float("inf"), "farther than the photo"),
)


def insight_context(job: StyleJob) -> dict[str, Any]:
    """What `_insight.html` needs, whether the insight is there, on its way, or neither."""
    found = stored(job) if job.is_final else None
    context: dict[str, Any] = {
        "insight_job": job,
        "insight_ready": job.is_final and job.has_picture,
    }
    if found:
        heaviest = _heaviest(job, [row["name"] for row in found["layers"]])
        mining = house_mining(found["extractor"])
        rows = [_row(job, found["extractor"], row, heaviest, mining) for row in found["layers"]]
        return context | {"insight": rows}
    told = progress(job) if context["insight_ready"] else None
    return context | {"insight": None, "insight_progress": told}


def _row(
    job: StyleJob, extractor: str, row: dict[str, Any], heaviest: str, mining: Mining | None
) -> dict[str, Any]:
    name = row["name"]
    seen = tiles(mining, layer_info(extractor, name)) if mining else []
    return {
        "name": name,
        "units": row["units"],
        "open": name == heaviest,
        "content": _share(row["content"], _CONTENT),
        "style": _share(row["style"], _STYLE),
        "grams": {
            which: reverse("styletransfer:gram", args=[job.pk, name, which]) for which in WHICH
        },
        "pairs": [_pair(extractor, name, pair, seen) for pair in row["pairs"]],
        "seen": bool(seen),
        "wall": layer_url(None, extractor, name),
    }


def _share(share: float, words: Sequence[tuple[float, str]]) -> dict[str, str]:
    """The bar's length, the figure and the word. A bar is full at 1."""
    percent = f"{share:.0%}" if share >= 0.095 else f"{share:.1%}" if share >= 0.001 else "<0.1%"
    word = next(word for below, word in words if share < below)
    return {"length": f"{min(share, 1.0):.4f}", "percent": percent, "word": word}


def _pair(extractor: str, layer: str, pair: dict[str, Any], seen: list[Tile]) -> dict[str, Any]:
    """Two units, each with its nine patches where something excited it."""
    units = []
    for number in pair["units"]:
        tile = seen[number] if number < len(seen) else None
        shown = tile if tile and tile.activation is not None else None
        url = unit_url(None, extractor, layer, number)
        units.append({"number": number, "url": url, "tile": shown})
    figures = {which: f"{pair[which]:.2f}" for which in ("style", "picture")}
    return {"units": units, **figures}


def _heaviest(job: StyleJob, layers: list[str]) -> str:
    """The style layer that counts most: shown open."""
    weights = job.cooked.layer_weights
    return max(layers, key=lambda name: weights.get(name, 0.0))
