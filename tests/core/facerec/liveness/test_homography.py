"""Known geometry: what a plane leaves unexplained, and what depth does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facerec.core.liveness.homography import (
    fit_homography,
    parallax_residual,
    residuals,
    transfer,
)
from tests.core.facerec.liveness.dots import Dots, Place, bent, flat, head

H = np.array([[1.1, 0.05, 12.0], [-0.03, 0.9, -7.0], [2e-4, -1e-4, 1.0]])
GRID = np.stack(np.meshgrid([100, 180, 260, 300], [90, 160, 250]), axis=-1).reshape(-1, 2)
POINTS = GRID.astype(np.float32)


def test_four_points_and_more_give_the_homography_back() -> None:
    for points in (POINTS, POINTS[[0, 3, 8, 11]]):
        assert fit_homography(points, transfer(H, points)) == pytest.approx(H, rel=1e-3, abs=1e-6)


def test_transfer_divides_by_depth() -> None:
    [[x, y]] = transfer(H, np.array([[100, 50]], np.float32))
    w = 100 * 2e-4 - 50 * 1e-4 + 1
    assert (x, y) == pytest.approx(((110 + 2.5 + 12) / w, (-3 + 45 - 7) / w), rel=1e-5)


@pytest.mark.parametrize(
    "points", [POINTS[:3], np.zeros((5, 2), np.float32), np.array([[i, i] for i in range(6)])]
)
def test_points_that_fix_no_homography(points: np.ndarray) -> None:
    with pytest.raises(ValueError):
        fit_homography(points.astype(np.float32), points.astype(np.float32))


def test_one_point_off_the_plane_is_the_residual() -> None:
    many = np.random.default_rng(0).uniform(50, 300, (400, 2)).astype(np.float32)
    moved = transfer(H, many)
    moved[7] += (0, 20)
    assert residuals(many, moved)[7] == pytest.approx((0, 20), abs=1)
    assert parallax_residual(many, moved, 50) == pytest.approx(20 / 50 / np.sqrt(400), rel=0.05)


def seen(dots: Dots, place: Place) -> np.ndarray:
    inner = dots._points[np.hypot(dots._points[:, 0], dots._points[:, 1] - 0.45) < 1]
    return dots.pixels(inner, place)[0].astype(np.float32)


@given(
    yaw=st.floats(-40, 40),
    pitch=st.floats(-30, 30),
    roll=st.floats(-20, 20),
    distance=st.floats(4, 12),
)
def test_a_plane_leaves_nothing_however_it_moves(
    yaw: float, pitch: float, roll: float, distance: float
) -> None:
    print_ = Dots(flat)
    moved = seen(print_, Place(yaw, pitch, roll, distance))
    assert parallax_residual(seen(print_, Place()), moved, 60) < 1e-3


@given(yaw=st.floats(12, 35), sign=st.sampled_from([-1, 1]))
def test_a_head_leaves_more_than_a_bent_sheet_and_more_the_farther_it_turns(
    yaw: float, sign: int
) -> None:
    place, farther = Place(yaw=sign * yaw), Place(yaw=sign * (yaw + 5))

    def left(depth: object, where: Place) -> float:
        dots = Dots(depth)  # type: ignore[arg-type]
        return parallax_residual(seen(dots, Place()), seen(dots, where), 60)

    assert left(head, place) > 2 * left(bent, place) > 0.001
    assert left(head, farther) > left(head, place) > 0.02
