"""One unbroken picture: the face of a frame is the next moment of the face in the frame before.

It is what stops a print that is exchanged for another, or a person who steps in for a picture.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.core import quality
from facerec.core.liveness.head import UsualHead
from facerec.core.liveness.homography import Points
from facerec.core.liveness.limits import Limits
from facerec.core.liveness.movements import Landmarks, Pose, pose_of, rotation
from facerec.core.liveness.sight import Sight
from facerec.core.liveness.state import State, Strain, Track
from facerec.core.liveness.tracking import POINTS, Followed, follow, seed
from facerec.core.liveness.types import Ground, Phase

NEAR = 10.0
"""Degrees from the reference up to which a patch still looks as it did there: points are then
found once more straight from it, which takes out the drift and brings lost ones back."""

FEWEST = 8
"""Points without which nothing can be followed."""

SURE = 0.7
"""Share of survivors below which following is tried from another beginning."""

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
    followed = _followed(t, sight, before)
    kept = followed.kept
    now = Strain(survivors=_share(followed))
    if now.survivors >= limits.survivors / 2 and kept.sum() >= FEWEST:
        if sight.landmarks is not None:
            now.jump = _jump(t.landmarks, before[kept], followed.points[kept], sight.landmarks)
        t.picture = sight.picture
        t.now[t.alive] = followed.points[:known]
        t.alive[t.alive] = kept[:known]
        t.extra = followed.points[known:][kept[known:]]
        _place(t, now, gap)
    if not t.tried and now.survivors >= limits.survivors / 2:
        now.survivors = 1.0  # points on noise are sorted out at the first try
    t.tried = True
    s.strain = _worse(s.strain, now)
    if _breaks(now, limits) or t.alive.sum() < FEWEST:
        return _blame(t, sight, limits)
    if sight.landmarks is None:
        return Ground.NO_FACE if sight.taken - s.seen > limits.lost_seconds else None
    t.landmarks = sight.landmarks
    if len(t.extra) + t.alive.sum() < POINTS // 2:
        present = np.concatenate([t.now[t.alive], t.extra])
        t.extra = np.concatenate([t.extra, seed(t.picture, t.landmarks, present)])
    return None


def _followed(t: Track, sight: Sight, before: Points) -> Followed:
    """The points in this frame. Where many are lost, the movement may be too fast to be followed
    from where they were: they are looked for once more where the landmarks have gone."""
    first = follow(t.picture, sight.picture, before, t.neutral.eyes)
    if sight.landmarks is None or _share(first) >= SURE:
        return first
    moved, _ = cv2.estimateAffinePartial2D(t.landmarks, sight.landmarks, method=cv2.LMEDS)
    if moved is None:
        return first
    guess = (before @ moved[:, :2].T + moved[:, 2]).astype(np.float32)
    second = follow(t.picture, sight.picture, before, t.neutral.eyes, guess, levels=2)
    return max(first, second, key=_share)


def _share(followed: Followed) -> float:
    return float(followed.kept.mean()) if len(followed.kept) else 0.0


def _breaks(strain: Strain, limits: Limits) -> bool:
    return (
        strain.survivors < limits.survivors
        or strain.jump > limits.jump
        or strain.speed > limits.speed
        or strain.misfit > limits.misfit
    )


def _worse(a: Strain, b: Strain) -> Strain:
    return Strain(
        min(a.survivors, b.survivors),
        max(a.jump, b.jump),
        max(a.speed, b.speed),
        max(a.misfit, b.misfit),
    )


def _blame(t: Track, sight: Sight, limits: Limits) -> Ground:
    """What broke the track: blur, which may happen to anybody, or an exchange."""
    sharp = quality.sharpness(sight.face.chip) if sight.face is not None else t.sharpness
    blurred = sharp < limits.blurred * t.sharpness
    return Ground.POOR_PICTURE if blurred else Ground.NOT_CONTINUOUS


def _place(t: Track, strain: Strain, seconds: float) -> None:
    """Where the head is by its points, and how far that strains belief."""
    if t.alive.sum() < FEWEST:
        return
    before, head = t.placed, UsualHead(t.start[t.alive], t.neutral)
    t.placed = head.fit(t.now[t.alive], before)
    missed = np.hypot(*(head.at(t.placed) - t.now[t.alive]).T) / t.neutral.eyes
    strain.misfit = float(np.median(missed))
    angle = np.hypot(t.placed.yaw - before.yaw, t.placed.pitch - before.pitch)
    strain.speed = float(np.degrees(angle) / seconds)
    if rotation(t.placed.turn) < NEAR and abs(t.placed.growth) < 0.15:
        guess = UsualHead(t.start, t.neutral).at(t.placed).astype(np.float32)
        guess[t.alive] = t.now[t.alive]
        again = follow(t.reference, t.picture, t.start, t.neutral.eyes, guess, levels=1)
        t.now[again.kept] = again.points[again.kept]
        t.alive |= again.kept
    t.turns = [*t.turns, t.placed.turn][-TURNS:]


def _jump(old: Landmarks, before: Points, after: Points, new: Landmarks) -> float:
    """How far the landmarks are from where the points have carried the last ones, in eye
    distances: what is seen and what is followed must be one face."""

    def extended(points: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.column_stack([points, np.ones(len(points))]).astype(np.float64)

    moved, *_ = np.linalg.lstsq(extended(before), after.astype(np.float64), rcond=None)
    carried = extended(old) @ moved
    return float(np.hypot(*(carried - new).T).mean() / pose_of(new).eyes)
