"""Passive cues: waves are found where they were put, faces without any have none, real ones too."""

from __future__ import annotations

import json
from functools import cache
from time import perf_counter

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from facerec.core.liveness.passive import PassiveCues, PassiveEvidence, measure
from facerec.core.types import Box, DetectedFace
from tests.faces import draw_face

Picture = NDArray[np.uint8]

WIDTH, HEIGHT = 480, 360
EYES = 56.0


def face_at(x: float, y: float, eyes: float = EYES) -> DetectedFace:
    """A face from the front whose middle between the eyes is here."""
    a, b = eyes * 0.62, eyes * 0.38
    landmarks = ((x + a, y), (x + b, y), (x - a, y), (x - b, y), (x, y + 0.76 * eyes))
    side = round(2.2 * eyes)
    return DetectedFace(Box(round(x) - side // 2, round(y) - side // 3, side, side), landmarks, 1.0)


FACE = face_at(240, 160)


@cache
def person(seed: int) -> NDArray[np.float32]:
    """A drawn person in a webcam's picture, the eyes where FACE has them, before any noise."""
    drawn = np.asarray(draw_face(seed, size=(240, 300)).resize((270, 338)), np.float32)
    picture = np.full((HEIGHT, WIDTH, 3), drawn[5, 5], np.float32)
    picture[11:349, 105:375] = drawn
    return picture


def taken(light: NDArray[np.float32], seed: int, noise: float = 2.0, quality: int = 80) -> Picture:
    """Through a camera and a JPEG."""
    noisy = light + np.random.default_rng(seed).normal(0, noise, light.shape)
    pixels = np.clip(noisy, 0, 255).astype(np.uint8)[..., ::-1]
    coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1]


def waves(
    light: NDArray[np.float32],
    amplitude: float,
    across: float = 0.21,
    down: float = 0.1,
    colour: float = 0.0,
) -> NDArray[np.float32]:
    """A moiré over a picture. amplitude: as a share of the light. across, down: cycles a pixel.
    colour: by how much the wave of each channel lags behind that of the one before, radians."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    phase = 2 * np.pi * (across * x + down * y)
    return light * np.stack([1 + amplitude * np.cos(phase + c * colour) for c in range(3)], axis=-1)


def score(pictures: list[Picture]) -> float:
    evidence = PassiveEvidence()
    for i, picture in enumerate(pictures):
        evidence.add(picture, FACE, at=i / 10)
    return evidence.score()


def test_a_wave_is_a_peak_and_noise_is_none() -> None:
    plain = measure(taken(person(0), 1), FACE)
    wavy = measure(taken(waves(person(0), 0.03), 1), FACE)
    assert plain is not None
    assert wavy is not None
    assert plain.moire < 3.4 < 3.8 < wavy.moire


def test_a_wave_of_colour_is_seen_where_its_luma_is_not() -> None:
    def coloured(light: NDArray[np.float32]) -> NDArray[np.float32]:
        """Red up where green goes down by as much luma."""
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
        wave = 12 * np.cos(2 * np.pi * (0.21 * x + 0.1 * y))[..., None]
        return np.asarray(light + wave * np.array([0.587, -0.299, 0]), np.float32)

    plain = measure(taken(person(1), 2, quality=92), FACE)
    wavy = measure(taken(coloured(person(1)), 2, quality=92), FACE)
    assert plain is not None
    assert wavy is not None
    assert wavy.moire < plain.moire + 0.7
    assert wavy.colour > plain.colour + 1.5


@pytest.mark.parametrize("quality", [40, 60, 80, 95])
def test_the_blocks_of_a_jpeg_are_no_raster(quality: int) -> None:
    cues = measure(taken(person(2), 3, noise=1.0, quality=quality), FACE)
    assert cues is not None
    assert cues.moire < 3.8


def test_what_is_beside_the_face_does_not_count() -> None:
    """A striped shirt, a screen in the background."""
    light = waves(person(3), 0.2)
    light[60:300, 140:340] = person(3)[60:300, 140:340]
    cues = measure(taken(light, 4), FACE)
    assert cues is not None
    assert cues.moire < 3.8


def test_one_number_for_a_session() -> None:
    people = [[taken(person(s), 10 * s + i) for i in range(6)] for s in range(4)]
    screens = [[taken(waves(person(s), 0.03), 10 * s + i) for i in range(6)] for s in range(4)]
    assert max(map(score, people)) < 0.5 < min(map(score, screens))


def test_nothing_seen_says_nothing() -> None:
    evidence = PassiveEvidence()
    assert evidence.score() == 0
    small = np.zeros((100, 400, 3), np.uint8)
    assert measure(small, FACE) is None
    evidence.add(small, FACE, at=0)
    assert evidence.score() == 0


def test_it_lives_on_between_frames() -> None:
    pictures = [taken(waves(person(0), 0.01), i) for i in range(6)]
    evidence = PassiveEvidence()
    for i, picture in enumerate(pictures):
        evidence = PassiveEvidence.from_json(json.loads(json.dumps(evidence.as_json())))
        evidence.add(picture, FACE, at=i / 10)
    assert evidence.score() == score(pictures)


@settings(max_examples=40, deadline=None)
@given(
    st.floats(-200, 700),
    st.floats(-200, 600),
    st.floats(0, 300),
    st.integers(0, 255),
    st.sampled_from([(360, 480), (128, 128), (360, 130)]),
)
def test_any_face_anywhere_gets_finite_numbers(
    x: float, y: float, eyes: float, grey: int, size: tuple[int, int]
) -> None:
    image = np.full((*size, 3), grey, np.uint8)
    evidence = PassiveEvidence()
    evidence.add(image, face_at(x, y, eyes), at=0)
    cues = measure(image, face_at(x, y, eyes))
    assert isinstance(cues, PassiveCues)
    assert np.isfinite([cues.moire, cues.colour]).all()
    assert 0 <= evidence.score() < 0.5


def test_it_takes_a_few_milliseconds() -> None:
    picture = taken(person(0), 0)
    measure(picture, FACE)
    times = []
    for _ in range(10):
        start = perf_counter()
        measure(picture, FACE)
        times.append(perf_counter() - start)
    assert min(times) < 0.01  # 1.3 ms on an idle core


def test_photos_of_people_have_no_waves(real_faces) -> None:
    from facerec.core.alignment import FivePointAligner
    from facerec.core.detector import HogDetector

    detector, aligner = HogDetector(), FivePointAligner()
    seen = 0
    for path in sorted(real_faces.iterdir()):
        photo = Image.open(path).convert("RGB")
        for detection in detector.detect(photo)[:1]:
            eyes = aligner.align(np.asarray(photo), detection).face.eye_distance
            size = round(photo.width * EYES / eyes), round(photo.height * EYES / eyes)
            if min(size) < 128:
                continue
            small = photo.resize(size, Image.Resampling.LANCZOS)
            for found in detector.detect(small)[:1]:
                face = aligner.align(np.asarray(small), found).face
                picture = taken(np.asarray(small, np.float32), seen)
                evidence = PassiveEvidence()
                evidence.add(picture, face, at=0)
                assert evidence.score() < 0.5, path.name
                seen += 1
    assert seen >= 5
