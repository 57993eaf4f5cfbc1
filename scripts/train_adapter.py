"""Fits the shipped adapter to a labelled set of faces and writes it as safetensors.

    python -m scripts.train_adapter FOLDER [--encodings FILE.npz] [--out FILE] [--device cpu]

FOLDER is laid out as LFW: pairs.txt and images/PERSON/PERSON_0001.jpg. First the recipe is
measured on people whom it has not seen (each fold by the adapter of the others), then it is fitted
to all. The file holds a matrix and a small net, no face and no encoding of anyone.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facerec.core import metrics
from facerec.core.adapter import IDENTITY, Adapter
from facerec.core.cohort import cross_fitted, fit_adapter
from facerec.core.versions import SHIPPED_ADAPTER
from scripts.lfw_encodings import EncodedFolder, arguments, encode_folder

CORE = Path(__file__).resolve().parents[1] / "facerec" / "core"
FARS = (1e-2, 1e-3, 1e-4)


def main() -> None:
    parser = arguments(__doc__.split("\n\n")[0])
    parser.add_argument("--out", type=Path, default=CORE / f"{SHIPPED_ADAPTER}.safetensors")
    options = parser.parse_args()
    encoded = encode_folder(options)
    print("TAR at FAR " + ", ".join(f"{far:g}" for far in FARS) + " within folds, mean of folds")
    folds = [(encoded.folds == fold, IDENTITY) for fold in np.unique(encoded.folds)]
    report("backbone alone", encoded, folds)
    fitted = list(cross_fitted(encoded.encodings, encoded.people, encoded.folds))
    report("adapter, on people it has not seen", encoded, fitted)
    adapter = fit_adapter(encoded.encodings, encoded.people, version=SHIPPED_ADAPTER)
    print(f"written to {options.out}, SHA-256 {adapter.save(options.out)}")


def report(label: str, encoded: EncodedFolder, folds: list[tuple[np.ndarray, Adapter]]) -> None:
    rows = []
    for inside, adapter in folds:
        people = [person for person, kept in zip(encoded.people, inside, strict=True) if kept]
        scores = metrics.genuine_impostor(adapter(encoded.encodings[inside]), people)
        rows.append([metrics.tar_at_far(scores.genuine, scores.impostor, far) for far in FARS])
    print(f"{label:36s}" + "  ".join(f"{tar:.4f}" for tar in np.mean(rows, axis=0)), flush=True)


if __name__ == "__main__":
    main()
