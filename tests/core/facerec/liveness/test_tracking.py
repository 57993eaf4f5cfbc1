"""Points are followed to less than a pixel, and not into another picture."""

from __future__ import annotations

from itertools import combinations

import cv2
import numpy as np
import pytest

from facerec.core.liveness.movements import pose_of
from facerec.core.liveness.tracking import POINTS, follow, grey, seed
from tests.core.facerec.liveness.dots import Dots, Place

DOTS = Dots()
IMAGE = DOTS.draw(Place())
LANDMARKS = DOTS.landmarks(Place())
EYES = pose_of(LANDMARKS).eyes


def test_points_are_seeded_on_the_face_and_apart() -> None:
    points = seed(grey(IMAGE), LANDMARKS)
    assert 60 <= len(points) <= POINTS
    centre = LANDMARKS[:4].mean(axis=0) + np.array([0, 0.45 * EYES])
    assert (np.hypot(*((points - centre) / (0.92 * EYES, 1.18 * EYES)).T) <= 1).all()
    assert min(np.hypot(*(a - b)) for a, b in combinations(points, 2)) > 0.06 * EYES


def test_new_points_keep_away_from_old_ones() -> None:
    old = seed(grey(IMAGE), LANDMARKS)[:40]
    new = seed(grey(IMAGE), LANDMARKS, old)
    assert len(new) > 5
    assert min(np.hypot(*(a - b)) for a in old for b in new) > 0.05 * EYES
    assert len(seed(grey(IMAGE), LANDMARKS, np.zeros((POINTS, 2), np.float32))) == 0


def test_nothing_to_follow_on_an_even_face() -> None:
    even = np.full((360, 480, 3), 90, np.uint8)
    assert len(seed(grey(even), LANDMARKS)) == 0
    followed = follow(grey(even), grey(IMAGE), np.empty((0, 2), np.float32), EYES)
    assert len(followed.kept) == 0


@pytest.mark.parametrize(("dx", "dy"), [(0.3, -0.7), (6.4, 3.2), (-14.0, 9.5)])
def test_a_shift_is_followed_to_a_tenth_of_a_pixel(dx: float, dy: float) -> None:
    shift = np.array([[1, 0, dx], [0, 1, dy]])
    moved = cv2.warpAffine(IMAGE, shift, (480, 360), borderMode=cv2.BORDER_REPLICATE)
    points = seed(grey(IMAGE), LANDMARKS)
    followed = follow(grey(IMAGE), grey(moved), points, EYES)
    assert followed.kept.mean() > 0.9
    missed = (followed.points - points - (dx, dy))[followed.kept]
    assert np.abs(missed).mean() < 0.1


def test_light_is_no_movement() -> None:
    rows = np.linspace(0.45, 1.2, 360)[:, None, None]
    dimmed = (IMAGE * rows + 10).clip(0, 255).astype(np.uint8)
    points = seed(grey(IMAGE), LANDMARKS)
    followed = follow(grey(IMAGE), grey(dimmed), points, EYES)
    assert followed.kept.mean() > 0.9
    assert np.abs((followed.points - points)[followed.kept]).mean() < 0.15


def test_hardly_a_point_is_followed_into_another_face() -> None:
    other = grey(Dots(seed=7).draw(Place()))
    points = seed(grey(IMAGE), LANDMARKS)
    assert follow(grey(IMAGE), other, points, EYES).kept.mean() < 0.2


def test_a_point_that_leaves_the_picture_is_lost() -> None:
    shift = np.array([[1, 0, 215.0], [0, 1, 0]])
    moved = cv2.warpAffine(IMAGE, shift, (480, 360))
    points = seed(grey(IMAGE), LANDMARKS)
    guess = points + np.float32([215, 0])
    followed = follow(grey(IMAGE), grey(moved), points, EYES, guess)
    assert not followed.kept[guess[:, 0] > 481].any()
