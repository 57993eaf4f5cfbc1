"""Outcomes and error rates in plain words."""

from __future__ import annotations

import pytest

from facerec import wording
from facerec.core.liveness.types import Ground
from facerec.core.liveness.types import Verdict as VerdictOnLife
from facerec.core.types import Outcome, Reason
from facerec.models import Attempt, AttemptFace, FaceTemplate, LivenessSession, Mode, Subject
from facerec.reasons import INTERRUPTED, sentence_of
from facerec.thresholds import identification_point, verification_point


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (1e-3, "one in 1,000"),
        (9.95e-4, "one in 1,000"),
        (1e-2, "one in 100"),
        (1 / 1234, "one in 1,200"),
        (1.4e-5, "one in 71,000"),
        (0.5, "one in 2"),
        (0, "none"),
    ],
)
def test_one_in(rate: float, words: str) -> None:
    assert wording.one_in(rate) == words


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.073, "7 in 100"), (0.0083, "8 in 1,000"), (0.0, "1 in 1,000"), (0.31, "31 in 100")],
)
def test_of_hundred(share: float, words: str) -> None:
    assert wording.of_hundred(share) == words


@pytest.mark.django_db
def test_the_meaning_has_the_calibrations_own_numbers() -> None:
    point = verification_point()
    text = wording.expectation(Mode.VERIFICATION, point, 1)
    assert "one in 1,000 strangers" in text
    assert f"{wording.of_hundred(point.fnmr)} of the right people" in text
    searching = wording.expectation(Mode.IDENTIFICATION, identification_point(500), 500)
    assert "Among 500 enrolled faces, one in 100 strangers" in searching
    assert "LFW" in wording.measured_on()


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (0.3, "well within"),
        (0.9, "are within"),
        (0.99, "only just within"),
        (1.0, "only just within"),
        (1.05, "only just beyond"),
        (2.0, "is beyond"),
    ],
)
def test_how_close_it_was(ratio: float, words: str) -> None:
    outcome = Outcome.MATCH if ratio <= 1 else Outcome.NO_MATCH
    attempt = Attempt(
        mode=Mode.VERIFICATION, outcome=outcome, distance=0.28 * ratio, threshold=0.28
    )
    assert words in wording.verdict(attempt).sentence


def test_each_outcome_has_its_stamp() -> None:
    subject = Subject(name="Ada", external_id="a")
    stamps = {}
    for outcome in (Outcome.MATCH, Outcome.NO_MATCH, Outcome.CANNOT_DECIDE):
        attempt = Attempt(mode=Mode.VERIFICATION, outcome=outcome, subject=subject)
        stamps[outcome] = wording.verdict(attempt).stamp
    face = AttemptFace(outcome=Outcome.NOT_RECOGNIZED, distance=0.5)
    stamps[Outcome.NOT_RECOGNIZED] = wording.verdict_on_face(face, 0.2).stamp
    assert stamps == {
        "match": "match",
        "no_match": "no",
        "not_recognized": "no",
        "cannot_decide": "unsure",
    }


def test_every_reason_has_a_sentence() -> None:
    for reason in [*Reason, INTERRUPTED]:
        assert sentence_of(reason).endswith(".")
    assert sentence_of("") == ""


def test_an_encoding_is_512_bytes_and_comes_back() -> None:
    import numpy as np

    encoding = np.linspace(-1, 1, 128, dtype=np.float32)
    packed = FaceTemplate.pack(encoding)
    assert len(packed) == 512
    assert np.array_equal(FaceTemplate.unpack([packed, packed]), np.stack([encoding, encoding]))
    assert FaceTemplate.unpack([]).shape == (0, 128)
    with pytest.raises(ValueError, match="128"):
        FaceTemplate.pack(encoding[:64])


class TestLiveChecks:
    def test_a_failure_is_told_without_its_ground(self) -> None:
        said = {
            wording.live_check_result(LivenessSession(state="failed", grounds=[ground.value]))
            for ground in Ground
        }
        assert len(said) == 1
        assert said.pop().stamp == "no"

    def test_what_could_not_be_judged_is_told_with_what_helps(self) -> None:
        for ground in Ground:
            if ground.verdict is not VerdictOnLife.INCONCLUSIVE:
                continue
            session = LivenessSession(state="inconclusive", grounds=[ground.value])
            said = wording.live_check_result(session)
            assert said.stamp == "unsure"
            assert said.sentence.endswith("Try it again.")
            assert ground.value not in said.sentence

    def test_a_fault_of_ours_is_not_the_persons(self) -> None:
        session = LivenessSession(state="inconclusive", scores={"problem": "x", "reference": "ab1"})
        assert "not your doing" in wording.live_check_result(session).sentence
        assert "reference ab1" in wording.live_check_result(session).sentence

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({}, ""),
            ({"liveness": "passed"}, "Live check passed"),
            ({"liveness": "failed"}, "Live check not passed"),
            ({"liveness": "missing"}, "Live check required, but not done"),
            (
                {"liveness": "vouched", "operator": "olive", "vouched": "known to me"},
                "No live check: olive vouched for the person (known to me)",
            ),
        ],
    )
    def test_of_a_question(self, fields: dict[str, str], words: str) -> None:
        assert wording.live_check(Attempt(**fields)) == words
