"""How well faces are told apart, beside dlib's own pipeline, and how fast.

    python -m tests.bench.bench_faces [PAIRS] [--dlib-photos 0] [--rounds 200] [--speed]

PAIRS is a folder in LFW's layout: pairs.txt and images/PERSON/PERSON_0001.jpg; by default
lfw-dev in the folder that LIKENESS_TEST_DATA names. Every photo goes through the whole pipeline; a
pair with a refused photo is scored both ways, left out and counted as not accepted. Written are
bench-results/faces.json and faces-det.svg. With --speed, only how fast: it needs no photos.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

import dlib
import numpy as np
import torch

from facerec.core import adapter as adapters
from facerec.core.adapter import IDENTITY, Adapter
from facerec.core.calibration import OperatingPoints
from facerec.core.cohort import cross_fitted
from facerec.core.det import det_svg
from facerec.core.encoder import VIEWS
from facerec.core.lfw import photos_of, read_pairs
from facerec.core.versions import ENCODER_VERSION
from tests.bench.faces import latency, speed
from tests.bench.faces.accuracy import FARS, Accuracy, identify, judge, within_folds
from tests.bench.faces.photos import Faces, some_pairs, through_dlib, through_the_pipeline

NO_PAIRS = """No pairs to measure accuracy on. Name a folder in LFW's layout:

    make bench-faces PAIRS=FOLDER

    FOLDER/pairs.txt                      folds and pairs a half fold, then the pairs, by tabs:
                                          NAME a b (one person) or NAME a OTHER b (two)
    FOLDER/images/NAME/NAME_0001.jpg      the photos

or set LIKENESS_TEST_DATA to a folder that holds such a one as lfw-dev. How fast it is, without
photos: python -m tests.bench.bench_faces --speed"""

UNIT = Adapter(np.eye(128), version="unit", unit=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("pairs", type=Path, nargs="?", default=default_folder())
    parser.add_argument("--speed", action="store_true", help="only how fast")
    parser.add_argument("--accuracy", action="store_true", help="only how well")
    parser.add_argument(
        "--dlib-photos", type=int, default=0, help="dlib on about so many photos; 0 is all"
    )
    parser.add_argument("--rounds", type=int, default=200, help="of the bootstrap")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=Path("bench-results/faces.json"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if not options.speed and (options.pairs is None or not (options.pairs / "pairs.txt").is_file()):
        print(NO_PAIRS, file=sys.stderr)
        sys.exit(2)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {"machine": machine(), "device": options.device}
    print(f"{result['machine']}; {options.device}, {options.threads} thread(s)", flush=True)
    if not options.accuracy:
        result["speed"] = speed.measure(options.device, options.seconds)
        print("\n".join(speed.lines(result["speed"])), flush=True)
        result["latency"] = latency.measure(options.seconds)
        print("\n".join(latency.lines(result["latency"])), flush=True)
    if not options.speed:
        result["accuracy"] = how_well(options)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written to {options.out}")


def default_folder() -> Path | None:
    data = os.environ.get("LIKENESS_TEST_DATA")
    return Path(data) / "lfw-dev" if data else None


def how_well(options: argparse.Namespace) -> dict[str, Any]:
    """The tables: steps, dlib beside us on the same photos, unseen people, identification."""
    pairs = read_pairs(options.pairs / "pairs.txt")
    ours = through_the_pipeline(photos_of(pairs), options.pairs, options.device)
    stored = ours.steps[f"{VIEWS} views"]
    shipped = adapters.shipped()
    ways = ours.steps | {"unit length": UNIT(stored), "adapter": shipped(stored)}
    print(
        f"\n{len(pairs)} pairs, {len(photos_of(pairs))} photos in {ours.seconds:.0f} s; "
        f"refused: {ours.refused or 'none'}; encoder {ENCODER_VERSION}"
    )
    print(HEADING, flush=True)
    cost = ours.cost | {
        name: ours.cost[f"{VIEWS} views"] + adapter_cost(adapter, stored)
        for name, adapter in (("unit length", UNIT), ("adapter", shipped))
    }
    judged: dict[str, Accuracy] = {}
    for name, encodings in ways.items():
        judged[name] = judge(encodings, ours.photos, pairs, options.rounds)
        print("\n".join(lines(name, judged[name], cost[name])), flush=True)
    beside = beside_dlib(options, pairs, ours, shipped)
    unseen = on_unseen_people(pairs, ours, shipped)
    print_identification(found := identification(options, ours, shipped, beside.pop("faces")))
    curves = {"Likeness": judged["adapter"].curve, "f alone": judged["f alone"].curve}
    few = f", {beside['dlib'].pairs} of the pairs" if options.dlib_photos else ""
    curves[f"dlib{few}"] = beside["dlib"].curve
    picture = options.out.with_name(f"{options.out.stem}-det.svg")
    picture.write_text(det_svg(curves), encoding="utf-8")
    print(f"DET curve: {picture}")
    return {
        "folder": options.pairs.name,
        "encoder": ENCODER_VERSION,
        "refused": ours.refused,
        "steps": {
            name: accuracy.as_json() | {"milliseconds_a_face": cost[name]}
            for name, accuracy in judged.items()
        },
        "beside_dlib": {name: accuracy.as_json() for name, accuracy in beside.items()},
        "within_folds": unseen,
        "identification": found,
    }


HEADING = (
    "\n                accuracy [95 %] (with refused)      TAR at FAR "
    + "".join(f"{far:<24g}" for far in FARS)
    + "d'"
)


def adapter_cost(adapter: Adapter, encodings: np.ndarray) -> float:
    """Milliseconds for one probe."""
    return 1e3 / speed.rate(lambda: adapter(encodings[:1]), 0.2)


def lines(name: str, it: Accuracy, cost: float | None = None) -> list[str]:
    tars = " ".join(
        f"{it.tar[far]:.4f} [{it.tar_interval[far].low:.3f} {it.tar_interval[far].high:.3f}]  "
        for far in FARS
    )
    low, high = it.accuracy_interval
    milliseconds = "" if cost is None else f"  {cost:.1f} ms a face"
    accuracy = f"{it.accuracy:.4f} [{low:.4f} {high:.4f}] ({it.accuracy_all:.4f})"
    with_refused = " ".join(f"{it.tar_all[far]:.4f}" for far in FARS)
    return [
        f"{name:15s} {accuracy}   {tars} {it.d_prime:.2f}{milliseconds}",
        f"{'':15s}   with the {it.undecided} pairs of refused photos: {with_refused}",
    ]


def beside_dlib(
    options: argparse.Namespace, pairs: list, ours: Faces, shipped: Adapter
) -> dict[str, Any]:
    """dlib's own pipeline and ours on the same pairs."""
    chosen = some_pairs(pairs, options.dlib_photos) if options.dlib_photos else pairs
    photos = photos_of(chosen)
    theirs = through_dlib(photos, options.pairs)
    print(
        f"\nbeside dlib {dlib.__version__}, {len(chosen)} pairs, {len(photos)} photos in "
        f"{theirs.seconds:.0f} s; dlib found no face in {theirs.refused.get('no_face', 0)}{HEADING}"
    )
    wanted = set(photos)
    rows = [row for row, photo in enumerate(ours.photos) if photo in wanted]
    kept = [ours.photos[row] for row in rows]
    same = shipped(ours.steps[f"{VIEWS} views"][rows])
    judged = {
        "dlib": judge(theirs.steps["dlib"], theirs.photos, chosen, options.rounds),
        "Likeness": judge(same, kept, chosen, options.rounds),
    }
    for name, accuracy in judged.items():
        print("\n".join(lines(name, accuracy)), flush=True)
    return judged | {"faces": theirs}


def on_unseen_people(pairs: list, ours: Faces, shipped: Adapter) -> dict[str, Any]:
    """Whether the shipped adapter knows these people: if it does, it is better than the same
    recipe fitted to the other folds."""
    fold_of = {photo.person: pair.fold for pair in pairs for photo in (pair.first, pair.second)}
    people = [photo.person for photo in ours.photos]
    folds = np.array([fold_of[person] for person in people])
    stored = ours.steps[f"{VIEWS} views"]
    crossed = np.empty_like(stored)
    for inside, adapter in cross_fitted(stored, people, folds):
        crossed[inside] = adapter(stored[inside])
    ways = {"views alone": IDENTITY(stored), "adapter": shipped(stored), "cross-fitted": crossed}
    tars = {name: within_folds(encodings, people, folds) for name, encodings in ways.items()}
    print("\nall pairs within folds, TAR at FAR " + ", ".join(f"{far:g}" for far in FARS))
    for name, tar in tars.items():
        print(f"{name:15s} " + "  ".join(f"{tar[far]:.4f}" for far in FARS))
    print("cross-fitted: the adapter's recipe, each fold by what was fitted to the others.")
    return {name: {f"{far:g}": tar[far] for far in FARS} for name, tar in tars.items()}


def identification(
    options: argparse.Namespace, ours: Faces, shipped: Adapter, theirs: Faces
) -> dict[str, Any]:
    adapted = shipped(ours.steps[f"{VIEWS} views"])
    enrolled = identify(adapted, ours.photos, [0.0], 1)[0]["enrolled"]
    points = OperatingPoints.load()
    thresholds = [
        points.identification_threshold(enrolled).threshold,
        points.verification_threshold().threshold,
    ]
    return {
        "Likeness, FPIR 0.01 / FMR 0.001": identify(
            adapted, ours.photos, thresholds, options.rounds
        ),
        "dlib, L2 0.45 / 0.6": identify(
            theirs.steps["dlib"], theirs.photos, [0.45**2, 0.6**2], options.rounds
        ),
    }


def print_identification(tables: dict[str, Any]) -> None:
    print("\nidentification: one photo each is enrolled; shares [95 %]")
    print(
        "    tau  enrolled  probes  right                wrong                strangers  accepted"
    )
    for name, rows in tables.items():
        print(name)
        for row in rows:
            parts = []
            for kind, total in (("right", "known"), ("wrong", "known"), ("accepted", "strangers")):
                low, high = row["intervals"][kind]
                parts.append(f"{row[kind] / row[total]:.4f} [{low:.3f} {high:.3f}]")
            right, wrong, accepted = parts
            print(
                f"{row['threshold']:7.4f}  {row['enrolled']:8d}  {row['known']:6d}  {right}  "
                f"{wrong}  {row['strangers']:9d}  {accepted}"
            )


def machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    return f"{model}, {os.cpu_count()} cores, torch {torch.__version__}, dlib {dlib.__version__}"


if __name__ == "__main__":
    main()
