"""How a head turns, and back from its points to the turn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facerec.core.liveness.head import Placed, UsualHead, usual_depth
from facerec.core.liveness.homography import Points
from facerec.core.liveness.movements import pose_of
from tests.core.facerec.liveness.dots import Dots, Place, flat

NEUTRAL = pose_of(Dots().landmarks(Place()))
POINTS: Points = (
    np.random.default_rng(3).normal([NEUTRAL.x, NEUTRAL.y + 25], 28, (60, 2)).astype(np.float32)
)


def test_the_nose_stands_out_and_the_temples_lie_back() -> None:
    x = np.array([0.0, 0.6, -0.6, 1.2])
    y = np.array([0.6, 0.6, 0.6, 0.3])
    nose, cheek, other, temple = usual_depth(x, y)
    assert nose > cheek + 0.3
    assert cheek == other > temple + 0.3


def test_a_head_that_has_not_moved_is_where_it_was() -> None:
    assert UsualHead(POINTS, NEUTRAL).at(Placed()) == pytest.approx(POINTS, abs=1e-3)


@settings(max_examples=40)
@given(
    yaw=st.floats(-0.6, 0.6),
    pitch=st.floats(-0.45, 0.45),
    roll=st.floats(-0.3, 0.3),
    growth=st.floats(-0.3, 0.4),
    x=st.floats(-1, 1),
)
def test_the_fit_finds_the_place_again(
    yaw: float, pitch: float, roll: float, growth: float, x: float
) -> None:
    head, place = UsualHead(POINTS, NEUTRAL), Placed(yaw, pitch, roll, growth, x, 0.2)
    found = head.fit(head.at(place), Placed(0.7 * yaw, 0.7 * pitch, 0.7 * roll, growth, x, 0.2))
    assert tuple(found) == pytest.approx(tuple(place), abs=0.02)


@pytest.mark.parametrize(
    "place", [Place(yaw=20), Place(yaw=-25), Place(pitch=15), Place(pitch=-15)]
)
def test_another_head_is_placed_to_a_few_degrees(place: Place) -> None:
    dots = Dots()
    inner = dots._points[np.hypot(dots._points[:, 0], dots._points[:, 1] - 0.45) < 0.9]
    start, seen = (dots.pixels(inner, p)[0].astype(np.float32) for p in (Place(), place))
    turn = UsualHead(start, NEUTRAL).fit(seen, Placed()).turn
    assert (turn.yaw, turn.pitch) == pytest.approx((place.yaw, place.pitch), abs=4)
    assert turn.scale == pytest.approx(1, abs=0.05)


def test_a_print_seems_to_turn_less_than_it_does() -> None:
    dots = Dots(flat)
    start, seen = (
        dots.pixels(dots._points, p)[0].astype(np.float32) for p in (Place(), Place(yaw=25))
    )
    turn = UsualHead(start, NEUTRAL).fit(seen, Placed()).turn
    assert abs(turn.yaw) < 13


def test_a_few_points_that_jump_do_not_pull_the_head_along() -> None:
    head, place = UsualHead(POINTS, NEUTRAL), Placed(yaw=0.3)
    seen = head.at(place)
    seen[:6] += 12
    assert head.fit(seen, Placed()).yaw == pytest.approx(0.3, abs=0.06)


def test_five_points_place_no_head() -> None:
    with pytest.raises(ValueError, match="six"):
        UsualHead(POINTS[:5], NEUTRAL).fit(POINTS[:5], Placed())
