from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from facerec.core.quality import MIN_EYE_DISTANCE, MIN_SHARPNESS, luma, measure, refusal, sharpness
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
