"""The drawn people that other tests and the screenshots rest on."""

from __future__ import annotations

import numpy as np

from facerec.core import adapter
from facerec.core.calibration import OperatingPoints
from facerec.core.pipeline import FacePipeline
from tests.core.facerec.conftest import small_portrait
from tests.faces import CAST, draw_face, draw_group


def test_a_portrait_is_the_same_each_time_and_any_size() -> None:
    small = draw_face(3, 1, (120, 150))
    assert small.size == (120, 150)
    np.testing.assert_array_equal(np.asarray(small), np.asarray(draw_face(3, 1, (120, 150))))
    assert np.abs(np.asarray(small).astype(int) - np.asarray(draw_face(3, 2, (120, 150)))).max() > 9


def test_the_whole_cast_is_found_and_told_apart(pipeline: FacePipeline) -> None:
    encodings = np.stack(
        [pipeline.one_face(small_portrait(seed)).encoding for seed in range(len(CAST))]
    )
    adapted = adapter.shipped()(encodings)
    threshold = OperatingPoints.load().verification_threshold().threshold
    distances = ((adapted[:, None] - adapted[None]) ** 2).sum(-1)
    assert distances[~np.eye(len(CAST), dtype=bool)].min() > threshold


def test_a_group_holds_everybody(pipeline: FacePipeline) -> None:
    faces = pipeline.analyse(draw_group([0, 1]))
    assert len(faces) == 2
    assert sorted(face.face.box.x // 480 for face in faces) == [0, 1]
