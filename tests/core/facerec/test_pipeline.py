from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from facerec.core.adapter import shipped
from facerec.core.calibration import OperatingPoints
from facerec.core.distance import squared_distance
from facerec.core.errors import FaceRefused, WeightsNotFound
from facerec.core.gallery import Gallery
from facerec.core.matcher import identify, verify
from facerec.core.pipeline import FacePipeline
from facerec.core.types import Outcome, Reason
from facerec.core.versions import ALIGNER_VERSION, BACKBONE_VERSION
from tests.core.facerec.conftest import portrait, small_portrait

BACKDROP = (150, 150, 160)
PEOPLE = range(5)


def beside(left: Image.Image, right: Image.Image) -> Image.Image:
    picture = Image.new("RGB", (left.width + right.width, max(left.height, right.height)), BACKDROP)
    picture.paste(left, (0, 0))
    picture.paste(right, (left.width, 0))
    return picture


def refusal_of(pipeline: FacePipeline, image: Image.Image) -> Reason:
    with pytest.raises(FaceRefused) as caught:
        pipeline.one_face(image)
    return caught.value.reason


def test_one_face_and_analyse_agree(pipeline: FacePipeline) -> None:
    face = pipeline.one_face(portrait(0))
    [same] = pipeline.analyse(portrait(0))
    assert face.encoding.shape == (128,)
    assert face.encoding.dtype == np.float32
    assert (face.face, face.quality, face.refusal) == (same.face, same.quality, None)
    np.testing.assert_allclose(face.encoding, same.encoding, atol=1e-6)


def test_no_face(pipeline: FacePipeline) -> None:
    blank = Image.new("RGB", (320, 240), "olive")
    assert refusal_of(pipeline, blank) is Reason.NO_FACE
    assert pipeline.analyse(blank) == []


def test_several_faces(pipeline: FacePipeline) -> None:
    pair = beside(portrait(0), portrait(1))
    assert refusal_of(pipeline, pair) is Reason.SEVERAL_FACES
    both = pipeline.analyse(pair)
    assert len(both) == 2
    for face in both:  # batched, and each as if it were alone
        alone = pipeline.one_face(portrait(0 if face.face.box.x < 480 else 1))
        assert squared_distance(face.encoding, alone.encoding) < 0.05


def test_a_bystander_in_the_background_does_not_disturb(pipeline: FacePipeline) -> None:
    picture = beside(portrait(0), portrait(1).resize((200, 250), Image.Resampling.LANCZOS))
    assert len(pipeline.analyse(picture)) == 2
    face = pipeline.one_face(picture)
    assert face.face.box.right < 480
    assert squared_distance(face.encoding, pipeline.one_face(portrait(0)).encoding) < 0.02


def test_too_small(pipeline: FacePipeline) -> None:
    picture = Image.new("RGB", (320, 240), BACKDROP)
    picture.paste(portrait(0).resize((66, 83), Image.Resampling.LANCZOS), (120, 70))
    assert refusal_of(pipeline, picture) is Reason.TOO_SMALL
    [face] = pipeline.analyse(picture)
    assert face.refusal is Reason.TOO_SMALL


def test_too_blurred(pipeline: FacePipeline) -> None:
    blurred = portrait(0).filter(ImageFilter.GaussianBlur(9))
    assert refusal_of(pipeline, blurred) is Reason.TOO_BLURRED
    [face] = pipeline.analyse(blurred)
    assert face.refusal is Reason.TOO_BLURRED


def test_a_large_blurred_photo_is_blurred_however_many_pixels_it_has(
    pipeline: FacePipeline,
) -> None:
    large = portrait(0).filter(ImageFilter.GaussianBlur(9)).resize((1200, 1500))
    assert refusal_of(pipeline, large) is Reason.TOO_BLURRED
    assert pipeline.one_face(portrait(0).resize((1200, 1500))).refusal is None


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK"])
def test_any_mode_is_read_as_rgb(pipeline: FacePipeline, mode: str) -> None:
    assert pipeline.one_face(portrait(0).convert(mode)).encoding.shape == (128,)


def test_the_same_photo_twice_is_exactly_zero_apart(pipeline: FacePipeline) -> None:
    a, b = (pipeline.one_face(portrait(0)).encoding for _ in range(2))
    assert squared_distance(a, b) == 0


def test_the_photos_size_hardly_matters(pipeline: FacePipeline) -> None:
    reference = pipeline.one_face(portrait(0)).encoding
    for scale in (0.5, 3):
        size = round(480 * scale), round(600 * scale)
        face = pipeline.one_face(portrait(0).resize(size, Image.Resampling.LANCZOS))
        assert squared_distance(face.encoding, reference) < 0.05


def test_threads_share_it(pipeline: FacePipeline) -> None:
    expected = {seed: pipeline.one_face(small_portrait(seed)).encoding for seed in (0, 1, 2)}
    with ThreadPoolExecutor(3) as pool:
        seeds = [0, 1, 2, 0, 1, 2]
        faces = pool.map(lambda seed: pipeline.one_face(small_portrait(seed)), seeds)
        for seed, face in zip(seeds, faces, strict=True):
            np.testing.assert_allclose(face.encoding, expected[seed], atol=1e-6)


def test_versions_and_missing_weights(pipeline: FacePipeline, tmp_path: Path) -> None:
    assert pipeline.encoder_version == BACKBONE_VERSION
    assert pipeline.aligner_version == ALIGNER_VERSION
    with pytest.raises(WeightsNotFound):
        FacePipeline.build(weights_folder=tmp_path)


def test_drawn_people_are_told_apart_and_known_again(pipeline: FacePipeline) -> None:
    """The whole way: enrolled from one portrait each, recognised from two others; a stranger is
    not."""

    def seen(seed: int, variation: int = 0) -> np.ndarray:
        return shipped()(pipeline.one_face(small_portrait(seed, variation)).encoding)

    gallery = np.stack([seen(seed) for seed in PEOPLE])
    points = OperatingPoints.load()
    tau = points.verification_threshold().threshold
    tau_search = points.identification_threshold(len(gallery)).threshold
    for seed in PEOPLE:
        for variation in (1, 2):
            probe = seen(seed, variation)
            [found] = identify(probe[None], Gallery.of(gallery, list(PEOPLE)), tau_search)
            assert (found.outcome, found.subject) == (Outcome.MATCH, seed)
            for claimed in PEOPLE:
                expected = Outcome.MATCH if claimed == seed else Outcome.NO_MATCH
                assert verify(probe, gallery[claimed][None], tau).outcome is expected
    stranger = seen(len(PEOPLE))
    [nobody] = identify(stranger[None], Gallery.of(gallery, list(PEOPLE)), tau_search)
    assert nobody.outcome is Outcome.NOT_RECOGNIZED
