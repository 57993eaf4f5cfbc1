"""Many small pictures in one JPEG, and what a viewer must know to show them one at a time."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

from PIL import Image

GROUND = (18, 17, 16)
"""RGB behind what does not fill its picture."""


def sheet(
    file: str, label: str, cells: Sequence[Image.Image], *, columns: int = 0, quality: int = 85
) -> tuple[dict[str, Any], bytes]:
    """A view of `sheet.json`, and the JPEG that it names.

    cells: pictures of one size, in rows of so many columns (0: about as many as rows).
    """
    columns = columns or math.ceil(math.sqrt(len(cells)))
    width, height = cells[0].size
    page = Image.new("RGB", (columns * width, math.ceil(len(cells) / columns) * height), GROUND)
    for k, cell in enumerate(cells):
        page.paste(cell, (k % columns * width, k // columns * height))
    buffer = io.BytesIO()
    page.save(buffer, "JPEG", quality=quality)
    facts = {"file": file, "count": len(cells), "columns": columns}
    return facts | {"width": width, "height": height, "label": label}, buffer.getvalue()
