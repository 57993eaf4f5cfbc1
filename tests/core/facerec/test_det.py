from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from facerec.core.det import det_svg
from facerec.core.metrics import det_curve


def test_normal_scores_are_a_straight_line() -> None:
    rng = np.random.default_rng(0)
    curve = det_curve(rng.normal(0, 1, 40_000), rng.normal(4, 1, 400_000))
    svg = det_svg({"f & g": curve})
    ElementTree.fromstring(svg)
    assert "f &amp; g" in svg
    [path] = re.findall(r'd="(M[^"]+L[^"]+)" fill="none"', svg)
    points = np.array([point.split() for point in re.split("[ML]", path)[1:]], float)
    assert len(points) > 50
    assert abs(np.corrcoef(points.T)[0, 1]) > 0.999


def test_two_curves_have_two_names() -> None:
    curve = det_curve(np.array([0.1, 0.3]), np.array([0.2, 0.4]))
    svg = det_svg({"one": curve, "two": curve})
    assert svg.count('fill="none"') == 2
    assert svg.index("one") < svg.index("two")


def test_there_is_no_curve_without_impostors() -> None:
    with pytest.raises(ValueError, match="impostor"):
        det_curve(np.array([0.1]), np.array([]))
