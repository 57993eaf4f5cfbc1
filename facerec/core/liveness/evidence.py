"""What is gathered during a session and weighed at its end."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.core.liveness.depth import measure_parallax
from facerec.core.liveness.eyes import Eyes
from facerec.core.liveness.limits import Limits
from facerec.core.liveness.movements import is_rotation, shares
from facerec.core.liveness.sight import Sight
from facerec.core.liveness.state import Portrait, Proof, State
from facerec.core.liveness.types import Frame, Ground, Movement

ENCODE_EVERY = 3
"""Frames from one encoding to the next; the tracks hold the ones between together."""

BEST = 5
"""Frames at the largest turn whose parallax is taken."""


def sample(s: State, asked: Movement, limits: Limits) -> None:
    """The parallax of this frame, if the head is turned far enough."""
    t = s.track
    if t is None or not is_rotation(asked):
        return
    share = shares(t.placed.turn, limits)[asked]
    if share < limits.depth_from:
        return
    start, now = t.start[t.alive], t.now[t.alive]
    seen = measure_parallax(t.reference, t.picture, start, now, t.neutral, t.placed, share)
    if seen is not None:
        s.parallax.append(seen)


def prove(s: State, asked: Movement, limits: Limits) -> None:
    """The step's turn is over: what it showed of depth, and whether its first frame is the best
    one to compare."""
    largest = sorted(s.parallax, key=lambda seen: seen.share)[-BEST:]
    if largest:
        residual = float(np.median([seen.residual for seen in largest]))
        relief = float(np.median([seen.relief for seen in largest]))
        proof = Proof(asked, residual, relief, len(largest))
        s.proofs.append(proof)
        nearest = np.inf if s.best is None else s.best.distance
        if s.portrait and s.portrait.distance < nearest and _shows_depth(proof, limits):
            s.best = s.portrait
    s.parallax.clear()
    s.portrait = None


def _shows_depth(proof: Proof, limits: Limits) -> bool:
    return proof.frames >= limits.depth_frames and proof.residual >= limits.depth_least


def keep_portrait(s: State, frame: Frame, sight: Sight, eyes: Eyes, limits: Limits) -> bool:
    """Keep the frame from which a movement begins; False if it shows another person."""
    if sight.face is None:
        return False
    distance = s.same.distance(eyes.encode(sight.face.chip[None])[0])
    s.same.frontal.append(distance)
    ok, jpeg = cv2.imencode(
        ".jpg", cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95]
    )
    s.portrait = Portrait(jpeg.ravel(), distance) if ok else None
    return distance <= limits.same_frontal


def decoded(portrait: Portrait) -> NDArray[np.uint8]:
    """uint8 RGB (H, W, 3)."""
    image = cv2.imdecode(portrait.jpeg, cv2.IMREAD_COLOR_RGB)
    return np.asarray(image, dtype=np.uint8)


def compare(s: State, sight: Sight, eyes: Eyes, share: float, limits: Limits) -> bool:
    """Now and then: is it still the same person? True if it is another."""
    if sight.face is not None and s.frames % ENCODE_EVERY == 0:
        s.same.add(eyes.encode(sight.face.chip[None])[0], share, limits)
    return s.same.is_other(limits)


def watch(passive: dict[str, Any], frame: Frame, sight: Sight, number: int) -> dict[str, Any]:
    """The passive cues of a few frames."""
    return passive


def weigh(s: State, limits: Limits, *, passive_decides: bool) -> list[Ground]:
    """Every ground against LIVE, at the end of all steps."""
    grounds: list[Ground] = []
    proofs = [proof for proof in s.proofs if proof.frames >= limits.depth_frames]
    if not proofs:
        grounds.append(Ground.TOO_LITTLE_MOTION)
    elif depth(proofs) < limits.depth_least or s.best is None:
        grounds.append(Ground.FLAT)
    if s.times.rate < limits.frames_least:
        grounds.append(Ground.TOO_FEW_FRAMES)
    measured = s.same.scores()
    if measured.get("same_frontal", 0.0) > limits.same_frontal:
        grounds.append(Ground.OTHER_PERSON)
    return grounds


def depth(proofs: list[Proof]) -> float:
    """One number for all turns: the median of their residuals."""
    return float(np.median([proof.residual for proof in proofs]))


def scores(s: State) -> dict[str, float]:
    """What was measured, for the audit log."""
    values: dict[str, float] = {
        "frames": s.frames,
        "fps": round(s.times.rate, 2),
        "early": s.early,
        "slips": s.slips,
        "retries": s.retries,
    }
    for number, proof in enumerate(s.proofs, 1):
        values[f"parallax_{number}_{proof.movement.value}"] = proof.residual
        values[f"relief_{number}_{proof.movement.value}"] = proof.relief
    if s.proofs:
        values["parallax"] = depth(s.proofs)
    if s.survivors:
        values["survivors_least"] = min(s.survivors)
    if s.jumps:
        values["jump_most"] = max(s.jumps)
    return values | s.same.scores()
