"""Measures the shipped operating points on a labelled set of faces and writes them as JSON.

    python -m scripts.calibrate_faces FOLDER [--encodings FILE.npz] [--name NAME] [--out FILE]

FOLDER is laid out as LFW: pairs.txt and images/PERSON/PERSON_0001.jpg. The photos that pairs.txt
names are taken; all their pairs are counted, not only the listed ones. Only error rates at
thresholds are written. For your own photos there is `manage.py calibrate`.

The shipped adapter was fitted to people of the same set, and on them it would look better than it
is. So the people are parted in two, each half is encoded by the adapter that `train_adapter` would
make of the other, and pairs are counted within the halves.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facerec.core.calibration import (
    IDENTIFICATION_FPIR,
    SHIPPED,
    VERIFICATION_FMR,
    OperatingPoints,
    calibrate,
)
from facerec.core.cohort import cross_fitted
from facerec.core.error_rates import LabelledSet
from scripts.lfw_encodings import EncodedFolder, arguments, encode_folder

DEFAULT_OUT = Path(__file__).resolve().parents[1] / "facerec" / "core" / SHIPPED


def main() -> None:
    parser = arguments(__doc__.split("\n\n")[0])
    parser.add_argument("--name", default="LFW, pairs.txt folds 1 to 5, 112 px crops")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    options = parser.parse_args()
    encoded = encode_folder(options)
    points = calibrate(options.name, in_halves(encoded), encoded.refused)
    points.save(options.out)
    report(points)
    print(f"written to {options.out}")


def in_halves(encoded: EncodedFolder) -> LabelledSet:
    """The set by adapters that have not seen its people, in two folds; drawn, but the same each
    time."""
    names, person = np.unique(encoded.people, return_inverse=True)
    half = (np.random.default_rng(0).permutation(len(names)) % 2)[person]
    adapted = np.empty_like(encoded.encodings)
    for inside, adapter in cross_fitted(encoded.encodings, encoded.people, half):
        adapted[inside] = adapter(encoded.encodings[inside])
    return LabelledSet.of(adapted, encoded.people, folds=half.tolist())


def report(points: OperatingPoints) -> None:
    print(points.calibration_set)
    for fmr in (1e-2, VERIFICATION_FMR, 1e-4, 1e-5):
        print(f"verification   FMR {fmr:g}: {points.verification_threshold(fmr)}")
    for size in (1, 10, 100, 1000):
        point = points.identification_threshold(size)
        print(f"identification FPIR {IDENTIFICATION_FPIR:g}, {size} templates: {point}")


if __name__ == "__main__":
    main()
