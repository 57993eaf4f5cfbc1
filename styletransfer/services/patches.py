"""A patch, cut out of the picture that is kept, by arithmetic alone: the web's side, no torch."""

from __future__ import annotations

import io

from styletransfer.core.visualise.layers import LayerInfo, padding_of
from styletransfer.core.visualise.patches import crop, patch_box
from styletransfer.mining_files import MiningFolder
from styletransfer.models import Mining

SIDE = 240  # pixels


def patch_picture(mining: Mining, info: LayerInfo, unit: int, rank: int) -> bytes:
    """A PNG. Raises FileNotFoundError or IndexError, where there is none."""
    folder = MiningFolder(mining.pk)
    hit = folder.layer(info.name)[unit][rank]
    view = folder.source_picture(hit.key)
    box = patch_box(info, hit.row, hit.column, view.size)
    picture = crop(view, box, SIDE, padding_of(mining.network))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
