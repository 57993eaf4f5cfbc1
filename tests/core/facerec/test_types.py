from __future__ import annotations

import subprocess
import sys

import pytest

from facerec.core.types import Box, DetectedFace, Quality, Reason

TORCH_FREE = (
    "types",
    "errors",
    "versions",
    "distance",
    "matcher",
    "calibration",
    "cohorts",
    "quality",
)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_tells_a_person_what_to_do(reason: Reason) -> None:
    assert reason.sentence.endswith(".")
    assert len(reason.sentence.split(". ")) >= 2  # what is wrong, and what to do


def test_box_edges_and_area() -> None:
    box = Box(x=-2, y=3, w=10, h=20)
    assert (box.right, box.bottom, box.area) == (8, 23, 200)


def test_eye_distance_is_between_the_eyes_centres() -> None:
    landmarks = ((50.0, 10.0), (40.0, 10.0), (0.0, 10.0), (10.0, 10.0), (25.0, 30.0))
    assert DetectedFace(Box(0, 0, 60, 60), landmarks, 1.0).eye_distance == pytest.approx(40)


def test_quality_as_dict_has_every_measure() -> None:
    quality = Quality(80.0, 30.0, 0.3, 0.5, 0.2)
    assert quality.as_dict() == {
        "face_width": 80.0,
        "eye_distance": 30.0,
        "sharpness": 0.3,
        "brightness": 0.5,
        "contrast": 0.2,
        "highlights": 0.0,
        "yaw": 0.0,
        "pitch": 0.0,
        "roll": 0.0,
        "confidence": 1.0,
    }


def test_what_the_web_process_imports_loads_neither_torch_nor_dlib_nor_django() -> None:
    imports = "; ".join(f"import facerec.core.{name}" for name in TORCH_FREE)
    code = (
        f"import sys; {imports}; print(*sorted({{'torch', 'dlib', 'django'}} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""
