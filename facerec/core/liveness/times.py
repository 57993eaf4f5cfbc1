"""Do the times of the frames agree with the server's clock, and are there enough frames?"""

from __future__ import annotations

from dataclasses import dataclass

from facerec.core.liveness.limits import Limits
from facerec.core.liveness.types import Frame, Ground

SETTLING = 1.0
"""Seconds at the beginning from which the usual time between taking and arriving is read."""


@dataclass
class Times:
    """The browser's clock beside the server's.

    A picture that arrives earlier after it was taken than any before by more than the limit was not
    taken when it says so. One that comes late is a poor connection: nobody is accused of it.
    """

    first: float | None = None
    last: float | None = None
    delay: float = 0.0  # between taking and arriving, on two clocks: only its changes mean anything
    moving_frames: int = 0
    moving_seconds: float = 0.0

    def check(self, frame: Frame, limits: Limits) -> Ground | None:
        """Takes a frame in; says what is wrong with its time."""
        delay = frame.arrived - frame.taken
        if self.first is None or self.last is None:
            self.first, self.last, self.delay = frame.taken, frame.taken, delay
            return None
        if frame.taken <= self.last:
            return Ground.FALSE_TIMES
        self.last = frame.taken
        if delay < self.delay - limits.ahead_seconds:
            return Ground.FALSE_TIMES
        if delay > self.delay + limits.lag_seconds:
            return Ground.TOO_FEW_FRAMES
        if frame.taken - self.first < SETTLING:
            self.delay = min(self.delay, delay)
        return None

    def start_anew(self) -> None:
        """Another connection: its clock and its delay may be others."""
        self.first = self.last = None

    def moving(self, seconds: float) -> None:
        """One more frame while moving, so long after the one before."""
        self.moving_frames += 1
        self.moving_seconds += seconds

    @property
    def rate(self) -> float:
        """Frames per second while moving."""
        return self.moving_frames / self.moving_seconds if self.moving_seconds else 0.0
