"""What the pages of the networks' layers show. Words live here and in the templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.templatetags.static import static
from django.urls import reverse

from styletransfer.core.visualise.findings import Hit
from styletransfer.core.visualise.layers import GROUPS, NETWORKS, LayerInfo, network_layers
from styletransfer.core.visualise.receptive import Box
from styletransfer.mining_files import (
    SHEET_COLUMNS,
    SHEET_UNITS,
    MiningFolder,
    Source,
)
from styletransfer.models import Corpus, Mining
from styletransfer.services.networks import is_here
from styletransfer.services.patches import found_hits

TITLES = {"lite": "Lite", "vgg19": "VGG-19", "face": "The face encoder"}
SAYS = {
    "lite": "The house’s own small network. It compares pictures while one is painted.",
    "vgg19": "The network of the style transfer paper. It learnt to name things in photos.",
    "face": "It turns a face into 128 numbers. It has seen nothing but faces.",
}
GROUP_SAYS = (
    "a few pixels: an edge, a colour",
    "a corner, a stroke, a fine texture",
    "a pattern that repeats",
    "a part of a thing",
    "a large form, or the whole",
)
FACE_SAYS = (
    "a few pixels: an edge, a colour",
    "a brow, a rim of glasses, an eye",
    "a large part of a face",
    "the face as a whole",
    "the face as a whole",
)
SHOWN_SIDE = {"lite": 256, "vgg19": 256, "face": 150}  # pixels of what a network is shown
SAMPLES = 6  # units that a layer shows on its network's page
HOW_LONG = {"lite": "about a minute", "vgg19": "some minutes", "face": "about a minute"}


class Drawn(NamedTuple):
    """The picture of the first page's drawing; size as Lite is shown it, middle of its squares."""

    path: str
    size: tuple[int, int]
    middle: tuple[int, int]


DRAWN = Drawn("starters/harbour.jpg", (256, 171), (128, 90))


@dataclass(frozen=True)
class Tile:
    """One unit on a wall: where its sprite lies on which sheet."""

    unit: int
    url: str
    sheet: str
    column: int
    row: int
    rows: int  # of the sheet
    activation: float | None  # None: nothing excited it


@dataclass(frozen=True)
class Patch:
    """One of a unit's nine."""

    rank: int
    activation: str
    url: str
    source: str
    title: str
    width: int
    height: int
    left: float  # of the box in the source, per cent
    top: float
    box_width: float
    box_height: float
    beyond: bool  # whether the unit looked over the picture's edge

    @property
    def place(self) -> str:
        return f"{self.left} {self.top} {self.box_width} {self.box_height}"


def layer_url(mining: Mining | None, network: str, layer: str) -> str:
    return _in(mining, reverse("styletransfer:see_layer", args=[network, layer]))


def network_url(mining: Mining | None, network: str) -> str:
    return _in(mining, reverse("styletransfer:see", args=[network]))


def unit_url(mining: Mining | None, network: str, layer: str, unit: int) -> str:
    return _in(mining, reverse("styletransfer:see_unit", args=[network, layer, unit]))


def _in(mining: Mining | None, url: str) -> str:
    """With the corpus that was chosen; the house's own needs no telling."""
    if mining is None or mining.corpus == Corpus.HOUSE:
        return url
    return f"{url}?{urlencode({'in': mining.pk})}"


def corpus_name(mining: Mining) -> str:
    if mining.corpus == Corpus.HOUSE:
        return "The house’s pictures"
    if mining.corpus == Corpus.GALLERY:
        return f"Your gallery, {mining.created:%-d %b}"
    return mining.source or "Your pictures"


def networks() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "title": TITLES[name],
            "says": SAYS[name],
            "here": is_here(name),
            "how_long": HOW_LONG[name],
            "units": sum(info.units for info in network_layers(name)),
            "layers": len(network_layers(name)),
        }
        for name in NETWORKS
    ]


def groups(network: str, mining: Mining | None) -> list[dict[str, Any]]:
    """The network's layers, layer 1 … layer 5, each with a few units of what was found."""
    layers, says = network_layers(network), FACE_SAYS if network == "face" else GROUP_SAYS
    return [
        {
            "number": number,
            "says": says[number - 1],
            "layers": [
                {
                    "name": info.name,
                    "units": info.units,
                    "sees": sees(network, info),
                    "share": round(min(1.0, info.receptive.size / SHOWN_SIDE[network]), 4),
                    "url": layer_url(mining, network, info.name),
                    "tiles": samples(mining, info),
                }
                for info in layers
                if info.group == number
            ],
        }
        for number in GROUPS
    ]


def sees(network: str, info: LayerInfo) -> str:
    """How much one unit sees, in words."""
    size = info.receptive.size
    if size >= SHOWN_SIDE[network]:
        return "the whole face" if network == "face" else "the whole picture"
    return f"{size} × {size} pixels"


def samples(mining: Mining | None, info: LayerInfo, count: int = SAMPLES) -> list[Tile]:
    """The units that fire strongest."""
    found = tiles(mining, info) if mining is not None and mining.found else []
    return strongest_first(found)[:count]


def tiles(mining: Mining, info: LayerInfo) -> list[Tile]:
    """The wall of a layer, by number; empty where the layer was not looked at."""
    try:
        units = MiningFolder(mining.pk).layer(info.name)
    except FileNotFoundError:
        return []
    return [_tile(mining, info, unit, hits, len(units)) for unit, hits in enumerate(units)]


def strongest_first(wall: Sequence[Tile]) -> list[Tile]:
    return sorted(wall, key=lambda tile: -(tile.activation or 0.0))


def _tile(mining: Mining, info: LayerInfo, unit: int, hits: list[Hit], units: int) -> Tile:
    sheet, place = divmod(unit, SHEET_UNITS)
    row, column = divmod(place, SHEET_COLUMNS)
    on_sheet = min(SHEET_UNITS, units - sheet * SHEET_UNITS)
    return Tile(
        unit=unit,
        url=unit_url(mining, mining.network, info.name, unit),
        sheet=reverse("styletransfer:mining_sheet", args=[mining.pk, info.name, sheet]),
        column=column,
        row=row,
        rows=-(-on_sheet // SHEET_COLUMNS),
        activation=hits[0].activation if hits else None,
    )


def patches(mining: Mining, info: LayerInfo, unit: int) -> list[Patch]:
    """A unit's nine, strongest first; empty where nothing excited it or nothing is known."""
    return [
        _patch(mining, info, unit, rank, *found)
        for rank, found in enumerate(found_hits(mining, info, unit))
    ]


def _patch(
    mining: Mining, info: LayerInfo, unit: int, rank: int, hit: Hit, source: Source, box: Box
) -> Patch:
    inside = box.within((source.width, source.height))
    return Patch(
        rank=rank,
        activation=f"{hit.activation:.3g}",
        url=reverse("styletransfer:mining_patch", args=[mining.pk, info.name, unit, rank]),
        source=reverse("styletransfer:mining_source", args=[mining.pk, hit.key]),
        title=source.title,
        width=source.width,
        height=source.height,
        left=round(100 * inside.left / source.width, 3),
        top=round(100 * inside.top / source.height, 3),
        box_width=round(100 * inside.width / source.width, 3),
        box_height=round(100 * inside.height / source.height, 3),
        beyond=inside != box,
    )


def layer_facts(network: str, info: LayerInfo) -> list[tuple[str, str]]:
    field = info.receptive
    return [
        ("Layer", f"{info.name}, of layer {info.group}"),
        ("Units", str(info.units)),
        ("Each sees", sees(network, info)),
        ("From one to the next", "1 pixel" if field.stride == 1 else f"{field.stride} pixels"),
    ]


def mining_facts(mining: Mining) -> list[tuple[str, str]]:
    rows = [("Pictures", f"{mining.done:,} of {mining.total:,}" if mining.total else "…")]
    if mining.unreadable:
        word = "Without a face" if mining.network == "face" else "Could not be read"
        rows.append((word, f"{mining.unreadable:,}"))
    if mining.rate:
        rows.append(("Rate", f"{mining.rate:.1f} pictures a second"))
    return rows


def drawing() -> dict[str, Any]:
    """The first page's: a picture as Lite is shown one, and what one unit of each layer sees of
    it, one square in the other."""
    layers = {info.group: info for info in reversed(network_layers("lite"))}
    width, height = DRAWN.size
    fields = []
    for group, info in sorted(layers.items()):
        size = info.receptive.size
        x, y = (
            min(max(0, middle - size // 2), extent - size)
            for middle, extent in zip(DRAWN.middle, DRAWN.size, strict=True)
        )
        fields.append({"group": group, "size": size, "x": x, "y": y})
    return {"picture": static(DRAWN.path), "width": width, "height": height, "fields": fields}
