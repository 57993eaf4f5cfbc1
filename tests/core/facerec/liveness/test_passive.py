"""Passive cues: waves and carried edges are found where they were put, and nowhere else."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from time import thread_time

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from facerec.core.alignment import FivePointAligner
from facerec.core.detector import HogDetector
from facerec.core.liveness.borders import Borders
from facerec.core.liveness.challenge import Challenge, Step
from facerec.core.liveness.passive import Cues, PassiveEvidence
from facerec.core.liveness.types import Frame, Movement
from facerec.core.liveness.waves import WINDOW, excess, heights
from facerec.core.types import Box, DetectedFace
from tests.faces import draw_face
from tests.simulator.attacks import SPECIES
from tests.simulator.camera import from_jpeg, jpeg
from tests.simulator.session import Prompter

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
) -> NDArray[np.float32]:
    """A moiré over a picture. amplitude: as a share of the light. across, down: cycles a pixel."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    wave = np.cos(2 * np.pi * (across * x + down * y))
    return light * (1 + amplitude * wave)[..., None]


def score(pictures: list[Picture]) -> float:
    evidence = PassiveEvidence()
    for picture in pictures:
        evidence.add(picture, FACE)
    return evidence.score()


def of(picture: Picture) -> float:
    found = excess(picture, FACE)
    assert found is not None
    return found


def test_a_wave_is_a_peak_and_noise_is_none() -> None:
    assert of(taken(person(0), 1)) == 0
    assert of(taken(waves(person(0), 0.03), 1)) > 0.3
    assert of(taken(waves(person(6), 0.006), 1)) > 1  # skin, where there are no glasses


def test_the_height_of_a_peak() -> None:
    """A wave of amplitude a in white noise of variance v, both under a window w, has the power
    a^2 (sum w)^2 / (4 v sum w^2) of the noise's mean, whose mean logarithm is lower by Euler's
    constant."""
    x = np.arange(WINDOW)
    grey = np.random.default_rng(5).normal(0, 4, (WINDOW, WINDOW))
    grey += 2 * np.cos(2 * np.pi * (30 * x[None] + 20 * x[:, None]) / WINDOW)
    taper = np.outer(np.hanning(WINDOW), np.hanning(WINDOW)).astype(np.float32)
    height = heights(grey.astype(np.float32), taper)[20, 30]
    expected = np.log(4 * taper.sum() ** 2 / (4 * 16 * (taper**2).sum())) + np.euler_gamma
    assert height == pytest.approx(expected, abs=0.5)


@pytest.mark.parametrize("quality", [40, 60, 80, 95])
def test_the_blocks_of_a_jpeg_are_no_raster(quality: int) -> None:
    pictures = (taken(person(2), i, noise=1.0, quality=quality) for i in range(4))
    assert np.mean([of(picture) for picture in pictures]) < 0.1


def test_what_is_beside_the_face_does_not_count() -> None:
    """A striped shirt, a screen in the background."""
    light = waves(person(3), 0.2)
    light[60:300, 140:340] = person(3)[60:300, 140:340]
    assert of(taken(light, 4)) < 0.2


def rim(light: NDArray[np.float32], corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """Something brighter with straight edges behind the person: everything that is wall there."""
    inside = cv2.fillConvexPoly(np.zeros((HEIGHT, WIDTH), np.uint8), np.round(corners), 1)
    wall = np.abs(light - light[5, 5]).max(axis=2) < 40
    return np.asarray(light + 45 * (inside * wall)[..., None], np.float32)


CORNERS = np.array([[125, 25], [355, 25], [355, 340], [125, 340]], np.int32)


def session(*, carried: bool) -> list[Picture]:
    """A person before a frame of a door, or in a print that trembles and turns about the upright:
    its sides come nearer to each other and its upper and lower edges lean."""
    pictures = []
    for i in range(12):
        turn = np.sin(i / 2) if carried else 0.0
        x, y = (CORNERS - np.array([240, 180])).T * np.array([[1 - 0.1 * turn**2], [1]])
        y = y * (1 + 0.0006 * turn * x)
        moved = np.stack([x + 240 + 4 * turn, y + 180 + 2 * turn], axis=1).astype(np.int32)
        pictures.append(taken(rim(person(4), moved), 50 + i))
    return pictures


def carried(pictures: list[Picture]) -> float:
    borders = Borders()
    for picture in pictures:
        borders.add(picture, FACE)
    return borders.carried()


def test_a_rim_that_goes_along_is_told_from_a_door_frame() -> None:
    assert carried(session(carried=False)) < 0.05
    assert carried(session(carried=True)) > 0.15


def test_one_frame_shows_no_movement() -> None:
    assert carried(session(carried=True)[:1]) == 0


def test_one_number_for_a_session() -> None:
    people = [[taken(person(s), 10 * s + i) for i in range(6)] for s in range(4)]
    screens = [[taken(waves(person(s), 0.03), 10 * s + i) for i in range(6)] for s in range(4)]
    assert max(map(score, people)) < 0.5 < min(map(score, screens))
    assert score(session(carried=False)) < 0.5 < score(session(carried=True))


def test_nothing_seen_says_nothing() -> None:
    evidence = PassiveEvidence()
    assert (evidence.score(), evidence.cues()) == (0, None)
    small = np.zeros((100, 400, 3), np.uint8)
    evidence.add(small, FACE)
    assert evidence.score() == 0


def test_it_lives_on_between_frames() -> None:
    pictures = session(carried=True)
    evidence = PassiveEvidence()
    for picture in pictures:
        evidence = PassiveEvidence.from_json(json.loads(json.dumps(evidence.as_json())))
        evidence.add(picture, FACE)
    assert evidence.score() == pytest.approx(score(pictures))
    assert len(json.dumps(evidence.as_json())) < 40_000


@settings(max_examples=40, deadline=None)
@given(
    st.floats(-200, 700),
    st.floats(-200, 600),
    st.floats(0, 300),
    st.integers(0, 255),
    st.sampled_from([(360, 480), (128, 128), (360, 130), (700, 130)]),
)
def test_any_face_anywhere_gets_a_number(
    x: float, y: float, eyes: float, grey: int, size: tuple[int, int]
) -> None:
    image = np.full((*size, 3), grey, np.uint8)
    image[size[0] // 2 :] //= 2
    evidence = PassiveEvidence()
    for i in range(3):
        evidence.add(image, face_at(x + i, y, eyes))
    assert 0 <= evidence.score() <= 1


def test_it_takes_a_few_milliseconds() -> None:
    picture = taken(person(0), 0)
    times = []
    for _ in range(10):
        evidence = PassiveEvidence()
        start = thread_time()
        evidence.add(picture, FACE)
        times.append(thread_time() - start)
    assert min(times) < 0.01  # 2.8 ms


def test_a_simulated_session_of_somebody_whom_nothing_was_fitted_to() -> None:
    living, sheet = cues_of("bona_fide", 1), cues_of("flat_print", 1)
    assert living.score() < 0.5 < sheet.score()
    assert sheet.border > 0.1 > living.border


def cues_of(species: str, seed: int) -> Cues:
    """Eight looks at a session of the simulator."""
    presentation = SPECIES[species](seed)
    challenge = Challenge((Step(Movement.TURN_LEFT, 0.3), Step(Movement.COME_CLOSER, 0.3)))
    presentation.begin(challenge)
    prompter, evidence, told = Prompter(challenge), PassiveEvidence(), None
    for i in range(8):
        image = from_jpeg(jpeg(presentation.picture(0.8 * i, told), 0.8))
        told = prompter.see(Frame(image, 0.8 * i, 0.8 * i, 0.8 * i))
        if (face := found(image)) is not None:
            evidence.add(image, face)
    cues = evidence.cues()
    assert cues is not None
    return cues


def found(image: Picture) -> DetectedFace | None:
    detector, aligner = parts()
    detections = detector.detect(Image.fromarray(image))
    return aligner.align(image, detections[0]).face if detections else None


@cache
def parts() -> tuple[HogDetector, FivePointAligner]:
    return HogDetector(), FivePointAligner()


def test_photos_of_people_have_no_waves(real_faces) -> None:
    looked_at = 0
    for path in sorted(real_faces.iterdir()):
        photo = np.asarray(Image.open(path).convert("RGB"))
        if (face := found(photo)) is None:
            continue
        scale = EYES / face.eye_distance
        small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        landmarks = tuple((x * scale, y * scale) for x, y in face.landmarks)
        if min(small.shape[:2]) < WINDOW:
            continue
        picture = taken(small.astype(np.float32), looked_at)
        height = excess(picture, replace(face, landmarks=landmarks))
        assert height is not None
        assert height < 0.05, path.name
        looked_at += 1
    assert looked_at >= 5
