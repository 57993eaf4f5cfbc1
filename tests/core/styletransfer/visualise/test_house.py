"""There are enough pictures of the house's own, the same every time, and faces among them."""

from __future__ import annotations

import subprocess
import sys
from statistics import fmean

import numpy as np
import pytest

from facerec.core.detector import HogDetector
from styletransfer.core.visualise.house import house_pictures


def test_there_are_many_and_none_is_there_twice():
    pictures = house_pictures("lite")
    assert len(pictures) >= 72
    assert [p.title for p in pictures] == [p.title for p in house_pictures("vgg19")]
    patterns = [p.draw() for p in pictures[-25:]]
    assert len({image.tobytes() for image in patterns}) == len(patterns)
    for image in patterns:
        assert image.mode == "RGB"
        assert image.size == (256, 256)
        assert fmean(np.asarray(image).std((0, 1))) > 5  # there is something to see


@pytest.mark.parametrize("index", [0, 1])
def test_a_scene_and_its_pieces_are_drawn_the_same_each_time(index):
    picture = house_pictures("lite")[16 + index]
    first, again = picture.draw(), picture.draw()
    assert first.tobytes() == again.tobytes()
    assert max(first.size) == 256


def test_the_drawn_people_have_faces():
    people = house_pictures("face")
    assert len(people) >= 30
    detector = HogDetector()
    assert all(len(detector.detect(person.draw())) == 1 for person in people[:4])


def test_no_torch_is_needed_to_draw_them():
    code = "import sys, styletransfer.core.visualise.house; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
