from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageFilter

from facerec.core.labelled import BATCH, Picture, Refusal, encode_set
from facerec.core.pipeline import FacePipeline
from facerec.core.quality import Use
from facerec.core.types import Reason
from tests.core.facerec.conftest import small_portrait

LOST = Refusal("file_unreadable", "It is gone.")


@pytest.mark.parametrize("threads", [1, 2])
def test_encodes_as_one_photo_alone_would_be_and_in_order(
    pipeline: FacePipeline, threads: int
) -> None:
    blank = Image.new("RGB", (200, 200), "olive")
    images = [small_portrait(0), blank, LOST, small_portrait(1)]
    given = [Picture("ada", f"{i}.jpg", image) for i, image in enumerate(images)]
    photos = list(encode_set(pipeline, given, batch=3, threads=threads))
    assert [photo.name for photo in photos] == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    assert [photo.refusal for photo in photos] == [None, Refusal.of(Reason.NO_FACE), LOST, None]
    for photo, image in ((photos[0], images[0]), (photos[3], images[3])):
        alone = pipeline.one_face(image)
        np.testing.assert_allclose(photo.encoding, alone.encoding, atol=1e-5)
        assert (photo.quality, photo.face.face) == (alone.quality, alone.face)
        assert photo.chip.shape == (150, 150, 3)
    assert photos[1].encoding is None
    with pytest.raises(ValueError, match=r"1\.jpg"):
        _ = photos[1].face


def test_reads_one_batch_at_a_time(pipeline: FacePipeline) -> None:
    read = []

    def pictures() -> Iterator[Picture]:
        for number in range(100):
            read.append(number)
            yield Picture("ada", str(number), LOST)

    next(encode_set(pipeline, pictures()))
    assert len(read) == BATCH


def test_of_nothing_comes_nothing(pipeline: FacePipeline) -> None:
    assert list(encode_set(pipeline, [])) == []


def test_enrolment_may_want_a_better_photo(pipeline: FacePipeline) -> None:
    soft = small_portrait(0).filter(ImageFilter.GaussianBlur(3))
    [probe] = encode_set(pipeline, [Picture("ada", "1", soft)])
    [template] = encode_set(pipeline, [Picture("ada", "1", soft)], use=Use.ENROLMENT)
    assert probe.refusal is None
    assert template.refusal == Refusal.of(Reason.TOO_BLURRED)
