"""Measures the shipped operating points on a labelled set of faces and writes them as JSON.

    python -m scripts.calibrate_faces FOLDER [--name NAME] [--out FILE] [--device cpu]

FOLDER is laid out as LFW: pairs.txt and images/PERSON/PERSON_0001.jpg. The photos that pairs.txt
names are taken; all their pairs are counted, not only the listed ones. Only error rates at
thresholds are written. For your own photos there is `manage.py calibrate`.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from facerec.core import adapter
from facerec.core.calibration import (
    IDENTIFICATION_FPIR,
    SHIPPED,
    VERIFICATION_FMR,
    OperatingPoints,
    calibrate,
)
from facerec.core.error_rates import LabelledSet
from facerec.core.labelled import Picture, encode_set
from facerec.core.lfw import Photo, photos_of, read_pairs
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

    photos = photos_of(read_pairs(options.folder / "pairs.txt"))
    pipeline = FacePipeline.build(options.device)
    encodings, people, refused = [], [], Counter[str]()
    start = time.monotonic()
    for done, photo in enumerate(encode_set(pipeline, pictures(photos, options.folder)), start=1):
        if photo.refusal is not None:
            refused[photo.refusal.code] += 1
        else:
            encodings.append(photo.encoding)
            people.append(photo.person)
        if done % 500 == 0 or done == len(photos):
            print(f"{done} of {len(photos)} photos, {time.monotonic() - start:.0f} s", flush=True)

    labelled = LabelledSet.of(adapter.shipped()(np.stack(encodings)), people)
    points = calibrate(options.name, labelled, dict(sorted(refused.items())))
    points.save(options.out)
    report(points)
    print(f"written to {options.out}")


def pictures(photos: Iterable[Photo], folder: Path) -> Iterator[Picture]:
    for photo in photos:
        path = photo.path(folder)
        with Image.open(path) as image:
            yield Picture(photo.person, path.name, image.convert("RGB"))


def report(points: OperatingPoints) -> None:
    print(points.calibration_set)
    for fmr in (1e-2, VERIFICATION_FMR, 1e-4, 1e-5):
        print(f"verification   FMR {fmr:g}: {points.verification_threshold(fmr)}")
    for size in (1, 10, 100, 1000):
        point = points.identification_threshold(size)
        print(f"identification FPIR {IDENTIFICATION_FPIR:g}, {size} templates: {point}")


if __name__ == "__main__":
    main()
