"""What is weighed: limits, one person, times, depth."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facerec.core.liveness.challenge import Step
from facerec.core.liveness.depth import measure_parallax
from facerec.core.liveness.evidence import weigh
from facerec.core.liveness.head import Placed
from facerec.core.liveness.limits import SHIPPED, Limits, sentences
from facerec.core.liveness.movements import pose_of
from facerec.core.liveness.same_person import SamePerson
from facerec.core.liveness.state import Portrait, Proof, State
from facerec.core.liveness.times import Times
from facerec.core.liveness.tracking import follow, grey, seed
from facerec.core.liveness.types import Frame, Ground, Movement
from tests.core.facerec.liveness.dots import Dots, Place, bent, flat, head

DEEP = Proof(Movement.TURN_LEFT, parallax=0.06, relief=1.0, shape=0.8, frames=5)


def state(*proofs: Proof) -> State:
    s = State([Step(Movement.TURN_LEFT, 0.3)], proofs=list(proofs))
    s.best = Portrait(np.zeros(3, np.uint8), 0.01)
    s.times.moving(0.1)
    return s


def weighed(s: State, limits: Limits = SHIPPED, decides: bool = False) -> list[Ground]:
    return weigh(s, limits, passive_decides=decides)


def test_enough_of_everything_is_live() -> None:
    assert weighed(state(DEEP)) == []


@pytest.mark.parametrize("change", [{"parallax": 0.001}, {"relief": 0.2}, {"shape": 0.2}])
def test_each_measure_of_depth_can_tell_a_picture(change: dict[str, float]) -> None:
    assert weighed(state(replace(DEEP, **change))) == [Ground.FLAT]


def test_without_a_turn_there_is_nothing_to_tell() -> None:
    assert weighed(state()) == [Ground.TOO_LITTLE_MOTION]
    assert weighed(state(replace(DEEP, frames=1))) == [Ground.TOO_LITTLE_MOTION]


def test_without_a_portrait_from_a_proven_turn_nobody_is_live() -> None:
    s = state(DEEP)
    s.best = None
    assert weighed(s) == [Ground.FLAT]


def test_turns_weigh_more_than_nods() -> None:
    limits = replace(SHIPPED, relief_least=0.55, relief_each=0.1)
    nod = replace(DEEP, movement=Movement.LOOK_UP)
    assert weighed(state(DEEP, replace(nod, relief=0.2)), limits) == []
    assert weighed(state(replace(DEEP, relief=0.2), nod), limits) == [Ground.FLAT]


def test_one_turn_that_was_a_pictures_spoils_the_others() -> None:
    flat_turn = replace(DEEP, movement=Movement.LOOK_UP, relief=0.05)
    assert weighed(state(DEEP, DEEP, flat_turn)) == [Ground.FLAT]


def test_all_grounds_are_told() -> None:
    s = state(replace(DEEP, relief=0.0))
    s.same.frontal = [0.5]
    s.times.moving(1.0)
    assert weighed(s) == [Ground.FLAT, Ground.OTHER_PERSON, Ground.TOO_FEW_FRAMES]


def parallax(depth: object, place: Place, placed: Placed) -> tuple[float, float, float]:
    dots = Dots(depth)  # type: ignore[arg-type]
    eyes = pose_of(dots.landmarks(Place()))
    pictures = [grey(dots.draw(p)) for p in (Place(), place)]
    start = seed(pictures[0], dots.landmarks(Place()))
    half = grey(dots.draw(Place(yaw=place.yaw / 2)))
    first = follow(pictures[0], half, start, eyes.eyes)
    second = follow(half, pictures[1], first.points, eyes.eyes)
    kept = first.kept & second.kept
    seen = measure_parallax(*pictures, start[kept], second.points[kept], eyes, placed, share=1.0)
    assert seen is not None
    return seen.residual, seen.relief, seen.shape


def test_a_head_a_sheet_and_a_bent_sheet_are_told_apart_in_pictures() -> None:
    place, placed = Place(yaw=18), Placed(yaw=np.radians(18))
    of_head, of_flat, of_bent = (parallax(d, place, placed) for d in (head, flat, bent))
    assert of_head[0] > 0.025 > 0.015 > of_bent[0] > of_flat[0]
    assert of_head[1] > 0.6 > 0.35 > of_bent[1] > abs(of_flat[1])
    assert of_head[2] > 0.7


def test_too_few_points_tell_no_depth() -> None:
    few = np.ones((5, 2), np.float32)
    picture = grey(Dots().draw(Place()))
    pose = pose_of(Dots().landmarks(Place()))
    assert measure_parallax(picture, picture, few, few, pose, Placed(), 1.0) is None


# limits


def test_limits_of_a_file_take_the_place_of_the_usual_ones(tmp_path: Path) -> None:
    path = tmp_path / "limits.json"
    path.write_text(json.dumps({"limits": {"relief_least": 0.33}, "fitted": {"n": 4}}))
    assert Limits.load(path) == replace(Limits(), relief_least=0.33)
    assert json.loads(json.dumps(SHIPPED.as_dict())) == SHIPPED.as_dict()


@pytest.mark.parametrize(
    "values", ['{"reliefs": 1}', '{"turn": "15"}', '{"turn": true}', "[]", '{"turn": NaN}']
)
def test_a_file_with_anything_else_is_refused(tmp_path: Path, values: str) -> None:
    path = tmp_path / "limits.json"
    path.write_text(f'{{"limits": {values}}}')
    with pytest.raises(ValueError):
        Limits.load(path)


def test_every_limit_has_a_unit_and_a_sentence() -> None:
    told = sentences()
    assert set(told) == {f.name for f in fields(Limits)}
    assert all(unit and sentence.endswith(".") for unit, sentence in told.values())


# one person

ONE, OTHER = np.eye(128, dtype=np.float32)[:2] * np.float32(0.5)


def test_two_strange_faces_in_a_row_are_another_person() -> None:
    same = SamePerson(anchor=ONE)
    assert same.add(OTHER, 0.0, SHIPPED) == pytest.approx(0.5)
    assert not same.is_other(SHIPPED)
    same.add(ONE, 0.0, SHIPPED)
    same.add(OTHER, 0.9, SHIPPED)
    assert not same.is_other(SHIPPED)
    same.add(OTHER, 0.0, SHIPPED)
    assert same.is_other(SHIPPED)
    assert same.scores() == pytest.approx(
        {
            "same_frontal": 0.5,
            "same_frontal_worst": 0.5,
            "same_turned": 0.5,
            "same_turned_worst": 0.5,
        }
    )


def test_a_turned_face_may_be_farther() -> None:
    between = (SHIPPED.same_frontal + SHIPPED.same_turned) / 2
    off = ONE + np.eye(128, dtype=np.float32)[5] * np.float32(np.sqrt(between))
    same = SamePerson(anchor=ONE)
    same.add(off, 1.0, SHIPPED)
    assert same.misses == 0
    same.add(off, 0.0, SHIPPED)
    assert same.misses == 1


def test_without_an_anchor_nothing_is_compared() -> None:
    with pytest.raises(ValueError, match="anchor"):
        SamePerson().distance(ONE)


# times


def frame(taken: float, arrived: float) -> Frame:
    return Frame(np.zeros((1, 1, 3), np.uint8), taken, arrived, arrived)


@given(st.floats(-1e6, 1e6), st.lists(st.floats(0, 0.25), min_size=30, max_size=30))
def test_any_clock_with_some_jitter_is_true(origin: float, delays: list[float]) -> None:
    times = Times()
    for i, delay in enumerate(delays):
        assert times.check(frame(origin + i / 10, i / 10 + delay), SHIPPED) is None


def test_a_connection_begun_anew_has_a_clock_of_its_own() -> None:
    times = Times()
    assert times.check(frame(100, 1), SHIPPED) is None
    times.start_anew()
    assert times.check(frame(5, 3), SHIPPED) is None
    assert times.check(frame(5, 4), SHIPPED) is Ground.FALSE_TIMES


def test_the_rate_is_that_while_moving() -> None:
    times = Times()
    assert times.rate == 0
    for _ in range(10):
        times.moving(0.125)
    assert times.rate == pytest.approx(8)
