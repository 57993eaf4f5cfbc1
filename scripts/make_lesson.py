"""Draws the people of the page that teaches the triplet loss: `static/learn/*.jpg`.

    python -m scripts.make_lesson

Prints the squared distances between them, which the page's first words rely on.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from facerec.core.distance import squared_distance
from facerec.core.pipeline import FacePipeline
from tests.faces import draw_face

OUT = Path(__file__).resolve().parents[1] / "static" / "learn"
FACES = {  # seed and variation; 40 was, of 42, the one nearest to somebody of the cast
    "ida-1": (40, 0),
    "ida-2": (40, 7),
    "ines-1": (2, 0),
    "ines-2": (2, 6),
    "olga-1": (1, 0),
    "olga-2": (1, 5),
}
SIZE = (320, 400)


def main() -> None:
    OUT.mkdir(exist_ok=True)
    for name, (seed, variation) in FACES.items():
        face = draw_face(seed, variation).resize(SIZE, Image.Resampling.LANCZOS)
        face.save(OUT / f"{name}.jpg", quality=88, optimize=True)
    pipeline = FacePipeline.build()
    encodings = {}
    for path in sorted(OUT.glob("*.jpg")):
        with Image.open(path) as face:
            encodings[path.stem] = pipeline.one_face(face.convert("RGB")).encoding
    for first, a in encodings.items():
        print(f"{first:8}", *(f"{float(squared_distance(a, b)):.3f}" for b in encodings.values()))


if __name__ == "__main__":
    main()
