"""Encodings a second: this project's encoder against dlib's own, in one run.

    python -m tests.bench.bench_faces [--seconds 3] [--threads 1] [--out FILE.json]

Both take the same chips of drawn faces. The encoder's rate is that of f itself; a template is
the mean of two passes, over the chip and its mirror image. The stages of one request follow.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import dlib
import numpy as np
import torch
from PIL import Image

from facerec.core.alignment import FivePointAligner
from facerec.core.detector import HogDetector
from facerec.core.dlib_weights import find_model_file
from facerec.core.encoder import Encoder
from facerec.core.versions import ENCODER_WEIGHTS
from tests.faces import draw_face

BATCHES = (1, 8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=Path("bench-results/faces.json"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    photo = draw_face(0).resize((1000, 1250), Image.Resampling.LANCZOS)
    detector, aligner, encoder = HogDetector(), FivePointAligner(), Encoder(options.device)
    [detection] = detector.detect(photo)
    pixels = np.asarray(photo)
    chip = aligner.align(pixels, detection).chip
    published = dlib.face_recognition_model_v1(str(find_model_file(ENCODER_WEIGHTS)))

    encodings = []
    for batch in BATCHES:
        chips = np.repeat(chip[None], batch, axis=0)
        listed = list(chips)
        ours = rate(lambda chips=chips: encoder.encode(chips), options.seconds) * batch
        theirs = rate(
            lambda chips=listed: published.compute_face_descriptor(chips), options.seconds
        )
        encodings.append({"batch": batch, "ours": ours, "dlib": theirs * batch})
    stages = {
        "detect": 1e3 / rate(lambda: detector.detect(photo), options.seconds),
        "align": 1e3 / rate(lambda: aligner.align(pixels, detection), options.seconds),
        "encode": 1e3 / rate(lambda: encoder.encode_symmetric(chip[None]), options.seconds),
    }
    result = {
        "machine": machine(),
        "device": str(encoder.device),
        "threads": options.threads,
        "encodings_per_second": encodings,
        "milliseconds_per_request": stages,
    }
    report(result)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written to {options.out}")


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


def machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    return f"{model}, {os.cpu_count()} cores, torch {torch.__version__}, dlib {dlib.__version__}"


def report(result: dict) -> None:
    print(f"{result['machine']}; {result['device']}, {result['threads']} thread(s)")
    print("encodings a second\nbatch     ours     dlib    ratio")
    for row in result["encodings_per_second"]:
        ours, theirs = row["ours"], row["dlib"]
        print(f"{row['batch']:5d} {ours:8.1f} {theirs:8.1f} {ours / theirs:8.1f}")
    print("milliseconds a request (1.25 megapixels, one face)")
    for name, milliseconds in result["milliseconds_per_request"].items():
        print(f"{name:>8} {milliseconds:8.1f}")


if __name__ == "__main__":
    main()
