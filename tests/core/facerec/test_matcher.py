from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facerec.core.distance import squared_distance
from facerec.core.matcher import identify, verify
from facerec.core.types import IdentificationDecision, Outcome, Reason, VerificationDecision


def at(value: float) -> np.ndarray:
    """An encoding whose squared distance from the origin is value squared."""
    encoding = np.zeros(128, np.float32)
    encoding[3] = value
    return encoding


def test_verify_takes_the_nearest_template() -> None:
    templates = np.stack([at(2), at(0.5), at(-1)])
    assert verify(at(0), templates, 0.3) == VerificationDecision(Outcome.MATCH, 0.25, 0.3)
    assert verify(at(0), templates, 0.2) == VerificationDecision(Outcome.NO_MATCH, 0.25, 0.2)


def test_the_threshold_itself_matches() -> None:
    assert verify(at(0.5), at(0)[None], 0.25).outcome is Outcome.MATCH
    assert identify(at(0.5)[None], at(0)[None], [0], 0.25)[0].outcome is Outcome.MATCH


def test_nobody_enrolled_cannot_be_decided() -> None:
    none = np.empty((0, 128), np.float32)
    assert verify(at(0), none, 0.3) == VerificationDecision(
        Outcome.CANNOT_DECIDE, None, 0.3, Reason.NOT_ENROLLED
    )
    [decision] = identify(at(0)[None], none, [], 0.3)
    assert decision == IdentificationDecision(
        Outcome.CANNOT_DECIDE, None, None, 0.3, Reason.EMPTY_GALLERY
    )


def test_identify_names_the_nearest_subject_or_nobody() -> None:
    gallery = np.stack([at(0), at(1), at(1.25), at(4)])
    probes = np.stack([at(1.25), at(2.5), at(0.25)])
    decisions = identify(probes, gallery, np.array([7, 8, 9, 7]), 0.3)
    assert decisions == [
        IdentificationDecision(Outcome.MATCH, 9, 0.0, 0.3),
        IdentificationDecision(Outcome.NOT_RECOGNIZED, None, 1.5625, 0.3),
        IdentificationDecision(Outcome.MATCH, 7, 0.0625, 0.3),
    ]
    assert type(decisions[0].index) is int  # fit for JSON and the database


def test_a_refused_probe_is_not_compared() -> None:
    probes = np.stack([at(0), at(0)])
    refused, fit = identify(probes, at(0)[None], [4], 0.3, [Reason.TOO_BLURRED, None])
    assert refused == IdentificationDecision(
        Outcome.CANNOT_DECIDE, None, None, 0.3, Reason.TOO_BLURRED
    )
    assert fit.outcome is Outcome.MATCH
    [only] = identify(at(0)[None], np.empty((0, 128)), [], 0.3, [Reason.TOO_SMALL])
    assert only.reason is Reason.TOO_SMALL  # said of the photo, before the gallery


def test_no_probes_no_decisions() -> None:
    assert identify(np.empty((0, 128), np.float32), at(0)[None], [1], 0.3) == []


def test_a_threshold_that_is_no_number_matches_nobody() -> None:
    assert verify(at(0), at(0)[None], float("nan")).outcome is Outcome.NO_MATCH


@given(st.integers(1, 40), st.integers(1, 6), st.floats(0.5, 300), st.integers(0, 10_000))
def test_identify_equals_a_search_one_by_one(
    templates: int, probes: int, threshold: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    gallery = rng.normal(size=(templates, 128)).astype(np.float32)
    subjects = rng.integers(0, 5, templates)
    probe = rng.normal(size=(probes, 128)).astype(np.float32)
    for x, decision in zip(probe, identify(probe, gallery, subjects, threshold), strict=True):
        distances = [float(squared_distance(x, template)) for template in gallery]
        nearest = int(np.argmin(distances))
        assert decision.distance == pytest.approx(distances[nearest], rel=1e-5)
        if decision.outcome is Outcome.MATCH:
            assert decision.index == subjects[nearest]
            assert decision.distance <= threshold
        else:
            assert decision.index is None
            assert decision.distance > threshold
