"""From landmarks to poses, from turns to shares of movements."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facerec.core.liveness.limits import SHIPPED
from facerec.core.liveness.movements import (
    Pose,
    Turn,
    is_rotation,
    median_pose,
    median_turn,
    pose_of,
    rotation,
    shares,
)
from facerec.core.liveness.types import Movement
from tests.core.facerec.liveness.dots import DONE, Dots, Place

# outer and inner corner of the eye on the image's right, then on its left, base of the nose
FRONTAL = np.array([[280, 150], [260, 150], [200, 150], [220, 150], [240, 190]], np.float64)


def test_the_pose_of_a_face_from_the_front() -> None:
    pose = pose_of(FRONTAL)
    assert pose == pytest.approx((0, 40 / 60, 60, 0, 240, 150))
    assert pose.yaw == 0


@given(st.floats(-0.6, 0.6), st.floats(0.3, 3), st.floats(-100, 100))
def test_leaning_coming_and_going_do_not_change_where_the_nose_points(
    angle: float, scale: float, shift: float
) -> None:
    cos, sin = np.cos(angle), np.sin(angle)
    moved = (FRONTAL - 200) @ np.array([[cos, sin], [-sin, cos]]) * scale + shift
    pose = pose_of(moved)
    assert (pose.aside, pose.below) == pytest.approx((0, 40 / 60), abs=1e-6)
    assert (pose.eyes, pose.roll) == pytest.approx((60 * scale, np.degrees(angle)))


def test_who_turns_to_the_left_points_to_the_right_of_the_picture() -> None:
    assert pose_of(Dots().landmarks(DONE[Movement.TURN_LEFT])).yaw > 10
    assert pose_of(Dots().landmarks(DONE[Movement.TURN_RIGHT])).yaw < -10
    assert abs(pose_of(Dots().landmarks(Place())).yaw) < 1e-6


def test_medians_leave_a_jump_out() -> None:
    poses = [pose_of(FRONTAL), pose_of(FRONTAL + 1), pose_of(FRONTAL + 90)]
    assert median_pose(poses) == pytest.approx(poses[1])
    assert median_turn([Turn(1, 2, 1), Turn(2, 1, 1.2), Turn(50, 0, 1.1)]) == Turn(2, 1, 1.1)
    with pytest.raises(ValueError):
        median_pose([])
    with pytest.raises(ValueError):
        median_turn([])


@pytest.mark.parametrize(
    ("turn", "done"),
    [
        (Turn(SHIPPED.turn, 0, 1), Movement.TURN_LEFT),
        (Turn(-SHIPPED.turn, 0, 1), Movement.TURN_RIGHT),
        (Turn(0, -SHIPPED.up, 1), Movement.LOOK_UP),
        (Turn(0, SHIPPED.down, 1), Movement.LOOK_DOWN),
        (Turn(0, 0, SHIPPED.closer), Movement.COME_CLOSER),
    ],
)
def test_a_movement_is_done_at_its_limit_and_no_other_with_it(turn: Turn, done: Movement) -> None:
    seen = shares(turn, SHIPPED)
    assert seen[done] == pytest.approx(1)
    assert all(share <= 0 for movement, share in seen.items() if movement is not done)


def test_rotation_is_the_whole_of_it() -> None:
    assert rotation(Turn(-3, 4, 2)) == pytest.approx(5)
    assert [m for m in Movement if not is_rotation(m)] == [Movement.COME_CLOSER]


def test_a_pose_is_eye_distances_and_pixels() -> None:
    assert Pose(0.5, 0.7, 60, 0, 1, 2).yaw == pytest.approx(45)
