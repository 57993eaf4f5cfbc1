"""Encodings a second beside dlib's own encoder, and what the stages of one request cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import dlib
import numpy as np
from PIL import Image

from facerec.core.adapter import shipped
from facerec.core.alignment import FivePointAligner
from facerec.core.detector import HogDetector
from facerec.core.dlib_weights import find_model_file
from facerec.core.encoder import VIEWS, Encoder
from facerec.core.versions import ENCODER_WEIGHTS
from tests.faces import draw_face

BATCHES = (1, 8, 32)


def measure(device: str, seconds: float) -> dict[str, Any]:
    """{encodings_per_second: [{batch, ours, dlib}], milliseconds_per_request: {stage: ms}}.

    Both take the same chips of drawn faces; the rate is that of f itself, one view.
    """
    photo = draw_face(0).resize((1000, 1250), Image.Resampling.LANCZOS)
    detector, aligner, encoder = HogDetector(), FivePointAligner(), Encoder(device)
    adapter = shipped()
    [detection] = detector.detect(photo)
    pixels = np.asarray(photo)
    chip = aligner.align(pixels, detection).chip
    template = encoder.encode_symmetric(chip[None])
    published = dlib.face_recognition_model_v1(str(find_model_file(ENCODER_WEIGHTS)))
    rows = []
    for batch in BATCHES:
        chips = np.repeat(chip[None], batch, axis=0)
        ours = rate(lambda chips=chips: encoder.encode(chips), seconds)
        theirs = rate(lambda chips=list(chips): published.compute_face_descriptor(chips), seconds)
        rows.append({"batch": batch, "ours": ours * batch, "dlib": theirs * batch})
    stages: dict[str, Callable[[], object]] = {
        "detect": lambda: detector.detect(photo),
        "align": lambda: aligner.align(pixels, detection),
        "one view": lambda: encoder.encode(chip[None]),
        f"{VIEWS} views": lambda: encoder.encode_symmetric(chip[None]),
        "adapter": lambda: adapter(template),
    }
    milliseconds = {name: 1e3 / rate(stage, seconds) for name, stage in stages.items()}
    return {"encodings_per_second": rows, "milliseconds_per_request": milliseconds}


def rate(work: Callable[[], object], seconds: float) -> float:
    """Calls a second: the median of the single times, so that a busy neighbour does not count."""
    work()
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return float(1 / np.median(times))


def lines(result: dict[str, Any]) -> list[str]:
    text = ["encodings a second", "batch     ours     dlib    ratio"]
    for row in result["encodings_per_second"]:
        ours, theirs = row["ours"], row["dlib"]
        text.append(f"{row['batch']:5d} {ours:8.1f} {theirs:8.1f} {ours / theirs:8.1f}")
    text.append(
        "milliseconds a request (1.25 megapixels, one face); the 4 views are what is stored"
    )
    stages = result["milliseconds_per_request"].items()
    return text + [f"{name:>8} {milliseconds:8.2f}" for name, milliseconds in stages]
