"""Heads from photos of faces, over a generic depth.

A photo has one lamp's light in it, its background at the hair's edge and no true depth: such a
head turns as a mean head does. Good for the variety of real skin and hair, not for more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from tests.portraits.head import depth
from tests.portraits.person import Person, View, person
from tests.simulator.camera import linear
from tests.simulator.cast import EVEN
from tests.simulator.people import (
    BACK,
    CENTRE,
    HEIGHT,
    TEXELS,
    WIDTH,
    Head,
    draw_body,
)

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})

LARGEST = 1600
"""Photos are shrunk to this longer side before a face is looked for."""

SMALLEST = 24.0
"""Pixels between the eyes below which a photo shows too little to make a head of."""


@lru_cache(maxsize=1)
def mean_person() -> Person:
    """Whom the means of a number of drawn people make."""
    people = [person(lot) for lot in EVEN[:40]]
    means = {
        f.name: float(np.mean([getattr(p, f.name) for p in people]))
        for f in fields(Person)
        if isinstance(getattr(people[0], f.name), float)
    }
    return replace(people[0], warp=(0.0,) * 24, beard="none", glasses=False, **means)


def head_from_photo(
    image: NDArray[np.uint8], landmarks: Sequence[tuple[float, float]], seed: int = 0
) -> Head:
    """A head of a photo, uint8 RGB (H, W, 3), with dlib's five landmarks.

    The eyes give place, roll and scale; the depth is stretched so that its nose ends where the
    photo's does. Raises ValueError where the eyes are less than SMALLEST pixels apart.
    """
    p = mean_person()
    marks = np.array(landmarks, np.float64)
    right, left, nose = marks[0:2].mean(0), marks[2:4].mean(0), marks[4]
    across = right - left
    apart = float(np.linalg.norm(across))
    if apart < SMALLEST:
        raise ValueError("too few pixels between the eyes")
    # A similarity from the photo to the texture.
    scale = 2 * p.eye_x * TEXELS / apart
    cos, sin = across / apart
    turn = scale * np.array([[cos, sin], [-sin, cos]])
    matrix = np.column_stack([turn, np.array(CENTRE) - turn @ (right + left) / 2])
    light = cv2.warpAffine(
        linear(np.ascontiguousarray(image)), matrix, (WIDTH, HEIGHT),
        flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE,
    ).clip(0, 1)  # fmt: skip
    nose_y = float((turn @ (nose - (right + left) / 2))[1]) / TEXELS
    stretch = float(np.clip((p.nose_length + 0.06) / max(nose_y, 0.3), 0.75, 1.25))

    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    x, y = (columns - CENTRE[0]) / TEXELS, (rows - CENTRE[1]) / TEXELS * np.float32(stretch)
    face = depth(p, View(), x, y)
    # A skull round it, a little wider and higher than the face, where the photo has its hair.
    skull = 1 - (np.abs(x) / (p.width * 1.12)) ** 2.2
    skull -= (np.maximum(-y, 0) / (p.crown * 1.1)) ** 2.2 + (np.maximum(y, 0) / p.chin) ** p.jaw
    dome = -0.35 + 0.95 * np.sqrt(np.clip(skull, 0, 1))
    height = np.where(skull > 0, np.maximum(np.where(face > 0.02, face, -1), dome), 2 * BACK)
    cheek = light[int(CENTRE[1] + 0.35 * TEXELS) :, int(CENTRE[0] - 0.5 * TEXELS) :][:30, :120]
    skin = tuple(float(v) for v in np.median(cheek.reshape(-1, 3), 0))
    rng = np.random.default_rng([seed, 82])
    clothes = tuple(float(v) for v in rng.uniform(0.02, 0.5, 3))
    whole = replace(p, skin=skin, clothes=clothes)
    width = float(np.linalg.norm(marks[0] - marks[1]) + np.linalg.norm(marks[2] - marks[3]))
    half = width * scale / 4
    return Head(
        # Between its own light and none, the photo's mean is that of skin.
        albedo=(light * np.float32(0.35 / max(float(np.mean(skin)), 0.12)) ** 0.5).clip(0, 1),
        height=cv2.GaussianBlur(height.astype(np.float32), (0, 0), 0.8),
        body=draw_body(whole, View(), rng),
        eyes=((CENTRE[0] - p.eye_x * TEXELS, CENTRE[1]), (CENTRE[0] + p.eye_x * TEXELS, CENTRE[1])),
        eye=(half, half * 0.45),
        mouth=(CENTRE[0], CENTRE[1] + (nose_y + 0.35) * TEXELS, 0.4 * TEXELS),
    )


def heads_from_folder(folder: Path, limit: int = 500) -> Iterator[tuple[Path, Head | str]]:
    """Each photo of a folder and all below it, in order of the path, with the head that it gives,
    or a sentence why it gives none. Photos that show one face from the front are meant."""
    from facerec.core.alignment import FivePointAligner
    from facerec.core.detector import HogDetector

    detector, aligner = HogDetector(), FivePointAligner()
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    for number, path in enumerate(paths[:limit]):
        try:
            with Image.open(path) as file:
                file.thumbnail((LARGEST, LARGEST))
                image = file.convert("RGB")
        except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
            yield path, "not a picture"
            continue
        found = detector.detect(image)
        if len(found) != 1:
            yield path, "no face" if not found else "several faces"
            continue
        pixels = np.asarray(image)
        face = aligner.align(pixels, found[0]).face
        try:
            yield path, head_from_photo(pixels, face.landmarks, number)
        except ValueError as error:
            yield path, str(error)
