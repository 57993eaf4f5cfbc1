"""The judge with its own eyes before the simulator: a living person, and a print of one."""

from __future__ import annotations

import pytest

from facerec.core.liveness.challenge import Challenge, Step
from facerec.core.liveness.eyes import FaceEyes
from facerec.core.liveness.judge import LivenessJudge
from facerec.core.liveness.types import Ground, Movement, Verdict
from facerec.core.pipeline import FacePipeline
from tests.simulator.attacks import SPECIES
from tests.simulator.session import Result, run

CHALLENGE = Challenge((Step(Movement.TURN_LEFT, 0.3),))


@pytest.fixture(scope="module")
def eyes(pipeline: FacePipeline) -> FaceEyes:
    from facerec.core.adapter import shipped

    return FaceEyes(pipeline, shipped())


def judged(species: str, eyes: FaceEyes) -> Result:
    return run(SPECIES[species](0), lambda asked: LivenessJudge(asked, eyes), CHALLENGE)


def test_a_living_person_is_live(eyes: FaceEyes) -> None:
    result = judged("bona_fide", eyes)
    assert (result.verdict, result.grounds) == (Verdict.LIVE, [])
    image = result.judge.face_image
    [face] = eyes.faces(image)
    assert abs(face.face.landmarks[4][0] - 240) < 120
    assert result.scores["same_frontal_worst"] < 0.1


def test_a_flat_print_of_the_same_person_is_not(eyes: FaceEyes) -> None:
    result = judged("flat_print", eyes)
    assert result.verdict is Verdict.NOT_LIVE
    assert result.grounds in ([Ground.FLAT], [Ground.NOT_IN_TIME])
    assert result.scores.get("relief", 0) < 0.2
