"""What the liveness core takes and hands out: plain values.

Terms: ISO/IEC 30107-3. A *presentation* is one burst of frames; *bona fide* is a living person,
an *attack* is of a species (a flat print, a replay on a phone ...). Left and right are the
person's own: who turns left turns to the right of the camera's picture, which is not mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Movement(StrEnum):
    """What a person is asked to do, from the front and back to it."""

    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    LOOK_UP = "look_up"
    LOOK_DOWN = "look_down"
    COME_CLOSER = "come_closer"


class Phase(StrEnum):
    """What the person has to do now."""

    FIND = "find"  # look straight into the camera, so that there is something to measure from
    HOLD = "hold"  # hold still until the next movement is asked
    MOVE = "move"  # do the movement
    RETURN = "return"  # look straight again
    DONE = "done"  # there is a verdict


class Verdict(StrEnum):
    """LIVE only where everything asked was seen and judged; what cannot be judged is never live."""

    LIVE = "live"
    NOT_LIVE = "not_live"
    INCONCLUSIVE = "inconclusive"


class Ground(StrEnum):
    """Why the verdict is not LIVE. The audit log has it; the person sees advice alone."""

    # not live
    WRONG_MOVEMENT = "wrong_movement"
    TOO_EARLY = "too_early"
    NOT_IN_TIME = "not_in_time"
    FLAT = "flat"
    OTHER_PERSON = "other_person"
    NOT_CONTINUOUS = "not_continuous"
    FALSE_TIMES = "false_times"
    SCREEN_OR_PRINT = "screen_or_print"
    NETWORK = "network"
    # inconclusive
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    POOR_PICTURE = "poor_picture"
    TOO_LITTLE_MOTION = "too_little_motion"
    TOO_FEW_FRAMES = "too_few_frames"

    @property
    def verdict(self) -> Verdict:
        return Verdict.INCONCLUSIVE if self in _INCONCLUSIVE else Verdict.NOT_LIVE


_INCONCLUSIVE = frozenset(
    {
        Ground.NO_FACE,
        Ground.SEVERAL_FACES,
        Ground.POOR_PICTURE,
        Ground.TOO_LITTLE_MOTION,
        Ground.TOO_FEW_FRAMES,
    }
)


class Hint(StrEnum):
    """What would help now."""

    SHOW_FACE = "show_face"
    ONE_PERSON = "one_person"
    CLOSER = "closer"
    FARTHER = "farther"
    CENTRE = "centre"
    STRAIGHT = "straight"
    STILL = "still"
    LIGHT = "light"
    SLOWER = "slower"


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of the camera.

    image: uint8 RGB (H, W, 3), not mirrored. The times are seconds: taken by the browser's clock
    (any origin), arrived and judged by the server's. An instruction is given when the frame before
    it was judged, never earlier.
    """

    image: NDArray[np.uint8]
    taken: float
    arrived: float
    judged: float


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a session stands after a frame.

    done, steps: movements seen, and asked for in all. movement: the one that is asked now, None
    where none is. share: how far it has come, in [0, 1].
    """

    phase: Phase
    done: int
    steps: int
    movement: Movement | None = None
    share: float = 0.0
    hint: Hint | None = None
    verdict: Verdict | None = None
