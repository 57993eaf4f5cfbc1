"""The judge of one session: what was asked, whether it was done, by whom, and in three dimensions.

Its state machine lies in `phases`, what a frame shows in `sight` and `continuity`, what is weighed
in `evidence`; what it knows between two frames is `State`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facerec.core.liveness import evidence, state
from facerec.core.liveness.challenge import Challenge, Step
from facerec.core.liveness.eyes import Eyes
from facerec.core.liveness.limits import SHIPPED, Limits
from facerec.core.liveness.phases import Network, Phases
from facerec.core.liveness.sight import look
from facerec.core.liveness.state import State
from facerec.core.liveness.types import Frame, Ground, Phase, Progress, Verdict

JUDGE_VERSION = "movements-1"
"""Changes when the same frames may get another verdict at the same limits."""


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
        self._phases = Phases(eyes, limits, passive_decides=passive_decides, network=network)

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
            self._phases.conclude(s, ground)
        else:
            self._phases.go_on(s, frame, look(s, frame, self._eyes))
        return self.progress

    def interrupted(self, steps: Sequence[Step]) -> None:
        """The connection was lost: what was seen and proven stays, and so does the person; the
        steps that are not done are replaced by these, and the face must be found anew."""
        s = self._state
        if s.verdict is not None:
            return
        s.steps = [*s.steps[: s.done], *steps]
        s.times.start_anew()
        self._phases.find_anew(s, None)

    def time_out(self, now: float) -> Progress:
        """No frame came. now: the server's time, in seconds."""
        s = self._state
        if s.verdict is None and s.since is not None:
            silent = now - s.last_arrived > self._limits.lag_seconds
            if silent and s.phase is not Phase.FIND:
                self._phases.conclude(s, Ground.TOO_FEW_FRAMES)
            else:
                self._phases.check_deadline(s, now)
        return self.progress
