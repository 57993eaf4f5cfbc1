from __future__ import annotations

from pathlib import Path

import dlib
import numpy as np
import pytest

from facerec.core.alignment import FivePointAligner
from facerec.core.detector import HogDetector
from facerec.core.dlib_weights import find_model_file
from facerec.core.errors import WeightsCorrupt
from facerec.core.versions import LANDMARK_WEIGHTS
from tests.core.facerec.conftest import portrait


@pytest.fixture(scope="module")
def aligner() -> FivePointAligner:
    return FivePointAligner()


def aligned(aligner: FivePointAligner, image):
    [found] = HogDetector().detect(image)
    return aligner.align(np.asarray(image), found)


def test_the_chip_is_dlibs(aligner: FivePointAligner) -> None:
    pixels = np.asarray(portrait(0))
    face, chip = aligned(aligner, portrait(0))
    box = face.box
    rectangle = dlib.rectangle(box.x, box.y, box.x + box.w - 1, box.y + box.h - 1)
    predictor = dlib.shape_predictor(str(find_model_file(LANDMARK_WEIGHTS)))
    expected = dlib.get_face_chip(pixels, predictor(pixels, rectangle), size=150, padding=0.25)
    assert chip.dtype == np.uint8
    np.testing.assert_array_equal(chip, expected)


def test_landmarks_lie_on_eyes_and_nose(aligner: FivePointAligner) -> None:
    face, _ = aligned(aligner, portrait(0))
    right_outer, right_inner, left_outer, left_inner, nose = face.landmarks
    assert left_outer[0] < left_inner[0] < nose[0] < right_inner[0] < right_outer[0]
    eyes = (right_outer[1] + left_outer[1]) / 2
    assert nose[1] - eyes > 0.3 * face.eye_distance
    assert abs(nose[0] - 240) < 25  # drawn in the middle


def test_a_tilted_head_comes_out_upright(aligner: FivePointAligner) -> None:
    straight = aligned(aligner, portrait(0)).chip.astype(float)
    tilted = portrait(0).rotate(12, resample=3, fillcolor=(150, 160, 170))
    turned = aligned(aligner, tilted)
    a, _, c, _, _ = turned.face.landmarks
    assert abs(a[1] - c[1]) > 10  # it was tilted
    middle = np.s_[30:120, 30:120]
    assert np.abs(turned.chip.astype(float)[middle] - straight[middle]).mean() < 12


def test_a_face_at_the_edge_is_filled_with_black(aligner: FivePointAligner) -> None:
    cut = portrait(0).crop((110, 160, 370, 460))
    _, chip = aligned(aligner, cut)
    assert chip.shape == (150, 150, 3)


def test_other_landmark_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / LANDMARK_WEIGHTS
    path.write_bytes(b"something else")
    with pytest.raises(WeightsCorrupt):
        FivePointAligner(path)
