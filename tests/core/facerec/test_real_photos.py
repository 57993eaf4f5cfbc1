"""Two public officials, several photos of each: the thresholds hold on real photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from facerec.core import adapter
from facerec.core.calibration import OperatingPoints
from facerec.core.errors import FaceRefused
from facerec.core.gallery import Gallery
from facerec.core.matcher import identify, verify
from facerec.core.pipeline import FacePipeline
from facerec.core.types import EncodedFace, Encoding, Outcome, Reason

SINGLE = [
    "biden_1", "biden_2", "obama_1", "obama_2", "obama_3", "obama_4", "obama_4_small",
    "obama_partial",
]  # fmt: skip


def adapted(face: EncodedFace) -> Encoding:
    return adapter.shipped()(face.encoding)


@pytest.fixture(scope="module")
def encodings(pipeline: FacePipeline, real_faces: Path) -> dict[str, np.ndarray]:
    return {
        name: adapted(pipeline.one_face(Image.open(real_faces / f"{name}.jpg"))) for name in SINGLE
    }


@pytest.mark.parametrize("name", SINGLE)
@pytest.mark.parametrize("claimed", ["biden_1", "obama_1"])
def test_verification(encodings: dict[str, np.ndarray], name: str, claimed: str) -> None:
    threshold = OperatingPoints.load().verification_threshold().threshold
    same = name.split("_")[0] == claimed.split("_")[0]
    decision = verify(encodings[name], encodings[claimed][None], threshold)
    assert decision.outcome is (Outcome.MATCH if same else Outcome.NO_MATCH)


def test_identification_in_a_photo_of_both(
    pipeline: FacePipeline, real_faces: Path, encodings: dict[str, np.ndarray]
) -> None:
    gallery = np.stack([encodings["biden_1"], encodings["obama_1"]])
    threshold = OperatingPoints.load().identification_threshold(2).threshold
    faces = pipeline.analyse(Image.open(real_faces / "obama_and_biden.jpg"))
    decisions = identify(
        np.stack([adapted(face) for face in faces]),
        Gallery.of(gallery, [0, 1]),
        threshold,
        refusals=[face.refusal for face in faces],
    )
    matched = [decision.subject for decision in decisions if decision.outcome is Outcome.MATCH]
    assert sorted(matched) == [0, 1]  # each once; whoever else is there is nobody


def test_refusals(pipeline: FacePipeline, real_faces: Path) -> None:
    both = Image.open(real_faces / "obama_and_biden.jpg")
    blurred = Image.open(real_faces / "biden_2.jpg").filter(ImageFilter.GaussianBlur(14))
    for image, reason in ((both, Reason.SEVERAL_FACES), (blurred, Reason.TOO_BLURRED)):
        with pytest.raises(FaceRefused) as caught:
            pipeline.one_face(image)
        assert caught.value.reason is reason
