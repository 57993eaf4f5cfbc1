from __future__ import annotations

import numpy as np

from facerec.core.gallery import Gallery
from facerec.core.matcher import identify, verify
from facerec.core.types import (
    IdentificationDecision,
    Neighbour,
    Outcome,
    Reason,
    VerificationDecision,
)


def at(value: float) -> np.ndarray:
    """An encoding whose squared distance from the origin is value squared."""
    encoding = np.zeros(128, np.float32)
    encoding[3] = value
    return encoding


def gallery(*encodings: np.ndarray, subjects: list[int] | None = None) -> Gallery:
    return Gallery.of(np.stack(encodings), subjects or list(range(len(encodings))))


NOBODY = Gallery()


def test_verify_takes_the_nearest_template() -> None:
    templates = np.stack([at(2), at(0.5), at(-1)])
    assert verify(at(0), templates, 0.3) == VerificationDecision(Outcome.MATCH, 0.25, 0.3)
    assert verify(at(0), templates, 0.2) == VerificationDecision(Outcome.NO_MATCH, 0.25, 0.2)


def test_the_threshold_itself_matches() -> None:
    assert verify(at(0.5), at(0)[None], 0.25).outcome is Outcome.MATCH
    assert identify(at(0.5)[None], gallery(at(0)), 0.25)[0].outcome is Outcome.MATCH


def test_nobody_enrolled_cannot_be_decided() -> None:
    none = np.empty((0, 128), np.float32)
    assert verify(at(0), none, 0.3) == VerificationDecision(
        Outcome.CANNOT_DECIDE, None, 0.3, Reason.NOT_ENROLLED
    )
    [decision] = identify(at(0)[None], NOBODY, 0.3)
    assert decision == IdentificationDecision(Outcome.CANNOT_DECIDE, 0.3, Reason.EMPTY_GALLERY)
    assert decision.distance is decision.margin is decision.subject is None


def test_identify_names_the_nearest_subject_or_nobody() -> None:
    enrolled = gallery(at(0), at(1), at(1.25), at(4), subjects=[7, 8, 9, 7])
    first, second, third = identify(np.stack([at(1.25), at(2.5), at(0.25)]), enrolled, 0.3)
    assert (first.outcome, first.subject, first.distance) == (Outcome.MATCH, 9, 0)
    assert first.runner_up == Neighbour(8, 1, 0.0625)
    assert first.margin == 0.0625
    assert (second.outcome, second.subject) == (Outcome.NOT_RECOGNIZED, None)
    assert second.nearest == Neighbour(9, 2, 1.5625)
    assert second.runner_up == Neighbour(8, 1, 2.25)  # 7 is as far: the lower key counts
    assert (third.outcome, third.subject, third.distance) == (Outcome.MATCH, 7, 0.0625)
    assert type(first.subject) is int  # fit for JSON and the database


def test_the_runner_up_is_another_subject() -> None:
    enrolled = gallery(at(0), at(0.125), at(2), subjects=[5, 5, 6])
    [decision] = identify(at(0)[None], enrolled, 0.3)
    assert decision.runner_up == Neighbour(6, 2, 4.0)
    [alone] = identify(at(0)[None], gallery(at(0), at(1), subjects=[5, 5]), 0.3)
    assert alone.outcome is Outcome.MATCH
    assert alone.runner_up is alone.margin is None


def test_two_within_the_threshold_and_too_close() -> None:
    enrolled = gallery(at(0.25), at(-0.5))  # d = 0.0625 and 0.25: 0.1875 apart
    [decision] = identify(at(0)[None], enrolled, 0.3, minimum_margin=0.19)
    assert (decision.outcome, decision.reason) == (Outcome.CANNOT_DECIDE, Reason.TOO_CLOSE)
    assert decision.subject is None
    assert (decision.nearest.subject, decision.runner_up.subject) == (0, 1)
    assert decision.margin == 0.1875
    [just] = identify(at(0)[None], enrolled, 0.3, minimum_margin=0.1875)
    assert just.outcome is Outcome.MATCH
    [other_is_beyond] = identify(at(0)[None], enrolled, 0.24, minimum_margin=0.19)
    assert other_is_beyond.outcome is Outcome.MATCH
    [both_beyond] = identify(at(0)[None], enrolled, 0.01, minimum_margin=0.19)
    assert both_beyond.outcome is Outcome.NOT_RECOGNIZED


def test_a_refused_probe_is_not_compared() -> None:
    probes = np.stack([at(0), at(0)])
    refused, fit = identify(probes, gallery(at(0)), 0.3, refusals=[Reason.TOO_BLURRED, None])
    assert refused == IdentificationDecision(Outcome.CANNOT_DECIDE, 0.3, Reason.TOO_BLURRED)
    assert fit.outcome is Outcome.MATCH
    [only] = identify(at(0)[None], NOBODY, 0.3, refusals=[Reason.TOO_SMALL])
    assert only.reason is Reason.TOO_SMALL  # said of the photo, before the gallery


def test_no_probes_no_decisions() -> None:
    assert identify(np.empty((0, 128), np.float32), gallery(at(0)), 0.3) == []


def test_a_threshold_that_is_no_number_matches_nobody() -> None:
    assert verify(at(0), at(0)[None], float("nan")).outcome is Outcome.NO_MATCH
    [decision] = identify(at(0)[None], gallery(at(0)), float("nan"))
    assert decision.outcome is Outcome.NOT_RECOGNIZED
