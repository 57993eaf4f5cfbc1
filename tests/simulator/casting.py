"""Who can be cast: people of tests/portraits whom the detector finds from the front.

`python -m tests.simulator.casting [FIRST LAST]` tries them and prints the two halves and how many
were dropped and why. It looks from the front alone, in even light, from two distances: nothing
that the judge measures.
"""

from __future__ import annotations

import sys
from collections import Counter

import numpy as np
from PIL import Image

from facerec.core.alignment import FivePointAligner
from facerec.core.detector import HogDetector
from tests.simulator.people import draw_head
from tests.simulator.rays import Pose
from tests.simulator.scene import Lamps, Person, Scene

DISTANCES = 0.42, 0.56
ASTRAY = 0.2
"""How far the landmarks may lie from the drawn eyes, as a share of the distance between them."""


def refusal(lot: int, detector: HogDetector, aligner: FivePointAligner) -> str | None:
    """Why this person cannot be cast; None if they can."""
    head, scene = draw_head(lot), Scene(0)
    scene.lamps = Lamps((-0.3, -0.4, -1.0), (0.8, 0.8, 0.8), (0.5, 0.5, 0.5))
    scene.backdrop[:] = 0.25
    for distance in DISTANCES:
        pose = Pose(y=0.05, distance=distance)
        picture = scene.picture([Person(head, pose, pose)], 0.0)
        found = detector.detect(Image.fromarray(picture))
        if len(found) != 1:
            return "not found" if not found else "several found"
        five = np.array(aligner.align(picture, found[0]).face.landmarks)
        drawn = scene.lens.project(pose.place(head.points(head.eyes)))
        seen = np.array([five[2:4].mean(0), five[0:2].mean(0)])
        if np.abs(seen - drawn).max() > ASTRAY * np.linalg.norm(drawn[0] - drawn[1]):
            return "landmarks astray"
    return None


def main(first: int, last: int) -> None:
    detector, aligner = HogDetector(), FivePointAligner()
    halves: tuple[list[int], list[int]] = ([], [])
    dropped: Counter[str] = Counter()
    for lot in range(first, last):
        why = refusal(lot, detector, aligner)
        if why is None:
            halves[lot % 2].append(lot)
        else:
            dropped[why] += 1
    print("EVEN =", tuple(halves[0]))
    print("ODD =", tuple(halves[1]))
    print(f"{last - first} tried, dropped: {dict(dropped)}")


if __name__ == "__main__":
    main(*(int(arg) for arg in sys.argv[1:3] or ("2000", "2160")))
