"""One unbroken picture: the face of a frame is the next moment of the face in the frame before.

It is what stops a print that is exchanged for another, or a person who steps in for a picture.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facerec.core import quality
from facerec.core.liveness.head import UsualHead
from facerec.core.liveness.homography import Points
from facerec.core.liveness.limits import Limits
from facerec.core.liveness.movements import Landmarks, Pose, pose_of, rotation
from facerec.core.liveness.sight import Sight
from facerec.core.liveness.state import State, Track
from facerec.core.liveness.tracking import POINTS, follow, seed
from facerec.core.liveness.types import Ground, Phase

NEAR = 10.0
"""Degrees from the reference up to which a patch still looks as it did there: points are then
found once more straight from it, which takes out the drift and brings lost ones back."""

FEWEST = 8
"""Points without which nothing can be followed."""

TURNS = 3
"""Turns that are remembered: a movement is read from their median."""


def begin_track(s: State, sight: Sight, neutral: Pose, limits: Limits) -> bool:
    """Points to follow from this frame on, and the frame as the reference; False for too few."""
    if sight.face is None or sight.landmarks is None:
        return False
    points = seed(sight.picture, sight.landmarks)
    if len(points) < limits.points_least:
        return False
    s.track = Track(
        reference=sight.picture,
        neutral=neutral,
        sharpness=quality.sharpness(sight.face.chip),
        start=points,
        picture=sight.picture,
        taken=sight.taken,
        now=points.copy(),
        alive=np.ones(len(points), np.bool_),
        extra=np.empty((0, 2), np.float32),
        landmarks=sight.landmarks,
    )
    return True


def keep_track(s: State, t: Track, sight: Sight, limits: Limits) -> Ground | None:
    """Follow the points into this frame and place the head by them; a ground where it cannot be
    the same face's next moment."""
    gap, t.taken = sight.taken - t.taken, sight.taken
    if s.phase in (Phase.MOVE, Phase.RETURN):
        s.times.moving(gap)
    if gap > limits.gap_seconds:
        return Ground.TOO_FEW_FRAMES
    known = int(t.alive.sum())
    before = np.concatenate([t.now[t.alive], t.extra])
    followed = follow(t.picture, sight.picture, before, t.neutral.eyes)
    kept = followed.kept
    survived = float(kept.mean()) if len(kept) else 0.0
    s.survivors.append(survived)
    broken = survived < limits.survivors or int(kept.sum()) < FEWEST
    if not broken and sight.landmarks is not None:
        jump = _jump(t.landmarks, before[kept], followed.points[kept], sight.landmarks)
        s.jumps.append(jump)
        broken = jump > limits.jump
    if broken:
        sharp = quality.sharpness(sight.face.chip) if sight.face is not None else t.sharpness
        blurred = sharp < limits.blurred * t.sharpness
        return Ground.POOR_PICTURE if blurred else Ground.NOT_CONTINUOUS
    t.picture = sight.picture
    t.now[t.alive] = followed.points[:known]
    t.alive[t.alive] = kept[:known]
    t.extra = followed.points[known:][kept[known:]]
    if not _place(t):
        return Ground.NOT_CONTINUOUS
    if sight.landmarks is None:
        return Ground.NO_FACE if sight.taken - s.seen > limits.lost_seconds else None
    t.landmarks = sight.landmarks
    if len(t.extra) + t.alive.sum() < POINTS // 2:
        present = np.concatenate([t.now[t.alive], t.extra])
        t.extra = np.concatenate([t.extra, seed(t.picture, t.landmarks, present)])
    return None


def _place(t: Track) -> bool:
    """Where the head is by its points; False if there are too few of the reference's."""
    if t.alive.sum() < FEWEST:
        return False
    t.placed = UsualHead(t.start[t.alive], t.neutral).fit(t.now[t.alive], t.placed)
    if rotation(t.placed.turn) < NEAR and abs(t.placed.growth) < 0.15:
        guess = UsualHead(t.start, t.neutral).at(t.placed).astype(np.float32)
        guess[t.alive] = t.now[t.alive]
        again = follow(t.reference, t.picture, t.start, t.neutral.eyes, guess)
        t.now[again.kept] = again.points[again.kept]
        t.alive |= again.kept
    t.turns = [*t.turns, t.placed.turn][-TURNS:]
    return True


def _jump(old: Landmarks, before: Points, after: Points, new: Landmarks) -> float:
    """How far the landmarks are from where the points have carried the last ones, in eye
    distances: what is seen and what is followed must be one face."""

    def extended(points: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.column_stack([points, np.ones(len(points))]).astype(np.float64)

    moved, *_ = np.linalg.lstsq(extended(before), after.astype(np.float64), rcond=None)
    carried = extended(old) @ moved
    return float(np.hypot(*(carried - new).T).mean() / pose_of(new).eyes)
