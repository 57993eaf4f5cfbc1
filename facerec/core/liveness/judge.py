"""The judge of one session: what was asked, whether it was done, by whom, and in three dimensions.

A state machine (find, hold, move, return, and again) over what `sight` sees; whatever counts as
evidence is kept in `State` and weighed when all steps are done.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from facerec.core.liveness import evidence, state
from facerec.core.liveness.challenge import Challenge, Step
from facerec.core.liveness.continuity import begin_track, keep_track
from facerec.core.liveness.evidence import keep_portrait, prove, watch
from facerec.core.liveness.eyes import Eyes
from facerec.core.liveness.limits import SHIPPED, Limits
from facerec.core.liveness.movements import Pose, median_pose, median_turn, shares
from facerec.core.liveness.sight import STEADY, Sight, fitness, is_still, look
from facerec.core.liveness.state import State
from facerec.core.liveness.types import Frame, Ground, Hint, Movement, Phase, Progress, Verdict
from facerec.core.types import Box

JUDGE_VERSION = "movements-1"
"""Changes when the same frames may get another verdict at the same limits."""

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


class LivenessJudge:
    """Judges a session frame by frame. A pure function of the frames and their times: no clock and
    no chance of its own. Not safe to share between threads.

    verdict: None until there is one. grounds: why it is not LIVE. scores: what was measured.
    """

    def __init__(
        self,
        challenge: Challenge,
        eyes: Eyes,
        limits: Limits = SHIPPED,
        *,
        passive_decides: bool = False,
        network: Network | None = None,
    ) -> None:
        """passive_decides: whether the passive cues may refuse; they are measured anyway.
        network: refuses too, where there is one."""
        self._state = State(list(challenge.steps))
        self._eyes = eyes
        self._limits = limits
        self._passive_decides = passive_decides
        self._network = network

    @property
    def verdict(self) -> Verdict | None:
        return self._state.verdict

    @property
    def grounds(self) -> list[Ground]:
        return list(self._state.grounds)

    @property
    def scores(self) -> dict[str, float]:
        return evidence.scores(self._state)

    @property
    def face_image(self) -> NDArray[np.uint8] | None:
        """After LIVE: the frontal frame that is compared, uint8 RGB (H, W, 3); the points of a
        proven turn were followed from it."""
        if self.verdict is not Verdict.LIVE or self._state.best is None:
            return None
        return evidence.decoded(self._state.best)

    @property
    def progress(self) -> Progress:
        s = self._state
        asked = s.steps[s.done].movement if s.phase is Phase.MOVE else None
        share = min(1.0, max(0.0, s.share))
        return Progress(s.phase, s.done, len(s.steps), asked, share, s.hint, s.verdict)

    def to_bytes(self) -> bytes:
        return state.to_bytes(self._state)

    @classmethod
    def from_bytes(
        cls,
        data: bytes,
        eyes: Eyes,
        limits: Limits = SHIPPED,
        *,
        passive_decides: bool = False,
        network: Network | None = None,
    ) -> Self:
        """A judge that goes on where `to_bytes` was called. Raises ValueError for other bytes."""
        judge = cls(Challenge(()), eyes, limits, passive_decides=passive_decides, network=network)
        judge._state = state.from_bytes(State, data)
        return judge

    def see(self, frame: Frame) -> Progress:
        """The next frame, in order. After a verdict it changes nothing."""
        s = self._state
        if s.verdict is not None:
            return self.progress
        s.frames += 1
        s.last_arrived = frame.arrived
        s.since = frame.arrived if s.since is None else s.since
        if ground := s.times.check(frame, self._limits):
            return self._conclude(ground)
        sight = look(s, frame, self._eyes, self._limits)
        if s.phase is Phase.FIND:
            self._find(frame, sight)
        else:
            self._follow(frame, sight)
        return self.progress

    def interrupted(self, steps: Sequence[Step]) -> None:
        """The connection was lost: what was seen and proven stays, and so does the person; the
        steps that are not done are replaced by these, and the face must be found anew."""
        s = self._state
        if s.verdict is not None:
            return
        s.steps = [*s.steps[: s.done], *steps]
        s.times.start_anew()
        self._find_anew(None)

    def time_out(self, now: float) -> Progress:
        """No frame came. now: the server's time, in seconds."""
        s = self._state
        if s.verdict is None and s.since is not None:
            silent = now - s.last_arrived > self._limits.lag_seconds
            if silent and s.phase is not Phase.FIND:
                return self._conclude(Ground.TOO_FEW_FRAMES)
            self._check_deadline(now)
        return self.progress

    # the phases

    def _find(self, frame: Frame, sight: Sight) -> None:
        s, limits = self._state, self._limits
        s.hint = fitness(s, sight, limits)
        if s.hint in (None, Hint.STILL) and sight.face is not None:
            s.first.append(self._eyes.encode(sight.face.chip[None])[0])
            del s.first[:-FIRST]
        else:
            s.first.clear()
            s.recent.clear()
        if s.hint is None and is_still(s, limits):
            self._found(frame, sight)
        else:
            self._check_deadline(frame.arrived)

    def _found(self, frame: Frame, sight: Sight) -> None:
        s, limits = self._state, self._limits
        if not begin_track(s, sight, self._neutral(), limits):
            s.hint = Hint.LIGHT
            return self._check_deadline(frame.arrived)
        mean = np.asarray(np.mean(s.first, axis=0), dtype=np.float32)
        s.first.clear()
        if s.same.anchor is None:
            s.same.anchor = mean
        elif s.same.distance(mean) > limits.same_frontal:
            self._conclude(Ground.OTHER_PERSON)
            return None
        return self._enter(Phase.HOLD if s.done < len(s.steps) else Phase.RETURN, frame.arrived)

    def _follow(self, frame: Frame, sight: Sight) -> None:
        """Hold, move and return: with a face that must not be lost."""
        s, limits = self._state, self._limits
        if s.crowded >= CROWDED:
            self._conclude(Ground.SEVERAL_FACES)
            return
        if s.track is None:
            raise ValueError("a session beyond FIND follows a face")
        if lost := keep_track(s, s.track, sight, limits):
            self._lost(lost)
            return
        s.hint = None
        watch(s, frame, sight)
        now = shares(s.track.placed.turn, limits)
        seen = shares(median_turn(s.track.turns), limits)
        if evidence.compare(s, sight, self._eyes, max(seen.values()), limits):
            self._conclude(Ground.OTHER_PERSON)
        elif s.phase is Phase.HOLD:
            self._hold(frame, sight, max(now.values()))
        elif s.phase is Phase.MOVE:
            self._move(frame, now, seen)
        else:
            self._return(frame, sight, max(now.values()))

    def _hold(self, frame: Frame, sight: Sight, moved: float) -> None:
        s, limits = self._state, self._limits
        if moved > (limits.moved if s.astray is None else limits.back):
            self._too_early(frame)
            return
        s.astray = None
        if sight.face is None:
            s.hint = Hint.SHOW_FACE
        elif moved > limits.back:
            s.hint = Hint.STRAIGHT
            self._check_deadline(frame.arrived)
        elif s.since is not None and frame.arrived - s.since >= s.steps[s.done].hold:
            s.parallax.clear()
            if not begin_track(s, sight, self._neutral(), limits):
                self._conclude(Ground.POOR_PICTURE)
            elif not keep_portrait(s, frame, sight, self._eyes, limits):
                self._conclude(Ground.OTHER_PERSON)
            else:
                if self._network is not None:
                    s.network.append(self._network.live_share(frame.image, sight.face.face.box))
                self._enter(Phase.MOVE, frame.judged)

    def _move(self, frame: Frame, now: dict[Movement, float], seen: dict[Movement, float]) -> None:
        """now: the movements in this frame; seen: over the last few."""
        s, limits = self._state, self._limits
        asked = s.steps[s.done].movement
        s.share = now[asked]
        other = max(share for movement, share in seen.items() if movement is not asked)
        since = frame.arrived if s.since is None else s.since
        if frame.arrived < since + limits.reaction_seconds:
            if max(s.share, other) > limits.moved:
                self._too_early(frame)
            return
        evidence.sample(s, asked, limits)
        if s.share >= 1:
            s.done += 1
            self._enter(Phase.RETURN, frame.arrived)
        elif other >= limits.wrong and s.share < limits.moved:
            if s.astray is None:
                s.slips, s.astray = s.slips + 1, frame.arrived
            if s.slips > limits.slips:
                self._conclude(Ground.WRONG_MOVEMENT)
        elif other < limits.back:
            s.astray = None
        self._check_deadline(frame.arrived)

    def _return(self, frame: Frame, sight: Sight, moved: float) -> None:
        s, limits = self._state, self._limits
        asked = s.steps[s.done - 1].movement
        s.share = 0.0
        evidence.sample(s, asked, limits)
        anew = moved > limits.back
        if anew and not (
            self._is_settled(frame, moved) and begin_track(s, sight, self._neutral(), limits)
        ):
            s.hint = Hint.FARTHER if asked is Movement.COME_CLOSER else Hint.STRAIGHT
            self._check_deadline(frame.arrived)
            return
        prove(s, asked, limits)
        if s.done < len(s.steps):
            self._enter(Phase.HOLD, frame.arrived)
        else:
            self._conclude(*evidence.weigh(s, limits, passive_decides=self._passive_decides))

    def _is_settled(self, frame: Frame, moved: float) -> bool:
        """Whether somebody rests, frontal, but not quite where they began: nobody knows to a
        degree where that was."""
        s, limits = self._state, self._limits
        if s.track is None or s.since is None:
            return False
        resting = np.ptp(np.array(s.track.turns), axis=0)
        return bool(
            frame.arrived - s.since > limits.settle_seconds
            and moved <= limits.settled
            and max(resting[:2]) < RESTING
            and abs(self._neutral().yaw) <= limits.frontal
        )

    def _neutral(self) -> Pose:
        return median_pose(seen.pose for seen in self._state.recent[-STEADY:])

    # what goes wrong

    def _too_early(self, frame: Frame) -> None:
        """The hold begins anew, and goes on doing so until the movement is over."""
        s, limits = self._state, self._limits
        if s.astray is None:
            s.early, s.astray = s.early + 1, frame.arrived
        if s.early > limits.early or frame.arrived - s.astray > limits.return_seconds:
            self._conclude(Ground.TOO_EARLY)
        else:
            begun = s.astray
            self._enter(Phase.HOLD, frame.arrived)
            s.astray, s.hint = begun, Hint.STILL

    def _lost(self, ground: Ground) -> None:
        """The track broke: all of this step anew, unless that happened too often."""
        s = self._state
        s.retries += 1
        if s.retries > self._limits.retries:
            self._conclude(ground)
        else:
            self._find_anew(Hint.SHOW_FACE if ground is Ground.NO_FACE else Hint.SLOWER)

    def _find_anew(self, hint: Hint | None) -> None:
        s = self._state
        if s.phase is Phase.RETURN:  # the movement itself was seen to its end
            prove(s, s.steps[s.done - 1].movement, self._limits)
        s.track = s.portrait = s.since = None
        s.box = None
        s.crowded = 0
        s.recent.clear()
        s.first.clear()
        s.parallax.clear()
        s.phase, s.share, s.astray, s.hint = Phase.FIND, 0.0, None, hint

    def _check_deadline(self, now: float) -> None:
        s, limits = self._state, self._limits
        if s.since is None or s.verdict is not None:
            return
        after = now - s.since
        if s.phase is Phase.FIND and after > limits.find_seconds:
            grounds = {
                Hint.SHOW_FACE: Ground.NO_FACE,
                Hint.ONE_PERSON: Ground.SEVERAL_FACES,
            }
            self._conclude(grounds.get(s.hint or Hint.STILL, Ground.POOR_PICTURE))
        elif s.phase is not Phase.FIND and after > (
            limits.move_seconds if s.phase is Phase.MOVE else limits.return_seconds
        ):
            self._conclude(Ground.NOT_IN_TIME)

    def _enter(self, phase: Phase, since: float) -> None:
        s = self._state
        s.phase, s.since, s.share, s.astray = phase, since, 0.0, None

    def _conclude(self, *grounds: Ground) -> Progress:
        """The verdict: LIVE only without a ground against it; what is proven false outweighs what
        could not be judged."""
        s = self._state
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
        return self.progress
