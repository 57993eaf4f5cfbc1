"""Patches of a unit: what the mining found, cut out of the pictures that it kept, by arithmetic
alone. The web's side: no torch."""

from __future__ import annotations

import io

from styletransfer.core.visualise.findings import Hit
from styletransfer.core.visualise.layers import LayerInfo, padding_of
from styletransfer.core.visualise.patches import crop, patch_box
from styletransfer.core.visualise.receptive import Box
from styletransfer.mining_files import MiningFolder, Source
from styletransfer.models import Mining

SIDE = 240  # pixels


def found_hits(mining: Mining, info: LayerInfo, unit: int) -> list[tuple[Hit, Source, Box]]:
    """A unit's nine, the strongest first: where, in which picture, in which box of it. Empty where
    nothing excited it or nothing is known."""
    folder = MiningFolder(mining.pk)
    try:
        hits, sources = folder.layer(info.name)[unit], folder.sources()
    except (FileNotFoundError, IndexError):
        return []
    return [
        (hit, source, patch_box(info, hit.row, hit.column, (source.width, source.height)))
        for hit in hits
        if (source := sources.get(hit.key)) is not None
    ]


def patch_picture(mining: Mining, info: LayerInfo, unit: int, rank: int) -> bytes:
    """The patch as PNG. Raises FileNotFoundError or IndexError, where there is none."""
    hit, _, box = found_hits(mining, info, unit)[rank]
    view = MiningFolder(mining.pk).source_picture(hit.key)
    picture = crop(view, box, SIDE, padding_of(mining.network))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
