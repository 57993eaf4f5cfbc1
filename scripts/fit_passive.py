"""Fits the one number of the passive cues to the simulator, and says what it is worth.

    python -m scripts.fit_passive [--sessions 20] [--living 40] [--species a,b] [--camera soft]
                                  [--photos FOLDER] [--write]

Sessions of even seeds (people, rooms, cameras) are fitted on, odd ones are reported on. Everybody
is let through the whole challenge, since passing it is not what is measured here. The cues of each
session are kept in bench-results, and not measured twice. --write replaces passive.json.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, astuple, fields, replace
from pathlib import Path
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facerec.core.alignment import FivePointAligner
from facerec.core.detector import HogDetector
from facerec.core.liveness import borders, waves
from facerec.core.liveness.challenge import draw_challenge
from facerec.core.liveness.passive import WEIGHTS, Cues, PassiveEvidence
from facerec.core.liveness.types import Frame
from facerec.core.types import DetectedFace
from tests.bench.liveness.intervals import Share
from tests.simulator.attacks import SPECIES
from tests.simulator.camera import CameraSettings, from_jpeg, jpeg
from tests.simulator.session import Prompter

BONA_FIDE = "bona_fide"
ATTACKS = "flat_print", "bent_print", "still_on_phone", "phone_replay", "monitor_replay"

EVERY, LOOKS = 0.5, 16
"""Seconds from one look to the next, and looks at a session: as the judge has them."""

BPCER = 0.01
RIDGE = 0.002

CAMERAS: dict[str, Callable[[CameraSettings], CameraSettings]] = {
    "as drawn": lambda c: c,
    "soft": lambda c: replace(c, blur=2 * c.blur),
    "sharpened": lambda c: replace(c, sharpen=c.sharpen + 0.8),
    "noisy": lambda c: replace(c, read=3 * c.read, shot=2 * c.shot),
    "compressed": lambda c: replace(c, quality=0.5),
}
"""Ways in which a camera may differ from those that were fitted to."""

Values = NDArray[np.float64]


def kept() -> Path:
    """Where the cues of sessions are kept, by the code that measured them."""
    code = b"".join(Path(module.__file__).read_bytes() for module in (borders, waves))
    return Path(f"bench-results/passive-cues-{hashlib.sha256(code).hexdigest()[:8]}.jsonl")


class Finder:
    """The largest face in a picture; a frame gets one look, as the judge gives it."""

    def __init__(self) -> None:
        self._detector, self._aligner = HogDetector(), FivePointAligner()

    def __call__(self, image: NDArray[np.uint8], *, once: bool = True) -> DetectedFace | None:
        look = self._detector.look
        found = look(image) if once else self._detector.detect(Image.fromarray(image))
        largest = max(found, key=lambda detection: detection.box.area, default=None)
        return largest and self._aligner.align(image, largest).face


def session(species: str, seed: int, camera: str, find: Finder) -> Cues | None:
    """The cues of one session; None where hardly a face was found."""
    presentation = SPECIES[species](seed)
    settings = CAMERAS[camera](presentation.scene.camera.settings)
    presentation.scene.camera.settings = settings
    challenge = draw_challenge(4, Random(seed))
    presentation.begin(challenge)
    prompter, evidence = Prompter(challenge), PassiveEvidence()
    chance = np.random.default_rng(seed)
    t, told, looks = 0.0, None, 0
    while prompter.verdict is None and looks < LOOKS:
        image = from_jpeg(jpeg(presentation.picture(t, told), settings.quality))
        told = prompter.see(Frame(image, t, t, t))
        if (face := find(image)) is not None:
            evidence.add(image, face)
            looks += 1
        t += EVERY * chance.uniform(0.85, 1.15)
    return evidence.cues() if looks >= 4 else None


def measured(species: str, seeds: Sequence[int], camera: str) -> Values:
    """The cues of sessions, (n, 2); measured now, or before."""
    known, path = {}, kept()
    if path.exists():
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            known[row["species"], row["seed"], row["camera"]] = row["cues"]
    path.parent.mkdir(exist_ok=True)
    find = Finder()
    with path.open("a", encoding="utf-8") as file:
        for seed in seeds:
            if (species, seed, camera) in known:
                continue
            cues = session(species, seed, camera, find)
            row = {"species": species, "seed": seed, "camera": camera}
            row["cues"] = known[species, seed, camera] = cues and asdict(cues)
            print(json.dumps(row), file=file, flush=True)
    rows = [known[species, seed, camera] for seed in seeds]
    return np.array([astuple(Cues(**row)) for row in rows if row])


def fit(living: Values, attacks: list[Values], rounds: int = 3000) -> tuple[Values, float]:
    """Weights (2,), none below 0, and an offset: a logistic regression with a ridge, in which all
    species together weigh as much as the living. The limit, 0.5, lies beyond all but `BPCER` of
    the living, a third of the way to the lowest tenth of a species that lies beyond them too."""
    x = np.concatenate([living, *attacks])
    y = np.repeat([0.0, 1.0], [len(living), len(x) - len(living)])
    each = [np.full(len(living), 0.5 / len(living))]
    each += [np.full(len(rows), 0.5 / len(attacks) / len(rows)) for rows in attacks]
    share = np.concatenate(each)
    mean, scale = living.mean(axis=0), x.std(axis=0)
    z = (x - mean) / scale
    weights, offset = np.zeros(x.shape[1]), 0.0
    for _ in range(rounds):
        wrong = share * (1 / (1 + np.exp(-(z @ weights + offset))) - y)
        weights = np.maximum(0, weights - 2 * (wrong @ z + RIDGE * weights))
        offset -= 2 * wrong.sum()
    weights = weights / scale
    edge = float(np.quantile(living @ weights, 1 - BPCER))
    beyond = [rows @ weights for rows in attacks if np.quantile(rows @ weights, 0.1) > edge]
    nearest = min((float(np.quantile(rows, 0.1)) for rows in beyond), default=edge)
    return weights, -(edge + (nearest - edge) / 3)


def auc(attacks: Values, living: Values) -> float:
    """The chance that an attack scores more than a living person; both (n, 1)."""
    return float(((attacks > living.T).mean() + (attacks >= living.T).mean()) / 2)


def report(weights: Values, offset: float, rows: dict[str, Values]) -> Iterator[str]:
    """APCER at the limit and at the threshold that costs 1 % of the living; AUC of all and of
    each cue alone."""
    living = rows[BONA_FIDE]
    score = {species: cues @ weights + offset for species, cues in rows.items()}
    threshold = float(np.quantile(score[BONA_FIDE], 1 - BPCER))
    names = [field.name for field in fields(Cues)]
    refused = Share(int((score[BONA_FIDE] >= 0).sum()), len(living))
    yield f"BPCER at the limit: {refused}, n = {refused.n}"
    yield f"{'species':<16}   n  {'APCER at the limit':<24}  at BPCER 1 %   AUC  " + "  ".join(
        names
    )
    for species, cues in rows.items():
        if species == BONA_FIDE:
            continue
        passed = Share(int((score[species] < 0).sum()), len(cues))
        at_rate = float((score[species] <= threshold).mean())
        whole = auc(score[species][:, None], score[BONA_FIDE][:, None])
        alone = [auc(cues[:, [i]], living[:, [i]]) for i in range(len(names))]
        yield (
            f"{species:<16} {passed.n:3d}  {passed!s:<24}  {100 * at_rate:>10.1f} %  {whole:.2f}  "
            + "  ".join(f"{a:.2f}".center(len(n)) for a, n in zip(alone, names, strict=True))
        )


def photos(folder: Path) -> str:
    """How many photos of people are taken for screens by their waves alone: each looked at eight
    times, a little moved, its eyes as far apart as a webcam has them, with noise and a JPEG's."""
    find, chance = Finder(), np.random.default_rng(0)
    wrong = seen = 0
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".png")):
        image = np.asarray(Image.open(path).convert("RGB"))
        if (face := find(image, once=False)) is None:
            continue
        noise, quality = chance.uniform(0.8, 4), chance.uniform(0.7, 0.9)
        found = []
        for size in chance.uniform(45, 75) / face.eye_distance * chance.uniform(0.97, 1.03, 8):
            how = cv2.INTER_AREA if size < 1 else cv2.INTER_CUBIC
            larger = cv2.resize(image, None, fx=size, fy=size, interpolation=how)
            noisy = np.clip(larger + chance.normal(0, noise, larger.shape), 0, 255)
            look = from_jpeg(jpeg(noisy.astype(np.uint8), quality))
            marks = tuple((x * size, y * size) for x, y in face.landmarks)
            found.append(waves.excess(look, replace(face, landmarks=marks)))
        if None not in found:
            seen += 1
            wrong += Cues(float(np.mean(found)), 0.0).score() >= 0.5
    return f"photos taken for screens or prints: {Share(int(wrong), seen)}, n = {seen}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=20, help="of each species, in each half")
    parser.add_argument("--living", type=int, default=40, help="sessions of the living, likewise")
    parser.add_argument("--species", default=",".join(ATTACKS), help="a,b; the living always")
    parser.add_argument("--camera", choices=CAMERAS, default="as drawn", help="reported on")
    parser.add_argument("--photos", type=Path, help="a folder of photos of people")
    parser.add_argument("--write", action="store_true", help="replace passive.json")
    options = parser.parse_args()

    def half(odd: int, camera: str) -> dict[str, Values]:
        count = dict.fromkeys(options.species.split(","), options.sessions)
        count[BONA_FIDE] = options.living
        return {s: measured(s, range(odd, 2 * n, 2), camera) for s, n in count.items()}

    if options.write:
        rows = half(0, "as drawn")
        weights, offset = fit(rows.pop(BONA_FIDE), list(rows.values()))
        names = [field.name for field in fields(Cues)]
        content = {
            "weights": {n: round(float(w), 3) for n, w in zip(names, weights, strict=True)},
            "offset": round(offset, 3),
            "made_by": f"python -m scripts.fit_passive --sessions {options.sessions} "
            f"--living {options.living} --write",
        }
        WEIGHTS.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
        print(f"wrote {WEIGHTS}")
    fitted = json.loads(WEIGHTS.read_text("utf-8"))
    weights, offset = np.array(list(fitted["weights"].values())), fitted["offset"]
    print(f"odd seeds, camera {options.camera}")
    for line in report(weights, offset, half(1, options.camera)):
        print(line)
    if options.photos:
        print(photos(options.photos))


if __name__ == "__main__":
    main()
