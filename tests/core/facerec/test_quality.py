from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from facerec.core.quality import (
    MEASURES,
    MIN_EYE_DISTANCE,
    MIN_SHARPNESS,
    NOSE_BEFORE_EYES,
    NOSE_BELOW_EYES,
    Measure,
    Use,
    exposure,
    face_region,
    luma,
    measure,
    overall,
    pose,
    refusal,
    sharpness,
)
from facerec.core.types import Box, DetectedFace, Quality, Reason
from tests.core.facerec.conftest import portrait


def chip_of(seed: int) -> Image.Image:
    return portrait(seed).resize((150, 150), box=(100, 130, 380, 410))


def test_luma_known_values() -> None:
    pixels = np.array([[[255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    np.testing.assert_allclose(luma(pixels), [[1, 0.299, 0.587, 0.114]], atol=1e-9)


def test_a_flat_chip_has_no_sharpness() -> None:
    assert sharpness(np.full((150, 150, 3), 90, np.uint8)) == 0


def test_a_checkerboard_has_the_largest_sharpness() -> None:
    cells = np.indices((50, 50)).sum(0) % 2 * 200 + 50
    board = np.repeat(np.repeat(cells, 3, 0), 3, 1).astype(np.uint8)
    # Neighbours are all opposite, so the Laplacian is 8 times the deviation from the mean.
    assert sharpness(np.repeat(board[..., None], 3, 2)) == pytest.approx(64)


def test_sharpness_falls_with_blur_and_ignores_contrast() -> None:
    chip = chip_of(0)
    measured = [
        sharpness(np.asarray(chip.filter(ImageFilter.GaussianBlur(radius))))
        for radius in (0, 1, 2, 3, 5)
    ]
    assert measured == sorted(measured, reverse=True)
    assert measured[0] > MIN_SHARPNESS > measured[-1]
    pale = (np.asarray(chip) * 0.4 + 90).astype(np.uint8)
    assert sharpness(pale) == pytest.approx(measured[0], rel=0.1)


def test_noise_does_not_pass_for_detail() -> None:
    blurred = np.asarray(chip_of(0).filter(ImageFilter.GaussianBlur(5))).astype(float)
    noisy = blurred + np.random.default_rng(0).normal(0, 5, blurred.shape)
    assert sharpness(np.clip(noisy, 0, 255).astype(np.uint8)) < MIN_SHARPNESS


def test_the_black_beyond_the_photos_edge_is_no_detail() -> None:
    blurred = np.asarray(chip_of(0).filter(ImageFilter.GaussianBlur(5))).copy()
    for row in range(150):
        blurred[row, : 35 + row // 10] = 0  # a slanted edge, as where a face is cut
    assert sharpness(blurred) < MIN_SHARPNESS
    assert sharpness(np.zeros((150, 150, 3), np.uint8)) == 0


def test_measure_reports_the_face_and_its_exposure() -> None:
    points = ((70.0, 40.0), (55.0, 40.0), (20.0, 40.0), (35.0, 40.0), (45.0, 60.0))
    grey = np.full((150, 150, 3), 51, np.uint8)
    quality = measure(DetectedFace(Box(10, 10, 80, 80), points, 1.0), grey)
    assert quality.face_width == 80
    assert quality.eye_distance == pytest.approx(35)
    assert quality.brightness == pytest.approx(0.2)
    assert quality.contrast == pytest.approx(0)


def face_at(yaw: float, pitch: float, roll: float = 0) -> DetectedFace:
    """The model head of `quality.pose`, turned by so many degrees and seen from far away."""
    ψ, θ, ρ = np.radians([yaw, pitch, roll])
    model = np.array(
        [
            [0.7, 0, 0],
            [0.3, 0, 0],
            [-0.7, 0, 0],
            [-0.3, 0, 0],
            [0, NOSE_BELOW_EYES, NOSE_BEFORE_EYES],  # z: towards the camera
        ]
    )
    x, y, z = model.T
    x, z = x * np.cos(ψ) + z * np.sin(ψ), z * np.cos(ψ) - x * np.sin(ψ)
    y = y * np.cos(θ) + z * np.sin(θ)
    seen = np.stack([x * np.cos(ρ) - y * np.sin(ρ), x * np.sin(ρ) + y * np.cos(ρ)], axis=1)
    a, b, c, d, e = ((float(px), float(py)) for px, py in 100 + 40 * seen)
    return DetectedFace(Box(60, 60, 80, 80), (a, b, c, d, e), 1.0)


@pytest.mark.parametrize("roll", [-20, 0, 35])
@pytest.mark.parametrize("yaw", [-45, -20, 0, 10, 40])
def test_yaw_and_roll_are_read_off_the_model_head(yaw: float, roll: float) -> None:
    assert pose(face_at(yaw, 0, roll)) == pytest.approx((yaw, 0, roll), abs=1e-6)


@pytest.mark.parametrize("pitch", [-20, -10, 10, 20])
def test_pitch_is_right_to_first_order(pitch: float) -> None:
    """The nod's cosine is neglected: at 20 degrees that makes up to 6."""
    measured = pose(face_at(0, pitch))
    assert measured[0] == measured[2] == pytest.approx(0, abs=1e-6)
    assert measured[1] == pytest.approx(pitch, abs=6.5)
    assert np.sign(measured[1]) == np.sign(pitch)


def test_a_turn_and_a_nod_at_once() -> None:
    for turn, nod in ((25, 12), (25, -12), (-25, 12)):
        yaw, pitch, _ = pose(face_at(turn, nod))
        assert yaw == pytest.approx(turn, abs=10)
        assert pitch == pytest.approx(nod, abs=10)


def test_landmarks_that_fell_together_have_no_pose() -> None:
    point = (5.0, 5.0)
    assert pose(DetectedFace(Box(0, 0, 9, 9), (point,) * 5, 1.0)) == (0, 0, 0)


def test_exposure_known_values() -> None:
    half = np.zeros((150, 150, 3), np.uint8)
    half[:, :75], half[:, 75:] = 51, 255
    brightness, contrast, highlights = exposure(half)
    assert brightness == pytest.approx(0.6, abs=0.01)
    assert contrast == pytest.approx(0.4, abs=0.01)
    assert highlights == pytest.approx(0.5, abs=0.01)


def test_exposure_leaves_out_what_lies_beyond_the_photo() -> None:
    cut = np.full((150, 150, 3), 102, np.uint8)
    cut[:, :60] = 0
    assert exposure(cut) == pytest.approx((0.4, 0, 0), abs=1e-9)
    assert exposure(np.zeros((150, 150, 3), np.uint8)) == (0, 0, 0)


def test_the_face_region_is_an_ellipse_in_the_middle() -> None:
    region = face_region()
    assert region[75, 75]
    assert not region[0].any()
    assert not region[:, 0].any()
    assert region.mean() == pytest.approx(np.pi * 0.27 * 0.35, abs=0.01)
    assert np.array_equal(region, region[:, ::-1])


GOOD = Quality(80, 40, 0.4, 0.5, 0.15, confidence=1.5)


@pytest.mark.parametrize(
    ("change", "as_probe", "enrolled"),
    [
        ({}, None, None),
        ({"eye_distance": 18}, None, Reason.TOO_SMALL),
        ({"sharpness": 0.09}, None, Reason.TOO_BLURRED),
        ({"brightness": 0.15}, None, Reason.TOO_DARK),
        ({"brightness": 0.1}, Reason.TOO_DARK, Reason.TOO_DARK),
        ({"highlights": 0.3}, None, Reason.TOO_BRIGHT),
        ({"highlights": 0.6}, Reason.TOO_BRIGHT, Reason.TOO_BRIGHT),
        ({"contrast": 0.045}, None, Reason.TOO_FLAT),
        ({"contrast": 0.03}, Reason.TOO_FLAT, Reason.TOO_FLAT),
        ({"yaw": -41}, None, Reason.TURNED_AWAY),
        ({"yaw": 39}, None, None),
        ({"pitch": -33}, None, Reason.TURNED_AWAY),
        ({"pitch": 51}, None, None),
        ({"pitch": 53}, None, Reason.TURNED_AWAY),
        ({"roll": 45}, None, None),  # alignment undoes it
        ({"confidence": 0.1}, None, Reason.COVERED),
    ],
)
def test_enrolment_is_stricter_than_a_question(
    change: dict[str, float], as_probe: Reason | None, enrolled: Reason | None
) -> None:
    quality = replace(GOOD, **change)
    assert refusal(quality, Use.PROBE) is as_probe
    assert refusal(quality, Use.ENROLMENT) is enrolled
    assert overall(quality) <= overall(GOOD) == 1


values = st.floats(0, 1)


@given(values, values, values, values, st.floats(-60, 60), st.floats(0, 3), st.data())
def test_overall_never_falls_when_a_measure_gets_better(a, b, c, d, yaw, e, data) -> None:
    quality = Quality(80, 60 * a, b, c, d / 3, 1 - b, yaw, 0, 0, e)
    measure = data.draw(st.sampled_from(MEASURES))
    better = {
        "size": {"eye_distance": quality.eye_distance + 5},
        "sharpness": {"sharpness": quality.sharpness + 0.1},
        "light": {"brightness": min(1.0, quality.brightness + 0.1)},
        "highlights": {"highlights": quality.highlights * 0.5},
        "contrast": {"contrast": quality.contrast + 0.05},
        "pose": {"yaw": quality.yaw / 2},
        "visibility": {"confidence": quality.confidence + 0.3},
    }[measure.name]
    improved = replace(quality, **better)
    assert 0 <= overall(quality) <= overall(improved) <= 1
    for use in Use:  # and what was fit stays fit
        if measure.passes(quality, use):
            assert measure.passes(improved, use)


@pytest.mark.parametrize("measure", MEASURES, ids=lambda m: m.name)
def test_enrolment_asks_at_least_what_a_question_does(measure: Measure) -> None:
    if Use.PROBE in measure.limits:
        probe, enrolment = measure.limits[Use.PROBE], measure.limits[Use.ENROLMENT]
        assert (enrolment > probe) == (measure.best > measure.worst)
    assert "." in measure.reason.sentence


@pytest.mark.parametrize(
    ("eyes", "sharp", "reason"),
    [
        (MIN_EYE_DISTANCE, MIN_SHARPNESS, None),
        (MIN_EYE_DISTANCE - 0.1, MIN_SHARPNESS, Reason.TOO_SMALL),
        (MIN_EYE_DISTANCE, MIN_SHARPNESS - 0.001, Reason.TOO_BLURRED),
        (MIN_EYE_DISTANCE - 0.1, 0, Reason.TOO_SMALL),
    ],
)
def test_refusal(eyes: float, sharp: float, reason: Reason | None) -> None:
    assert refusal(Quality(eyes * 2.5, eyes, sharp, 0.5, 0.2)) is reason
