"""A patch, cut out of the picture that is kept, by arithmetic alone: the web's side, no torch."""

from __future__ import annotations

import io

from styletransfer.core.visualise.layers import LayerInfo
from styletransfer.mining_files import MiningFolder
from styletransfer.models import Mining

SIDE = 240  # pixels


def patch_picture(mining: Mining, info: LayerInfo, unit: int, rank: int) -> bytes:
    """A PNG. Raises FileNotFoundError or IndexError, where there is none."""
    from styletransfer.core.visualise.patches import crop

    folder = MiningFolder(mining.pk)
    hit = folder.layer(info.name)[unit][rank]
    picture = crop(folder.source_picture(hit.key), info.receptive.box_of(hit.row, hit.column), SIDE)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
