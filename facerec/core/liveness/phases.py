"""The phases of a session: find, hold, move, return, and again, until there is a verdict."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facerec.core.liveness import evidence
from facerec.core.liveness.continuity import begin_track, keep_track
from facerec.core.liveness.evidence import keep_portrait, prove, watch
from facerec.core.liveness.eyes import Eyes
from facerec.core.liveness.limits import Limits
from facerec.core.liveness.movements import Pose, median_pose, median_turn, shares
from facerec.core.liveness.sight import STEADY, Sight, fitness, is_still
from facerec.core.liveness.state import State
from facerec.core.liveness.types import Frame, Ground, Hint, Movement, Phase, Verdict
from facerec.core.types import Box

CROWDED = 3
"""Looks in a row at another face beside, until it is no passer-by."""

RESTING = 2.0
"""Degrees by which a head at rest turns over a few frames."""

FIRST = 4
"""Encodings of still frames that make the anchor."""


class Network(Protocol):
    """A network that tells a face from a picture of one."""

    def live_share(self, image: NDArray[np.uint8], box: Box) -> float:
        """How surely the face in this box is a living person's, in [0, 1]."""
        ...


class Phases:
    """The state machine: takes a session's state on by one frame."""

    def __init__(
        self, eyes: Eyes, limits: Limits, *, passive_decides: bool, network: Network | None
    ) -> None:
        self._eyes = eyes
        self._limits = limits
        self._passive_decides = passive_decides
        self._network = network

    def go_on(self, s: State, frame: Frame, sight: Sight) -> None:
        """One frame whose times are true."""
        if s.phase is Phase.FIND:
            self._find(s, frame, sight)
        else:
            self._follow(s, frame, sight)

    def _find(self, s: State, frame: Frame, sight: Sight) -> None:
        limits = self._limits
        s.hint = fitness(s, sight, limits)
        if s.hint in (None, Hint.STILL) and sight.face is not None:
            s.first.append(self._eyes.encode(sight.face.chip[None])[0])
            del s.first[:-FIRST]
        else:
            s.first.clear()
            if s.hint in (Hint.SHOW_FACE, Hint.ONE_PERSON):
                s.recent.clear()
        if s.hint is None and is_still(s, limits):
            self._found(s, frame, sight)
        else:
            self.check_deadline(s, frame.arrived)

    def _found(self, s: State, frame: Frame, sight: Sight) -> None:
        limits = self._limits
        if not begin_track(s, sight, self._neutral(s), limits):
            s.hint = Hint.LIGHT
            return self.check_deadline(s, frame.arrived)
        mean = np.asarray(np.mean(s.first, axis=0), dtype=np.float32)
        s.first.clear()
        if s.same.anchor is None:
            s.same.anchor = mean
        elif s.same.distance(mean) > limits.same_frontal:
            self.conclude(s, Ground.OTHER_PERSON)
            return None
        return self._enter(s, Phase.HOLD if s.done < len(s.steps) else Phase.RETURN, frame.arrived)

    def _follow(self, s: State, frame: Frame, sight: Sight) -> None:
        """Hold, move and return: with a face that must not be lost."""
        limits = self._limits
        if s.crowded >= CROWDED:
            self.conclude(s, Ground.SEVERAL_FACES)
            return
        if s.track is None:
            raise ValueError("a session beyond FIND follows a face")
        if lost := keep_track(s, s.track, sight, limits):
            self._lost(s, lost)
            return
        s.hint = None
        watch(s, frame, sight)
        now = shares(s.track.placed.turn, limits)
        seen = shares(median_turn(s.track.turns), limits)
        if evidence.compare(s, sight, self._eyes, max(seen.values()), limits):
            self.conclude(s, Ground.OTHER_PERSON)
        elif s.phase is Phase.HOLD:
            self._hold(s, frame, sight, max(now.values()))
        elif s.phase is Phase.MOVE:
            self._move(s, frame, now, seen)
        else:
            self._return(s, frame, sight, max(now.values()))

    def _hold(self, s: State, frame: Frame, sight: Sight, moved: float) -> None:
        limits = self._limits
        if moved > (limits.moved if s.astray is None else limits.back):
            self._too_early(s, frame)
            return
        s.astray = None
        if sight.face is None:
            s.hint = Hint.SHOW_FACE
        elif moved > limits.back:
            s.hint = Hint.STRAIGHT
            if s.since is not None and frame.arrived - s.since > limits.settle_seconds:
                self.find_anew(s, Hint.STRAIGHT)
        elif s.since is not None and frame.arrived - s.since >= s.steps[s.done].hold:
            s.parallax.clear()
            if not begin_track(s, sight, self._neutral(s), limits):
                self.conclude(s, Ground.POOR_PICTURE)
            elif not keep_portrait(s, frame, sight, self._eyes, limits):
                self.conclude(s, Ground.OTHER_PERSON)
            else:
                if self._network is not None:
                    s.network.append(self._network.live_share(frame.image, sight.face.face.box))
                self._enter(s, Phase.MOVE, frame.judged)

    def _move(
        self, s: State, frame: Frame, now: dict[Movement, float], seen: dict[Movement, float]
    ) -> None:
        """now: the movements in this frame; seen: over the last few."""
        limits = self._limits
        asked = s.steps[s.done].movement
        s.share = now[asked]
        other = max(share for movement, share in seen.items() if movement is not asked)
        since = frame.arrived if s.since is None else s.since
        if frame.arrived < since + limits.reaction_seconds:
            if max(s.share, other) > limits.moved:
                self._too_early(s, frame)
            return
        evidence.sample(s, asked, limits)
        if s.share >= 1:
            s.done += 1
            self._enter(s, Phase.RETURN, frame.arrived)
        elif other >= limits.wrong and s.share < limits.moved:
            if s.astray is None:
                s.slips, s.astray = s.slips + 1, frame.arrived
            if s.slips > limits.slips:
                self.conclude(s, Ground.WRONG_MOVEMENT)
        elif other < limits.back:
            s.astray = None
        self.check_deadline(s, frame.arrived)

    def _return(self, s: State, frame: Frame, sight: Sight, moved: float) -> None:
        limits = self._limits
        asked = s.steps[s.done - 1].movement
        s.share = 0.0
        evidence.sample(s, asked, limits)
        anew = moved > limits.back
        if anew and not (
            self._is_settled(s, frame, moved) and begin_track(s, sight, self._neutral(s), limits)
        ):
            s.hint = Hint.FARTHER if asked is Movement.COME_CLOSER else Hint.STRAIGHT
            self.check_deadline(s, frame.arrived)
            return
        prove(s, asked, limits)
        if s.done < len(s.steps):
            self._enter(s, Phase.HOLD, frame.arrived)
        else:
            self.conclude(s, *evidence.weigh(s, limits, passive_decides=self._passive_decides))

    def _is_settled(self, s: State, frame: Frame, moved: float) -> bool:
        """Whether somebody rests, frontal, but not quite where they began: nobody knows to a
        degree where that was."""
        limits = self._limits
        if s.track is None or s.since is None:
            return False
        resting = np.ptp(np.array(s.track.turns), axis=0)
        return bool(
            frame.arrived - s.since > limits.settle_seconds
            and moved <= limits.settled
            and max(resting[:2]) < RESTING
            and abs(self._neutral(s).yaw) <= limits.frontal
        )

    def _neutral(self, s: State) -> Pose:
        return median_pose(seen.pose for seen in s.recent[-STEADY:])

    # what goes wrong

    def _too_early(self, s: State, frame: Frame) -> None:
        """The hold begins anew, and goes on doing so until the movement is over."""
        limits = self._limits
        if s.astray is None:
            s.early, s.astray = s.early + 1, frame.arrived
        if s.early > limits.early:
            self.conclude(s, Ground.TOO_EARLY)
        elif frame.arrived - s.astray > limits.settle_seconds:
            self.find_anew(s, Hint.STILL)  # they sit otherwise now
        else:
            begun = s.astray
            self._enter(s, Phase.HOLD, frame.arrived)
            s.astray, s.hint = begun, Hint.STILL

    def _lost(self, s: State, ground: Ground) -> None:
        """The track broke: all of this step anew, unless that happened too often."""
        s.retries += 1
        if s.retries > self._limits.retries:
            self.conclude(s, ground)
        else:
            self.find_anew(s, Hint.SHOW_FACE if ground is Ground.NO_FACE else Hint.SLOWER)

    def find_anew(self, s: State, hint: Hint | None) -> None:
        if s.phase is Phase.RETURN:  # the movement itself was seen to its end
            prove(s, s.steps[s.done - 1].movement, self._limits)
        s.track = s.portrait = s.since = None
        s.box = None
        s.crowded = 0
        s.recent.clear()
        s.first.clear()
        s.parallax.clear()
        s.phase, s.share, s.astray, s.hint = Phase.FIND, 0.0, None, hint

    def check_deadline(self, s: State, now: float) -> None:
        limits = self._limits
        if s.since is None or s.verdict is not None:
            return
        after = now - s.since
        if s.phase is Phase.FIND and after > limits.find_seconds:
            grounds = {
                Hint.SHOW_FACE: Ground.NO_FACE,
                Hint.ONE_PERSON: Ground.SEVERAL_FACES,
            }
            self.conclude(s, grounds.get(s.hint or Hint.STILL, Ground.POOR_PICTURE))
        elif s.phase is not Phase.FIND and after > (
            limits.move_seconds if s.phase is Phase.MOVE else limits.return_seconds
        ):
            self.conclude(s, Ground.NOT_IN_TIME)

    def _enter(self, s: State, phase: Phase, since: float) -> None:
        s.phase, s.since, s.share, s.astray = phase, since, 0.0, None

    def conclude(self, s: State, *grounds: Ground) -> None:
        """The verdict: LIVE only without a ground against it; what is proven false outweighs what
        could not be judged."""
        s.grounds = list(grounds)
        verdicts = {ground.verdict for ground in grounds}
        if not grounds:
            s.verdict = Verdict.LIVE
        elif Verdict.NOT_LIVE in verdicts:
            s.verdict = Verdict.NOT_LIVE
        else:
            s.verdict = Verdict.INCONCLUSIVE
        s.phase, s.hint, s.share = Phase.DONE, None, 0.0
        s.track = s.portrait = None
