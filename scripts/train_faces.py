"""Trains on a folder of people with each miner, and says whether it helps people held out.

    python -m scripts.train_faces FOLDER [--cache FOLDER] [--seeds 3] [--miner semi-hard]
                                  [--last-blocks] [--steps 300]

FOLDER has one folder a person, or is laid out as LFW with images/PERSON/. Each seed holds out other
people. Printed are the curves (loss, share of active triplets, held-out TAR) and, for every miner,
the table of old against new with intervals by person. With --cache the encodings and chips are
kept there, for another run; they are of real people, so mind where that is.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from facerec.core.adapter import shipped
from facerec.core.comparison import Candidate, Comparison, ComparisonRow, Estimate, compare
from facerec.core.heads import RuleName
from facerec.core.labelled import Picture, encode_set
from facerec.core.pipeline import FacePipeline
from facerec.core.training import LabelledFaces, Trainer
from facerec.core.training_config import MinerName, TrainingConfig, TrainingKind, TrainingStep

FAR = "0.001"
DEFAULTS = TrainingConfig()
RULES = {
    RuleName.DISTANCE: "d",
    RuleName.ABSOLUTE: "head, |f1 - f2|",
    RuleName.CHI_SQUARE: "head, chi-square",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--miner", type=MinerName, action="append", choices=list(MinerName))
    parser.add_argument("--steps", type=int, default=DEFAULTS.steps)
    parser.add_argument("--margin", type=float, default=DEFAULTS.margin)
    parser.add_argument("--learning-rate", type=float, default=DEFAULTS.learning_rate)
    parser.add_argument("--last-blocks", action="store_true", help="the last block, not an adapter")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    encodings, chips, people = faces_of(options.folder, options.cache, options.device)
    print(f"{len(people)} photos of {len(set(people))} people")
    config = TrainingConfig(
        kind=TrainingKind.LAST_BLOCKS if options.last_blocks else TrainingKind.ADAPTER,
        steps=options.steps,
        margin=options.margin,
        learning_rate=options.learning_rate,
    )
    labelled = LabelledFaces(chips if options.last_blocks else encodings, people)
    now = shipped()
    for miner in options.miner or MinerName:
        gains = []
        for seed in range(options.seeds):
            trainer = Trainer(
                labelled, replace(config, miner=miner, seed=seed), device=options.device, start=now
            )
            start = time.monotonic()
            curves(miner, seed, trainer, list(trainer.steps()), time.monotonic() - start)
            found = judged(trainer, now(encodings), people)
            if seed == 0:
                table(found)
            sys.stdout.flush()
            gains.append(_row(found, "new").gain[FAR])
        print(f"{miner}: new d against old d over seeds: {', '.join(map(_gain, gains))}\n")


def faces_of(
    folder: Path, cache: Path | None, device: str
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """(encodings, chips, people) of every photo that shows one person."""
    kept = cache / "faces.npz" if cache else None
    if kept and kept.exists():
        loaded = np.load(kept)
        return loaded["encodings"], loaded["chips"], loaded["people"].tolist()
    start, photos = time.monotonic(), []
    for done, photo in enumerate(encode_set(FacePipeline.build(device), pictures(folder)), start=1):
        if photo.refusal is None:
            photos.append(photo)
        if done % 500 == 0:
            print(f"{done} photos, {time.monotonic() - start:.0f} s", flush=True)
    encodings = np.stack([photo.face.encoding for photo in photos])
    chips, people = np.stack([photo.chip for photo in photos]), [photo.person for photo in photos]
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, encodings=encodings, chips=chips, people=people)
    return encodings, chips, people


def pictures(folder: Path) -> Iterator[Picture]:
    root = folder / "images" if (folder / "images").is_dir() else folder
    for path in sorted(root.glob("*/*.jpg")):
        with Image.open(path) as image:
            yield Picture(path.parent.name, path.name, image.convert("RGB"))


def curves(
    miner: MinerName, seed: int, trainer: Trainer, steps: list[TrainingStep], seconds: float
) -> None:
    every = trainer.config.eval_every
    print(
        f"{miner}, seed {seed}: {len(steps)} steps in {seconds:.0f} s; TAR at FMR {trainer.far:g} "
        f"before: {trainer.tar_at_start:.3f}; kept: step {trainer.best_step}"
    )
    for start in range(0, len(steps), every):
        part = steps[start:][:every]
        loss = np.mean([step.loss for step in part])
        active = np.mean([step.active_fraction for step in part])
        print(
            f"  to step {part[-1].step:4}  loss {loss:.4f}  active {active:6.1%}  "
            f"held-out TAR {part[-1].held_out_tar:.3f}  "
            f"{'collapsed' if part[-1].collapsed else ''}"
        )


def judged(trainer: Trainer, encodings: np.ndarray, people: list[str]) -> Comparison:
    """encodings: what there was before, all photos by the shipped encoder."""
    taught = np.sort(np.concatenate([trainer.taught, trainer.validation]))
    held_out = trainer.held_out
    return compare(
        [
            Candidate("old", encodings[taught], encodings[held_out]),
            Candidate("new", trainer.encode(taught), trainer.encode(held_out)),
        ],
        [people[i] for i in taught],
        [people[i] for i in held_out],
    )


def table(found: Comparison) -> None:
    print(
        f"  held out: {found.people} people, {found.photos} photos, {found.genuine:,} genuine and "
        f"{found.impostor:,} impostor pairs"
    )
    print(f"  {'':24}{'TAR 1e-2':>20}{'TAR 1e-3':>20}{'EER':>22}{'accuracy':>20}   gain at 1e-3")
    for row in found.rows:
        figures = [row.tar["0.01"], row.tar[FAR], row.eer, row.accuracy]
        texts = [_text(figure, 4 if figure is row.eer else 3) for figure in figures]
        name = f"{row.encoder}, {RULES[row.rule]}"
        print(f"  {name:24}" + "".join(f"{text:>21}" for text in texts), "  ", _gain(row.gain[FAR]))


def _row(found: Comparison, encoder: str) -> ComparisonRow:
    return next(r for r in found.rows if (r.encoder, r.rule) == (encoder, RuleName.DISTANCE))


def _text(figure: Estimate | None, digits: int) -> str:
    if figure is None:
        return "too few pairs"
    return f"{figure.value:.{digits}f} ({figure.low:.{digits}f}-{figure.high:.{digits}f})"


def _gain(figure: Estimate | None) -> str:
    if figure is None:
        return "too few pairs"
    return f"{figure.value:+.3f} ({figure.low:+.3f} to {figure.high:+.3f})"


if __name__ == "__main__":
    main()
