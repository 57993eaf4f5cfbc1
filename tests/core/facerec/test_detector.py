from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facerec.core.detector import FIRST_PASS_PIXELS, HogDetector, _scaled
from tests.core.facerec.conftest import portrait, small_portrait


@pytest.fixture(scope="module")
def detector() -> HogDetector:
    return HogDetector()


def centre(box) -> tuple[float, float]:
    return box.x + box.w / 2, box.y + box.h / 2


def test_finds_a_drawn_face_where_it_is(detector: HogDetector) -> None:
    [found] = detector.detect(portrait(0))
    x, y = centre(found.box)
    assert abs(x - 240) < 25
    assert abs(y - 320) < 60
    assert 180 < found.box.w < 320
    assert found.score > 0


def test_nothing_in_a_picture_without_a_face(detector: HogDetector) -> None:
    assert detector.detect(Image.new("RGB", (300, 200), "teal")) == []
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    assert detector.detect(Image.fromarray(noise)) == []


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (40, 1)])
def test_tiny_pictures_hold_no_face(detector: HogDetector, size: tuple[int, int]) -> None:
    assert detector.detect(Image.new("RGB", size)) == []


def test_boxes_of_a_large_photo_lie_in_its_own_pixels(detector: HogDetector) -> None:
    photo = portrait(0).resize((1920, 2400))  # 4.6 megapixels, seen at half of one
    assert photo.width * photo.height > 9 * FIRST_PASS_PIXELS
    [found] = detector.detect(photo)
    x, y = centre(found.box)
    assert abs(x - 960) < 100
    assert abs(y - 1280) < 240
    assert 720 < found.box.w < 1280


def test_the_first_pass_sees_at_most_half_a_megapixel() -> None:
    seen = _scaled(Image.new("RGB", (4000, 3000)), (FIRST_PASS_PIXELS / 12e6) ** 0.5)
    assert seen.shape[0] * seen.shape[1] == pytest.approx(FIRST_PASS_PIXELS, rel=0.01)


def test_a_face_that_fills_the_picture_is_found_by_the_third_pass(detector: HogDetector) -> None:
    close_up = portrait(2).crop((140, 220, 340, 420)).resize((112, 112))
    assert not detector._at_scale(close_up, 1.0)
    assert not detector._at_scale(close_up, 2.0)
    [found] = detector.detect(close_up)
    x, y = centre(found.box)
    assert abs(x - 56) < 14
    assert abs(y - 56) < 24
    assert 80 < found.box.w < 130


def test_a_long_strip_is_not_blown_up(detector: HogDetector) -> None:
    assert detector._close_up(Image.new("RGB", (10, 4000))) == []


def test_a_small_face_is_found_by_the_second_pass(detector: HogDetector) -> None:
    small = Image.new("RGB", (400, 300), (120, 130, 140))
    small.paste(portrait(0).resize((112, 140), Image.Resampling.LANCZOS), (180, 90))
    [found] = detector.detect(small)
    x, y = centre(found.box)
    assert 40 <= found.box.w < 80
    assert abs(x - 236) < 10
    assert abs(y - 165) < 18


def test_several_faces_come_largest_first(detector: HogDetector) -> None:
    group = Image.new("RGB", (900, 600), (150, 150, 160))
    group.paste(portrait(1).resize((240, 300)), (40, 200))
    group.paste(portrait(0), (400, 0))
    first, second = detector.detect(group)
    assert first.box.area > second.box.area
    assert centre(first.box)[0] > 400 > centre(second.box)[0]


def test_threads_share_it(detector: HogDetector) -> None:
    pictures = [small_portrait(seed) for seed in (0, 1, 2)]
    expected = [detector.detect(picture) for picture in pictures]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(detector.detect, pictures * 3)) == expected * 3


def test_two_officials_are_found(detector: HogDetector, real_faces: Path) -> None:
    found = detector.detect(Image.open(real_faces / "obama_and_biden.jpg").convert("RGB"))
    assert len([f for f in found if f.score > 1]) == 2
