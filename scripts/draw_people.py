"""Draws the people in whom the face encoder is looked into: `static/see/people/*.jpg`.

python -m scripts.draw_people
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from tests.faces import draw_face

OUT = Path(__file__).resolve().parents[1] / "static" / "see" / "people"
COUNT = 36
SIZE = (192, 240)


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    for seed in range(100, 100 + COUNT):
        face = draw_face(seed, seed % 9).resize(SIZE, Image.Resampling.LANCZOS)
        face.save(OUT / f"{seed - 99:02d}.jpg", quality=84, optimize=True)


if __name__ == "__main__":
    main()
