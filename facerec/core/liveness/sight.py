"""What a frame shows: the face, its pose, and whether it is the one of the frame before."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from facerec.core import quality
from facerec.core.alignment import AlignedFace
from facerec.core.liveness.eyes import Eyes
from facerec.core.liveness.limits import Limits
from facerec.core.liveness.movements import Landmarks, Pose, pose_of
from facerec.core.liveness.state import Sighting, State, Track
from facerec.core.liveness.tracking import POINTS, Grey, follow, grey, seed
from facerec.core.liveness.types import Frame, Ground, Hint, Phase
from facerec.core.pipeline import BACKGROUND_WIDTH
from facerec.core.types import Reason

LOOK_ROUND = 8
"""Every so many frames the whole picture is searched, for a second face."""

KEPT = 12
"""Poses that are remembered: a second and more."""


class Sight(NamedTuple):
    """One frame as it was seen. face: None where none was found. alone: no other face beside it."""

    taken: float
    picture: Grey
    face: AlignedFace | None
    landmarks: Landmarks | None
    pose: Pose | None
    alone: bool = True


def look(s: State, frame: Frame, eyes: Eyes, limits: Limits) -> Sight:
    """Find the face of a frame: near the last one, now and then everywhere."""
    picture = grey(frame.image)
    everywhere = s.phase is Phase.FIND or s.box is None
    search_all = everywhere or s.frames % LOOK_ROUND == 0 or s.crowded > 0
    faces = eyes.faces(frame.image) if search_all else []
    alone = not any(f.face.box.w > BACKGROUND_WIDTH * faces[0].face.box.w for f in faces[1:])
    if search_all:
        s.crowded = 0 if alone else s.crowded + 1
    if not everywhere and s.box is not None:
        faces = eyes.faces(frame.image, s.box)
    if not faces:
        return Sight(frame.taken, picture, None, None, None, alone)
    face = faces[0]
    landmarks = np.array(face.face.landmarks, dtype=np.float64)
    pose = pose_of(landmarks)
    s.box, s.seen = face.face.box, frame.taken
    s.recent.append(Sighting(frame.taken, pose))
    del s.recent[:-KEPT]
    return Sight(frame.taken, picture, face, landmarks, pose, alone)


_LIGHT = (Reason.TOO_DARK, Reason.TOO_BRIGHT, Reason.TOO_FLAT)


def fitness(s: State, sight: Sight, limits: Limits) -> Hint | None:
    """What keeps a face from being one to begin with; None where nothing does."""
    if sight.face is None or sight.pose is None:
        return Hint.SHOW_FACE
    if not sight.alone:
        return Hint.ONE_PERSON
    pose = sight.pose
    if pose.eyes < limits.eyes_least:
        return Hint.CLOSER
    if pose.eyes > limits.eyes_most:
        return Hint.FARTHER
    height, width = sight.picture.shape
    if not (1.3 * pose.eyes < pose.x < width - 1.3 * pose.eyes):
        return Hint.CENTRE
    if not (0.9 * pose.eyes < pose.y < height - 1.7 * pose.eyes):
        return Hint.CENTRE
    measured = quality.measure(sight.face.face, sight.face.chip)
    if (
        abs(measured.yaw) > limits.frontal
        or max(abs(measured.pitch), abs(measured.roll)) > limits.upright
    ):
        return Hint.STRAIGHT
    refusal = quality.refusal(measured)
    if refusal in _LIGHT:
        return Hint.LIGHT
    return Hint.STILL if refusal else None


def is_still(s: State, limits: Limits) -> bool:
    """Whether the face has moved little for long enough; the hint says so where it has not."""
    now = s.recent[-1]
    window = [seen.pose for seen in s.recent if now.taken - seen.taken <= limits.still_seconds]
    covered = s.recent[0].taken <= now.taken - limits.still_seconds
    poses = np.array(window)
    yaws = np.array([pose.yaw for pose in window])
    moved = np.hypot(*np.ptp(poses[:, 4:6], axis=0)) / now.pose.eyes
    still = np.ptp(yaws) < limits.still_turn and moved < limits.still_shift
    if not still:
        s.hint = Hint.STILL
    return bool(covered and still)


def begin_track(s: State, sight: Sight, limits: Limits) -> bool:
    """Points to follow from this frame on, and the frame as the reference; False for too few."""
    if sight.face is None or sight.landmarks is None or s.neutral is None:
        return False
    points = seed(sight.picture, sight.landmarks)
    if len(points) < limits.points_least:
        return False
    sharp = quality.sharpness(sight.face.chip)
    picture, neutral = sight.picture, s.neutral
    s.track_taken = sight.taken
    s.track = Track(picture, sight.landmarks, points, points.copy(), picture, neutral, sharp)
    return True


def track(s: State, sight: Sight, frame: Frame, limits: Limits) -> Ground | None:
    """Follow the points to this frame; a ground where it cannot be the same face's next moment."""
    t = s.track
    if t is None:
        return Ground.NOT_CONTINUOUS
    gap = frame.taken - s.track_taken
    s.track_taken = frame.taken
    if s.phase in (Phase.MOVE, Phase.RETURN):
        s.times.moving(gap)
    if gap > limits.gap_seconds:
        return Ground.TOO_FEW_FRAMES
    eyes = t.neutral.eyes
    followed = follow(t.picture, sight.picture, t.now, eyes)
    survived = float(followed.kept.mean()) if len(t.now) else 0.0
    s.survivors.append(survived)
    sharp = quality.sharpness(sight.face.chip) if sight.face is not None else 0.0
    broken = survived < limits.survivors or followed.kept.sum() < 8
    if not broken and sight.landmarks is not None:
        jump = _jump(t, followed.points, followed.kept, sight.landmarks)
        s.jumps.append(jump)
        broken = jump > limits.jump
    if broken:
        blurred = sharp < limits.blurred * t.sharpness
        return Ground.POOR_PICTURE if blurred else Ground.NOT_CONTINUOUS
    t.picture = sight.picture
    t.now, t.start = followed.points[followed.kept], t.start[followed.kept]
    if sight.landmarks is None:
        return Ground.NO_FACE if frame.taken - s.seen > limits.lost_seconds else None
    t.landmarks = sight.landmarks
    _replenish(t)
    return None


def _replenish(t: Track) -> None:
    """New points for those that were lost; they have no place in the reference."""
    if len(t.now) < POINTS // 2:
        more = seed(t.picture, t.landmarks, t.now)
        t.now = np.concatenate([t.now, more])
        t.start = np.concatenate([t.start, np.full_like(more, np.nan)])


def _jump(t: Track, now: np.ndarray, kept: np.ndarray, landmarks: Landmarks) -> float:
    """How far the landmarks are from where the points have carried the last ones, in eye
    distances: what is seen and what is followed must be one face."""
    before, after = t.now[kept].astype(np.float64), now[kept].astype(np.float64)
    moved, *_ = np.linalg.lstsq(np.column_stack([before, np.ones(len(before))]), after, rcond=None)
    carried = np.column_stack([t.landmarks, np.ones(len(t.landmarks))]) @ moved
    return float(np.hypot(*(carried - landmarks).T).mean() / pose_of(landmarks).eyes)
