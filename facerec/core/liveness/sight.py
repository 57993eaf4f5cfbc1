"""What a frame shows: the face, its pose, and whether it is the one of the frame before."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from facerec.core import quality
from facerec.core.alignment import AlignedFace
from facerec.core.liveness.eyes import Eyes
from facerec.core.liveness.limits import Limits
from facerec.core.liveness.movements import Landmarks, Pose, median_pose, pose_of
from facerec.core.liveness.state import Sighting, State
from facerec.core.liveness.tracking import Grey, grey
from facerec.core.liveness.types import Frame, Hint, Phase
from facerec.core.pipeline import BACKGROUND_WIDTH
from facerec.core.types import Reason

LOOK_ROUND = 8
"""Every so many frames the whole picture is searched, for a second face."""

KEPT = 12
"""Poses that are remembered: a second and more."""


STEADY = 5
"""Poses whose median is taken where one alone is too noisy: landmarks are whole pixels."""


class Sight(NamedTuple):
    """One frame as it was seen. face: None where none was found. alone: no other face beside it."""

    taken: float
    picture: Grey
    face: AlignedFace | None
    landmarks: Landmarks | None
    pose: Pose | None
    alone: bool = True


def look(s: State, frame: Frame, eyes: Eyes) -> Sight:
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
    usual = median_pose(seen.pose for seen in s.recent[-STEADY:])
    if abs(usual.yaw) > limits.frontal or abs(usual.roll) > limits.upright:
        return Hint.STRAIGHT
    refusal = quality.refusal(quality.measure(sight.face.face, sight.face.chip))
    if refusal in _LIGHT:
        return Hint.LIGHT
    return Hint.STILL if refusal else None


def is_still(s: State, limits: Limits) -> bool:
    """Whether the face has moved little for long enough; the hint says so where it has not."""
    now = s.recent[-1]
    window = [seen.pose for seen in s.recent if now.taken - seen.taken <= limits.still_seconds]
    covered = s.recent[0].taken <= now.taken - limits.still_seconds
    poses = np.array(window)
    moved = np.hypot(*np.ptp(poses[:, 4:6], axis=0)) / now.pose.eyes
    grown = np.ptp(poses[:, 2]) / now.pose.eyes
    still = moved < limits.still_shift and grown < limits.still_growth
    if not still:
        s.hint = Hint.STILL
    return bool(covered and still)
