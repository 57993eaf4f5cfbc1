"""Tiny runs of what the bench runs: one session, judged again as a recording, and a print."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from facerec.core.liveness.challenge import Challenge, Step
from facerec.core.liveness.judge import LivenessJudge
from facerec.core.liveness.limits import SHIPPED
from facerec.core.liveness.types import Movement, Verdict
from tests.bench.liveness.outcomes import BONA_FIDE, Outcome, Skipped
from tests.bench.liveness.tasks import Recorded, Simulated, eyes, outcome_of
from tests.simulator.living import Living
from tests.simulator.session import Result, run

SEED = 0
CHALLENGE = Challenge((Step(Movement.TURN_LEFT, 0.2),))  # one step is enough here


@pytest.fixture(scope="module")
def session() -> Result:
    """A living person's, with its frames."""
    return run(Living(SEED), lambda asked: LivenessJudge(asked, eyes()), CHALLENGE, keep=True)


def recorded(session: Result, path: Path, *, frames: int | None = None) -> Path:
    sent = session.sent[:frames]
    told = {
        "format": 1,
        "species": BONA_FIDE,
        "person": "a",
        "scene": "",
        "consent": True,
        "steps": CHALLENGE.as_json(),
        "frames": [
            {"file": f"{i:04}.jpg", "taken": s.taken, "arrived": s.arrived, "judged": s.judged}
            for i, s in enumerate(sent)
        ],
    }
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("recording.json", json.dumps(told))
        for i, s in enumerate(sent):
            archive.writestr(f"{i:04}.jpg", s.jpeg)
    return path


def test_a_recording_is_judged_as_the_session_was(session: Result, tmp_path: Path) -> None:
    outcome = Recorded(recorded(session, tmp_path / "one.zip")).judge()
    assert isinstance(outcome, Outcome)
    assert outcome.verdict is session.verdict is Verdict.LIVE
    assert outcome.frames == session.frames == len(outcome.milliseconds)
    assert outcome.scores == session.scores
    assert outcome.seconds == pytest.approx(session.seconds, abs=0.3)


def test_a_session_that_was_broken_off_is_not_accepted(session: Result, tmp_path: Path) -> None:
    outcome = Recorded(recorded(session, tmp_path / "one.zip", frames=12)).judge()
    assert isinstance(outcome, Outcome)
    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert outcome.grounds


def test_a_bad_recording_is_skipped_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "bad.zip"
    path.write_bytes(b"nothing")
    assert Recorded(path).judge() == Skipped("bad.zip", "bad.zip: it is not a ZIP file.")


def test_a_presentation_is_judged_by_the_limits_that_it_is_given() -> None:
    """No print is still within so short a time."""
    outcome = Simulated("flat_print", SEED, replace(SHIPPED, find_seconds=0.2)).judge()
    assert (outcome.species, outcome.name) == ("flat_print", f"flat_print-{SEED}")
    assert outcome.verdict is outcome.passive_verdict is Verdict.INCONCLUSIVE
    assert outcome.grounds
    assert outcome.seconds < 1


def test_the_passive_cues_can_only_refuse() -> None:
    def told(passive: float, verdict: Verdict) -> Verdict:
        judge = SimpleNamespace(
            verdict=verdict, grounds=[], scores={"passive": passive}, milliseconds=[]
        )
        return outcome_of("a", "1", judge, 1.0, SHIPPED).passive_verdict  # type: ignore[arg-type]

    assert told(SHIPPED.passive_most + 0.01, Verdict.LIVE) is Verdict.NOT_LIVE
    assert told(SHIPPED.passive_most, Verdict.LIVE) is Verdict.LIVE
    assert told(1.0, Verdict.INCONCLUSIVE) is Verdict.INCONCLUSIVE
