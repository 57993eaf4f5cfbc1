"""Draw the starter pictures into static/starters/.

    python -m scripts.make_starters [--out DIR] [--size 576]

Each at the best JPEG quality that stays under the limit, so that the page which offers them
loads at once.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from PIL import Image

from styletransfer.core.procedural import STARTERS

LIMIT = 118_000  # bytes


def encode(picture: Image.Image) -> bytes:
    """A progressive JPEG under LIMIT."""
    for quality in range(92, 20, -4):
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality, progressive=True, optimize=True)
        if buffer.tell() < LIMIT:
            return buffer.getvalue()
    raise ValueError("a starter does not fit its limit at any quality")


def main() -> None:
    """Draw all of them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("static/starters"))
    parser.add_argument("--size", type=int, default=576)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for starter in STARTERS:
        data = encode(starter.render(options.size))
        (options.out / f"{starter.slug}.jpg").write_bytes(data)
        print(f"{starter.slug}.jpg {len(data) // 1000} kB, {starter.title}")


if __name__ == "__main__":
    main()
