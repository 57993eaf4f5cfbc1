"""Measures operating points on a labelled set of faces and writes them as JSON.

    python -m scripts.calibrate_faces FOLDER [--name NAME] [--out FILE] [--device cpu]

FOLDER is laid out as LFW: pairs.txt and images/PERSON/PERSON_0001.jpg. The photos that pairs.txt
names are taken; all their pairs are counted, not only the listed ones: two photos of one person
are a genuine pair, photos of two people an impostor pair. Only distributions are written.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from facerec.core.calibration import (
    IDENTIFICATION_FPIR,
    SHIPPED,
    VERIFICATION_FMR,
    OperatingPoints,
    calibrate,
)
from facerec.core.errors import FaceRefused
from facerec.core.pipeline import FacePipeline

DEFAULT_OUT = Path(__file__).resolve().parents[1] / "facerec" / "core" / SHIPPED


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", default="LFW, pairs.txt folds 1 to 5, 112 px crops")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    photos = read_pairs(options.folder / "pairs.txt")
    pipeline = FacePipeline.build(options.device)
    encodings, people, refused = [], [], Counter[str]()
    start = time.monotonic()
    for done, (person, number) in enumerate(photos, start=1):
        path = options.folder / "images" / person / f"{person}_{number:04d}.jpg"
        try:
            with Image.open(path) as photo:
                encodings.append(pipeline.one_face(photo).encoding)
            people.append(person)
        except FaceRefused as refusal:
            refused[refusal.reason.value] += 1
        if done % 500 == 0 or done == len(photos):
            print(f"{done} of {len(photos)} photos, {time.monotonic() - start:.0f} s", flush=True)

    points = calibrate(options.name, np.stack(encodings), people, dict(sorted(refused.items())))
    points.save(options.out)
    report(points)
    print(f"written to {options.out}")


def read_pairs(path: Path) -> list[tuple[str, int]]:
    """Every photo, (person, number), that LFW's pairs.txt names, sorted."""
    photos: set[tuple[str, int]] = set()
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        match line.split("\t"):
            case [person, first, second]:
                photos |= {(person, int(first)), (person, int(second))}
            case [person, number, other, other_number]:
                photos |= {(person, int(number)), (other, int(other_number))}
    return sorted(photos)


def report(points: OperatingPoints) -> None:
    print(points.calibration_set)
    for fmr in (1e-2, VERIFICATION_FMR, 1e-4, 1e-5):
        print(f"verification   FMR {fmr:g}: {points.verification_threshold(fmr)}")
    for size in (1, 10, 100, 1000):
        point = points.identification_threshold(size)
        print(f"identification FPIR {IDENTIFICATION_FPIR:g}, {size} templates: {point}")


if __name__ == "__main__":
    main()
