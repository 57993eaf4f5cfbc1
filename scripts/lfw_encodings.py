"""The faces of a folder in LFW's layout, encoded by the pipeline; for the scripts beside."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from facerec.core.labelled import Picture, encode_set
from facerec.core.lfw import Photo, photos_of, read_pairs
from facerec.core.pipeline import FacePipeline
from facerec.core.types import Encoding
from facerec.core.versions import ALIGNER_VERSION, BACKBONE_VERSION


@dataclass(frozen=True)
class EncodedFolder:
    """encodings: the backbone's, (N, 128). people: N names. folds: (N,), pairs.txt's. refused:
    how many further photos each reason kept out."""

    encodings: Encoding
    people: list[str]
    folds: np.ndarray
    refused: dict[str, int] = field(default_factory=dict)


def arguments(description: str) -> argparse.ArgumentParser:
    """What every script asks about its folder."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--encodings", type=Path, help="an .npz file: read where it is there, written where not"
    )
    return parser


def encode_folder(options: argparse.Namespace) -> EncodedFolder:
    """Every photo that pairs.txt names."""
    if options.encodings and options.encodings.exists():
        return _read(options.encodings)
    torch.set_num_threads(options.threads)
    pairs = read_pairs(options.folder / "pairs.txt")
    fold_of = {photo.person: pair.fold for pair in pairs for photo in (pair.first, pair.second)}
    photos = photos_of(pairs)
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
    folds = np.array([fold_of[person] for person in people])
    encoded = EncodedFolder(np.stack(encodings), people, folds, dict(sorted(refused.items())))
    if options.encodings:
        _write(options.encodings, encoded)
    return encoded


def pictures(photos: Iterable[Photo], folder: Path) -> Iterator[Picture]:
    for photo in photos:
        path = photo.path(folder)
        with Image.open(path) as image:
            yield Picture(photo.person, path.name, image.convert("RGB"))


def _write(path: Path, encoded: EncodedFolder) -> None:
    np.savez(
        path,
        made_by=[BACKBONE_VERSION, ALIGNER_VERSION],
        encodings=encoded.encodings,
        people=encoded.people,
        folds=encoded.folds,
        reasons=list(encoded.refused),
        counts=list(encoded.refused.values()),
    )


def _read(path: Path) -> EncodedFolder:
    with np.load(path, allow_pickle=False) as file:
        if file["made_by"].tolist() != [BACKBONE_VERSION, ALIGNER_VERSION]:
            raise SystemExit(f"{path} was made by {file['made_by']}")
        refused = dict(zip(file["reasons"].tolist(), file["counts"].tolist(), strict=True))
        return EncodedFolder(file["encodings"], file["people"].tolist(), file["folds"], refused)
