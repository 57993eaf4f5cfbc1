"""The photos of a folder in LFW's layout, encoded step by step, and by dlib's own pipeline."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import dlib
import numpy as np
from PIL import Image

from facerec.core.dlib_weights import find_model_file
from facerec.core.encoder import VIEWS, Encoder
from facerec.core.errors import FaceRefused
from facerec.core.lfw import Pair, Photo
from facerec.core.pipeline import FacePipeline
from facerec.core.versions import ENCODER_WEIGHTS, LANDMARK_WEIGHTS

_BATCH = 8


@dataclass(frozen=True)
class Faces:
    """photos: those in which a face was accepted. steps: by name, (N, 128) each. refused: why the
    others were not. seconds: wall time for all. cost: of each step's encoding, ms a face, in
    batches of 8."""

    photos: list[Photo]
    steps: dict[str, np.ndarray]
    refused: dict[str, int]
    seconds: float
    cost: dict[str, float] = field(default_factory=dict)


def through_the_pipeline(photos: Sequence[Photo], folder: Path, device: str) -> Faces:
    """f alone, with the mirror, and the four views that are stored."""
    start = time.monotonic()
    pipeline, encoder = FacePipeline.build(device), Encoder(device)
    kept: list[Photo] = []
    chips: list[np.ndarray] = []
    refused: Counter[str] = Counter()
    for photo in photos:
        try:
            with Image.open(photo.path(folder)) as image:
                face, _ = pipeline.one_aligned(image)
        except FaceRefused as refusal:
            refused[refusal.reason.value] += 1
            continue
        kept.append(photo)
        chips.append(face.chip)
    steps: dict[str, list[np.ndarray]] = {"f alone": [], "mirror": [], f"{VIEWS} views": []}
    spent = dict.fromkeys(steps, 0.0)
    for first in range(0, len(chips), _BATCH):
        batch = np.stack(chips[first:][:_BATCH])
        mirror = np.ascontiguousarray(batch[:, :, ::-1])
        times = [time.perf_counter()]
        plain = encoder.encode(batch)
        times.append(time.perf_counter())
        both = (plain + encoder.encode(mirror)) / 2
        times.append(time.perf_counter())
        stored = pipeline.encode(batch)
        times.append(time.perf_counter())
        for name, encodings, taken in zip(
            steps,
            (plain, both, stored),
            (times[1] - times[0], times[2] - times[0], times[3] - times[2]),
            strict=True,
        ):
            steps[name].append(encodings)
            spent[name] += taken
    cost = {name: 1e3 * taken / len(chips) for name, taken in spent.items()}
    joined = {name: np.concatenate(parts) for name, parts in steps.items()}
    return Faces(kept, joined, dict(refused), time.monotonic() - start, cost)


def through_dlib(photos: Sequence[Photo], folder: Path) -> Faces:
    """dlib's own detector (one upsampling), five landmarks and descriptor; the largest face."""
    start = time.monotonic()
    detector = dlib.get_frontal_face_detector()
    predictor = dlib.shape_predictor(str(find_model_file(LANDMARK_WEIGHTS)))
    net = dlib.face_recognition_model_v1(str(find_model_file(ENCODER_WEIGHTS)))
    kept, encodings, missed = [], [], 0
    for photo in photos:
        with Image.open(photo.path(folder)) as image:
            pixels = np.asarray(image.convert("RGB"))
        boxes = detector(pixels, 1)
        if not boxes:
            missed += 1
            continue
        largest = max(boxes, key=lambda box: box.area())
        descriptor = net.compute_face_descriptor(pixels, predictor(pixels, largest))
        kept.append(photo)
        encodings.append(np.array(descriptor, np.float32))
    refused = {"no_face": missed} if missed else {}
    steps = {"dlib": np.stack(encodings)}
    return Faces(kept, steps, refused, time.monotonic() - start)


def some_pairs(pairs: Sequence[Pair], photos: int) -> list[Pair]:
    """The first pairs of each kind in each fold, as many as need about so many photos."""
    kinds = {(pair.fold, pair.same) for pair in pairs}
    each = max(1, round(photos / 1.6 / len(kinds)))
    taken: Counter[tuple[int, bool]] = Counter()
    chosen = []
    for pair in pairs:
        taken[pair.fold, pair.same] += 1
        if taken[pair.fold, pair.same] <= each:
            chosen.append(pair)
    return chosen
