"""Sessions of a face of dots: each rule is one that somebody breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from facerec.core.liveness.challenge import Step
from facerec.core.liveness.judge import LivenessJudge
from facerec.core.liveness.limits import SHIPPED
from facerec.core.liveness.types import Frame, Ground, Hint, Movement, Phase, Progress, Verdict
from tests.core.facerec.liveness.dots import (
    DONE,
    FPS,
    Dots,
    GivenEyes,
    Obedient,
    Place,
    Session,
    flat,
    session,
    steps,
)

LEFT, RIGHT, UP, DOWN, CLOSER = (
    Movement.TURN_LEFT,
    Movement.TURN_RIGHT,
    Movement.LOOK_UP,
    Movement.LOOK_DOWN,
    Movement.COME_CLOSER,
)


def outcome(s: Session) -> tuple[Verdict | None, list[Ground]]:
    s.until()
    return s.judge.verdict, s.judge.grounds


def not_live(ground: Ground) -> tuple[Verdict, list[Ground]]:
    return Verdict.NOT_LIVE, [ground]


def inconclusive(ground: Ground) -> tuple[Verdict, list[Ground]]:
    return Verdict.INCONCLUSIVE, [ground]


# who does what is asked


@pytest.mark.parametrize("asked", [(LEFT, UP, CLOSER, RIGHT), (DOWN, LEFT, DOWN, RIGHT)])
def test_who_does_everything_is_live_within_ten_seconds(asked: tuple[Movement, ...]) -> None:
    s = session(steps(*asked))
    told = s.until()
    assert (told.verdict, told.phase, told.done) == (Verdict.LIVE, Phase.DONE, 4)
    assert s.judge.grounds == []
    assert s.now < 10


def test_the_face_to_compare_is_a_frontal_frame_from_which_a_turn_was_followed() -> None:
    s = session(steps(CLOSER, LEFT))
    begun = []
    while s.judge.verdict is None:
        before = s.told.movement if s.told else None
        told = s.step()
        if told.movement is LEFT and before is None:
            begun.append(s.frames[-1].image)
    image = s.judge.face_image
    assert image is not None
    assert len(begun) == 1
    assert np.abs(image.astype(int) - begun[0]).mean() < 2  # but for JPEG


def test_without_a_verdict_or_not_live_there_is_no_face_to_compare() -> None:
    s = session(steps(LEFT), Obedient(Dots(person=1)))
    s.until(Phase.MOVE)
    assert s.judge.face_image is None
    s.who.dots = Dots(person=2)
    s.until()
    assert s.judge.verdict is Verdict.NOT_LIVE
    assert s.judge.face_image is None


def test_a_verdict_stands() -> None:
    s = session(steps(LEFT))
    told = s.until()
    scores = s.judge.scores
    assert s.step() == told
    s.judge.interrupted([Step(UP, 0.2)])
    assert s.judge.time_out(1e9) == told
    assert s.judge.scores == scores


# find


class Absent(Obedient):
    def look(self, now: float, told: Progress | None) -> list[tuple[Dots, Place]]:
        return []


class InCompany(Obedient):
    def look(self, now: float, told: Progress | None) -> list[tuple[Dots, Place]]:
        return [*super().look(now, told), (Dots(seed=1), Place(distance=8, x=150))]


class With(Obedient):
    """Somebody who sits otherwise."""

    def __init__(self, home: Place) -> None:
        super().__init__()
        self.place = self.goal = self.home = self._from = home


@pytest.mark.parametrize(
    ("who", "hint", "ground"),
    [
        (Absent(), Hint.SHOW_FACE, Ground.NO_FACE),
        (InCompany(), Hint.ONE_PERSON, Ground.SEVERAL_FACES),
        (With(Place(distance=20)), Hint.CLOSER, Ground.POOR_PICTURE),
        (With(Place(distance=4.5)), Hint.FARTHER, Ground.POOR_PICTURE),
        (With(Place(x=170)), Hint.CENTRE, Ground.POOR_PICTURE),
        (With(Place(yaw=30)), Hint.STRAIGHT, Ground.POOR_PICTURE),
    ],
)
def test_what_is_not_found_in_time_is_inconclusive(
    who: Obedient, hint: Hint, ground: Ground
) -> None:
    s = session(steps(LEFT), who)
    assert s.step().hint is hint
    assert outcome(s) == inconclusive(ground)
    assert SHIPPED.find_seconds < s.now < SHIPPED.find_seconds + 0.5


def test_somebody_who_walks_about_is_not_found() -> None:
    class Walking(Obedient):
        def at(self, now: float) -> Place:
            return Place(x=90 * np.sin(6 * now))

    s = session(steps(LEFT), Walking())
    assert outcome(s) == inconclusive(Ground.POOR_PICTURE)


def test_a_small_face_in_the_background_does_not_disturb() -> None:
    class Watched(Obedient):
        def look(self, now: float, told: Progress | None) -> list[tuple[Dots, Place]]:
            return [*super().look(now, told), (Dots(seed=1), Place(distance=20, x=150))]

    assert outcome(session(steps(LEFT), Watched())) == (Verdict.LIVE, [])


# hold, move, return


def test_a_movement_before_it_is_asked_makes_the_hold_start_anew() -> None:
    s = session(steps(LEFT, hold=1.0))
    s.until(Phase.HOLD)
    s.who._pending = [(s.now, DONE[LEFT]), (s.now + 0.6, Place())]
    assert outcome(s) == (Verdict.LIVE, [])
    assert s.judge.scores["early"] >= 1


def test_who_moves_before_being_asked_again_and_again_is_no_listener() -> None:
    class Clockwork(Obedient):
        def wish(self, told: Progress) -> Place:
            return DONE[LEFT] if told.phase is Phase.HOLD else self.home

    s = session(steps(LEFT, hold=1.0), Clockwork())
    assert outcome(s) == not_live(Ground.TOO_EARLY)


def test_nobody_reacts_within_the_blink_of_an_eye() -> None:
    class Reflex(Obedient):
        reaction, pace = -0.1, 0.2  # at the very frame that asks

    assert outcome(session(steps(LEFT), Reflex())) == not_live(Ground.TOO_EARLY)


def test_who_is_on_the_way_when_it_is_asked_did_not_listen() -> None:
    class Prescient(Obedient):
        reaction, pace = 0.0, 0.3

        def wish(self, told: Progress) -> Place:
            return DONE[LEFT] if told.phase is Phase.HOLD else super().wish(told)

    verdict, grounds = outcome(session(steps(LEFT, hold=0.2), Prescient()))
    assert verdict is Verdict.NOT_LIVE
    assert grounds[0] in (Ground.TOO_EARLY, Ground.NOT_IN_TIME)


class Contrary(Obedient):
    """Does something else the first so many times, until it has seen that nothing comes of it."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self._times = times

    def hear(self, now: float, told: Progress) -> None:
        fresh = (told.phase, told.movement) != self._told
        super().hear(now, told)
        if fresh and told.phase is Phase.MOVE and self._times > 0:
            self._times -= 1
            [*_, (at, wish)] = self._pending
            other = DONE[DOWN if told.movement is not DOWN else UP]
            self._pending = [(at, other), (at + 1.0, self.home), (at + 1.6, wish)]


def test_one_wrong_movement_that_is_corrected_is_forgiven() -> None:
    s = session(steps(LEFT, UP), Contrary(1))
    assert outcome(s) == (Verdict.LIVE, [])
    assert s.judge.scores["slips"] == 1


def test_a_second_wrong_movement_is_not() -> None:
    s = session(steps(LEFT, UP), Contrary(2))
    assert outcome(s) == not_live(Ground.WRONG_MOVEMENT)


@pytest.mark.parametrize("asked", list(Movement))
def test_other_movements_than_the_asked_one_do_not_count(asked: Movement) -> None:
    class Deaf(Obedient):
        def wish(self, told: Progress) -> Place:
            if told.phase is not Phase.MOVE:
                return self.home
            return DONE[RIGHT if asked is not RIGHT else UP]

    verdict, grounds = outcome(session(steps(asked), Deaf()))
    assert verdict is Verdict.NOT_LIVE
    assert grounds[0] in (Ground.WRONG_MOVEMENT, Ground.NOT_IN_TIME)


def test_who_does_nothing_is_not_in_time() -> None:
    class Still(Obedient):
        def wish(self, told: Progress) -> Place:
            return self.home

    s = session(steps(LEFT), Still())
    s.until(Phase.MOVE)
    begun = s.now
    assert outcome(s) == not_live(Ground.NOT_IN_TIME)
    assert s.now - begun == pytest.approx(SHIPPED.move_seconds, abs=0.2)


def test_who_does_not_come_back_is_not_in_time() -> None:
    class Stuck(Obedient):
        def wish(self, told: Progress) -> Place:
            return DONE[LEFT] if told.phase is Phase.RETURN else super().wish(told)

    assert outcome(session(steps(LEFT), Stuck())) == not_live(Ground.NOT_IN_TIME)


def test_who_comes_to_rest_a_little_beside_goes_on_from_there() -> None:
    class Approximate(Obedient):
        def wish(self, told: Progress) -> Place:
            if told.phase is Phase.RETURN:
                self.home = Place(yaw=9, distance=6.9)
            return super().wish(told)

    s = session(steps(LEFT, UP, CLOSER, RIGHT), Approximate())
    s.until(Phase.RETURN)
    s.until(Phase.HOLD)
    assert s.now > SHIPPED.settle_seconds
    assert outcome(s) == (Verdict.LIVE, [])


@pytest.mark.parametrize("home", [Place(yaw=8.5), Place(distance=6.2)])
def test_who_sits_otherwise_before_being_asked_is_found_anew(home: Place) -> None:
    s = session(steps(LEFT, RIGHT))
    s.until(Phase.HOLD)
    s.who._pending.append((s.now, home))
    s.who.home = home
    s.judge._state.steps[0] = Step(LEFT, 0.6)
    assert s.until(Phase.FIND).phase is Phase.FIND
    assert outcome(s) == (Verdict.LIVE, [])


# one unbroken picture


class Exchanging(Obedient):
    """Shows something else whenever it is asked for a movement."""

    other = staticmethod(lambda now: (Dots(seed=7), DONE[LEFT]))

    def look(self, now: float, told: Progress | None) -> list[tuple[Dots, Place]]:
        moving = told is not None and told.phase is Phase.MOVE
        return [self.other(now)] if moving else [(self.dots, self.home)]


def test_a_picture_that_is_exchanged_breaks_the_track() -> None:
    s = session(steps(LEFT), Exchanging())
    assert outcome(s) == not_live(Ground.NOT_CONTINUOUS)
    assert s.judge.scores["retries"] > SHIPPED.retries


def test_a_turn_within_one_frame_is_no_turn() -> None:
    class Jumping(Exchanging):
        other = staticmethod(lambda now: (Dots(), Place(yaw=28)))

    s = session(steps(LEFT), Jumping())
    assert outcome(s) == not_live(Ground.NOT_CONTINUOUS)


def test_a_face_that_is_seen_elsewhere_than_its_points_breaks_the_track() -> None:
    s = session(steps(LEFT))
    s.until(Phase.MOVE)
    place = s.who.at(s.now)
    image = s.who.dots.draw(place)
    s.eyes.faces_there = [(s.who.dots, replace(place, x=60))]
    frame = Frame(image, *s.times(s.now), s.now + 0.05)
    assert s.judge.see(frame).phase is Phase.FIND


def test_a_picture_that_is_pulled_out_of_shape_is_no_head() -> None:
    class Rubber(Obedient):
        def look(self, now: float, told: Progress | None) -> list[tuple[Dots, Place]]:
            if told is not None and told.phase is Phase.MOVE:
                self.dots._points *= (1.09, 0.95, 1.0)
                self.dots._landmarks *= (1.09, 0.95, 1.0)
            return [(self.dots, self.home)]

    s = session(steps(UP), Rubber())
    s.until(Phase.MOVE)
    assert s.until(Phase.FIND, seconds=3).hint is Hint.SLOWER


def test_a_face_that_is_followed_but_not_found_for_long_is_looked_for() -> None:
    class Still(Obedient):
        def wish(self, told: Progress) -> Place:
            return self.home

    s = session(steps(LEFT), Still())
    s.until(Phase.MOVE)
    s.eyes.faces = lambda image, near=None: []  # type: ignore[method-assign]
    begun = s.now
    assert s.until(Phase.FIND).hint is Hint.SHOW_FACE
    assert s.now - begun == pytest.approx(SHIPPED.lost_seconds, abs=0.3)


def test_a_face_that_goes_out_of_sight_once_is_found_again() -> None:
    class Ducking(Obedient):
        def look(self, now: float, told: Progress | None) -> list[tuple[Dots, Place]]:
            return [] if 1.0 < now < 2.0 else super().look(now, told)

    s = session(steps(LEFT, RIGHT), Ducking())
    assert outcome(s) == (Verdict.LIVE, [])
    assert s.judge.scores["retries"] == 1


def test_another_face_beside_does_not_go_unnoticed() -> None:
    class Joined(Obedient):
        def look(self, now: float, told: Progress | None) -> list[tuple[Dots, Place]]:
            beside = [(Dots(seed=1), Place(distance=8, x=150))] if now > 1 else []
            return [*super().look(now, told), *beside]

    assert outcome(session(steps(LEFT, RIGHT), Joined())) == inconclusive(Ground.SEVERAL_FACES)


# three dimensions


def test_a_flat_picture_is_not_live_however_far_it_is_turned() -> None:
    class Print(Obedient):
        def wish(self, told: Progress) -> Place:
            wish = super().wish(told)
            return replace(wish, yaw=2.4 * wish.yaw)

    s = session(steps(LEFT), Print(Dots(flat)))
    s.until()
    assert s.judge.verdict is Verdict.NOT_LIVE
    assert s.judge.grounds[0] in (Ground.FLAT, Ground.NOT_IN_TIME, Ground.NOT_CONTINUOUS)


def test_coming_closer_alone_proves_no_depth() -> None:
    assert outcome(session(steps(CLOSER))) == inconclusive(Ground.TOO_LITTLE_MOTION)


# one person


def test_another_person_in_the_same_place_is_noticed() -> None:
    s = session(steps(LEFT, RIGHT))
    s.until(Phase.MOVE)
    s.who.dots.person = 3
    assert outcome(s) == not_live(Ground.OTHER_PERSON)


def test_one_frame_that_looks_like_another_person_is_forgiven() -> None:
    s = session(steps(LEFT, RIGHT))
    s.until(Phase.RETURN)
    for _ in range(3):
        s.step()
    s.who.dots.person = 3
    for _ in range(4):  # one of these is encoded
        s.step()
    s.who.dots.person = 0
    told = s.until()
    assert told.verdict is Verdict.LIVE


def test_another_person_after_a_lost_connection_is_noticed() -> None:
    s = session(steps(LEFT, RIGHT))
    s.until(Phase.RETURN)
    s.judge.interrupted([Step(UP, 0.3)])
    s.who.dots.person = 3
    assert outcome(s) == not_live(Ground.OTHER_PERSON)


# times


def with_times(times: Callable[[float], tuple[float, float]]) -> Session:
    s = session(steps(LEFT, RIGHT))
    s.times = times  # type: ignore[method-assign]
    return s


def test_times_that_do_not_rise_are_false() -> None:
    s = with_times(lambda now: (min(now, 2.0), now))
    assert outcome(s) == not_live(Ground.FALSE_TIMES)


def test_pictures_that_arrive_before_they_can_are_false() -> None:
    s = with_times(lambda now: (now if now < 2 else now + 0.5, now + 0.03))
    assert outcome(s) == not_live(Ground.FALSE_TIMES)


def test_late_pictures_are_a_poor_connection() -> None:
    s = with_times(lambda now: (now, now + (0.03 if now < 2 else 2.5)))
    assert outcome(s) == inconclusive(Ground.TOO_FEW_FRAMES)


def test_jitter_does_no_harm() -> None:
    rng = np.random.default_rng(1)
    s = with_times(lambda now: (now, now + 0.03 + 0.2 * rng.random()))
    assert outcome(s) == (Verdict.LIVE, [])


def test_three_frames_a_second_are_too_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.core.facerec.liveness.dots.FPS", 3.5)
    s = session(steps(LEFT))
    s.who.pace = 1.5
    assert outcome(s) == inconclusive(Ground.TOO_FEW_FRAMES)


def test_over_a_gap_nothing_is_followed() -> None:
    s = session(steps(LEFT))
    s.until(Phase.MOVE)
    s.now += SHIPPED.gap_seconds + 0.1
    assert s.step().phase is Phase.FIND
    assert s.judge.scores["retries"] == 1
    assert outcome(s) == (Verdict.LIVE, [])


def test_silence_runs_out() -> None:
    s = session(steps(LEFT))
    s.until(Phase.MOVE)
    assert s.judge.time_out(s.now + 1).verdict is None
    assert s.judge.time_out(s.now + 3).verdict is Verdict.INCONCLUSIVE
    assert s.judge.grounds == [Ground.TOO_FEW_FRAMES]


# a lost connection


def test_after_a_lost_connection_what_was_done_stays_and_the_rest_is_replaced() -> None:
    s = session(steps(LEFT, RIGHT))
    s.until(Phase.RETURN)
    s.judge.interrupted([Step(UP, 0.3)])
    assert s.judge.progress == Progress(Phase.FIND, 1, 2)
    s.times = lambda now: (5 + now, now + 0.4)  # type: ignore[method-assign]
    s.until(Phase.MOVE)
    assert s.judge.progress.movement is UP
    assert outcome(s) == (Verdict.LIVE, [])


def test_a_movement_that_was_lost_in_the_middle_proves_nothing() -> None:
    s = session(steps(LEFT))
    s.until(Phase.MOVE)
    for _ in range(4):
        s.step()
    s.judge.interrupted([Step(CLOSER, 0.3)])
    assert outcome(s) == inconclusive(Ground.TOO_LITTLE_MOTION)


def test_a_connection_lost_after_the_last_movement() -> None:
    s = session(steps(LEFT))
    s.until(Phase.RETURN)
    s.judge.interrupted([])
    assert outcome(s) == (Verdict.LIVE, [])


# between frames


def test_the_judge_is_the_same_after_bytes_whenever_they_are_made() -> None:
    once = session(steps(LEFT, CLOSER, UP, hold=0.2))
    told = [once.step() for _ in range(1)]
    while once.judge.verdict is None:
        told.append(once.step())
    eyes = GivenEyes()
    again = Session(Obedient(), LivenessJudge(steps(LEFT, CLOSER, UP, hold=0.2), eyes), eyes)
    for expected in told:
        data = again.judge.to_bytes()
        assert len(data) < 600_000
        again.judge = LivenessJudge.from_bytes(data, eyes)
        assert again.step() == expected
    assert again.judge.scores == once.judge.scores
    assert again.judge.to_bytes() == once.judge.to_bytes()
    kept = LivenessJudge.from_bytes(again.judge.to_bytes(), eyes).face_image
    assert np.array_equal(kept, once.judge.face_image)  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"{}", b"\x93NUMPY"])
def test_other_bytes_are_no_judge(data: bytes) -> None:
    with pytest.raises(ValueError):
        LivenessJudge.from_bytes(data, GivenEyes())


# cues and nets


class Net:
    def __init__(self, share: float) -> None:
        self.share = share

    def live_share(self, image: object, box: object) -> float:
        return self.share


@pytest.mark.parametrize(("share", "live"), [(0.9, True), (0.1, False)])
def test_a_network_may_refuse(share: float, live: bool) -> None:
    s = session(steps(LEFT), network=Net(share))
    expected = (Verdict.LIVE, []) if live else not_live(Ground.NETWORK)
    assert outcome(s) == expected
    assert s.judge.scores["network"] == share


@pytest.mark.parametrize("decides", [False, True])
def test_passive_cues_refuse_only_where_they_are_told_to(decides: bool) -> None:
    limits = replace(SHIPPED, passive_most=-1.0)
    s = session(steps(LEFT), limits=limits, passive_decides=decides)
    expected = not_live(Ground.SCREEN_OR_PRINT) if decides else (Verdict.LIVE, [])
    assert outcome(s) == expected
    assert 0 <= s.judge.scores["passive"] <= 1


def test_frames_are_all_that_counts() -> None:
    first = session(steps(LEFT, UP))
    first.until()
    again = session(steps(LEFT, UP))
    again.until()
    assert first.judge.to_bytes() == again.judge.to_bytes()
    assert isinstance(first.frames[0], Frame)
    assert FPS == 10
