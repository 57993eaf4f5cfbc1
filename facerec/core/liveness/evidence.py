"""What is gathered during a session and weighed at its end."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.core.liveness.challenge import TURNS
from facerec.core.liveness.depth import measure_parallax
from facerec.core.liveness.eyes import Eyes
from facerec.core.liveness.limits import Limits
from facerec.core.liveness.movements import is_rotation, shares
from facerec.core.liveness.passive import PassiveEvidence
from facerec.core.liveness.sight import Sight
from facerec.core.liveness.state import Portrait, Proof, State
from facerec.core.liveness.types import Frame, Ground, Movement

ENCODE_EVERY = 4
"""Frames from one encoding to the next; the tracks hold the ones between together."""

WEIGHT = 2.0
"""A turn aside counts for so many looks up or down: it shows the nose from its side."""

ENOUGH = 2
"""Frames at a turn without which it proves nothing."""

WATCH_EVERY, WATCHED = 5, 16
"""Frames from one look at the passive cues to the next, and how many looks there are."""

FULL, BEST = 1.2, 5
"""Of so many frames the parallax is taken: those nearest to that share of the movement. A larger
turn shows more depth, but of fewer points."""


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
    full = sorted(s.parallax, key=lambda seen: abs(seen.share - FULL))[:BEST]
    if full:
        parallax, relief, shape = np.median([seen[1:4] for seen in full], axis=0)
        proof = Proof(asked, float(parallax), float(relief), float(shape), len(full))
        s.proofs.append(proof)
        nearest = np.inf if s.best is None else s.best.distance
        if s.portrait and s.portrait.distance < nearest and _shows_depth(proof, limits):
            s.best = s.portrait
    s.parallax.clear()
    s.portrait = None


def _shows_depth(proof: Proof, limits: Limits) -> bool:
    one = {"relief": proof.relief, "shape": proof.shape, "parallax": proof.parallax}
    return proof.frames >= ENOUGH and _is_deep(one, limits)


def _is_deep(measured: dict[str, float], limits: Limits) -> bool:
    return (
        measured["relief"] >= limits.relief_least
        and measured["shape"] >= limits.shape_least
        and measured["parallax"] >= limits.parallax_least
    )


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


def watch(s: State, frame: Frame, sight: Sight) -> None:
    """The passive cues of a few frames of the session."""
    if sight.face is None or s.frames % WATCH_EVERY or s.watched >= WATCHED:
        return
    cues = PassiveEvidence() if s.passive is None else PassiveEvidence.from_json(s.passive)
    cues.add(frame.image, sight.face.face)
    s.passive, s.watched = cues.as_json(), s.watched + 1


def weigh(s: State, limits: Limits, *, passive_decides: bool) -> list[Ground]:
    """Every ground against LIVE, at the end of all steps."""
    measured = scores(s)
    turned = "relief" in measured
    against = {
        Ground.TOO_LITTLE_MOTION: not turned,
        Ground.FLAT: turned
        and (
            s.best is None
            or not _is_deep(measured, limits)
            or measured["relief_least"] < limits.relief_each
        ),
        Ground.OTHER_PERSON: measured.get("same_frontal", 0) > limits.same_frontal,
        Ground.TOO_FEW_FRAMES: s.times.rate < limits.frames_least,
        Ground.SCREEN_OR_PRINT: passive_decides
        and measured.get("passive", 0) > limits.passive_most,
        Ground.NETWORK: measured.get("network", 1) < limits.network_least,
    }
    return [ground for ground, holds in against.items() if holds]


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
        values[f"parallax_{number}_{proof.movement.value}"] = proof.parallax
        values[f"relief_{number}_{proof.movement.value}"] = proof.relief
        values[f"shape_{number}_{proof.movement.value}"] = proof.shape
    if counted := [proof for proof in s.proofs if proof.frames >= ENOUGH]:
        weights = [WEIGHT if proof.movement in TURNS else 1.0 for proof in counted]
        for name in ("parallax", "relief", "shape"):
            each = [getattr(proof, name) for proof in counted]
            values[name] = float(np.average(each, weights=weights))
        values["relief_least"] = min(proof.relief for proof in counted)
    if s.passive is not None:
        values["passive"] = PassiveEvidence.from_json(s.passive).score()
    if s.network:
        values["network"] = float(np.median(s.network))
    strain = s.strain
    values |= {"survivors_least": strain.survivors, "jump_most": strain.jump}
    values |= {"speed_most": strain.speed, "misfit_most": strain.misfit}
    return values | s.same.scores()
