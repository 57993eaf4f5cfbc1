"""Where a DET curve lies on the page."""

from __future__ import annotations

import pytest

from facerec.core.calibration import OperatingPoints
from facerec.presenting.det_plot import Axis, det_plot


def test_an_axis_is_of_normal_deviates() -> None:
    axis = Axis(0.05, 0.95)
    assert [axis.at(rate) for rate in (0.05, 0.5, 0.95)] == pytest.approx([0, 50, 100])
    assert axis.at(0.158655) == pytest.approx(50 - 50 / 1.644854, abs=1e-3)  # one deviate
    assert (axis.at(0.0), axis.at(1.0)) == (0, 100)


def test_the_marker_lies_on_the_curve_and_all_in_the_plot() -> None:
    points = OperatingPoints.load()
    point = points.verification_threshold(points.fmr[20])
    plot = det_plot(points, point)
    assert plot.nearest == 20
    assert plot.marker == pytest.approx((plot.points[20]["x"], plot.points[20]["y"]), abs=0.01)
    xs, ys = ([place[axis] for place in plot.points] for axis in "xy")
    assert xs == sorted(xs)
    assert ys == sorted(ys)  # more strangers pass, fewer are missed: y runs down
    assert min(xs + ys) >= 0
    assert max(xs + ys) <= 100
    assert plot.points[plot.last]["fmr"] == points.fmr[-1]
    assert [tick.label for tick in plot.x_ticks][-3:] == ["1 k", "100", "10"]
    assert 0 < plot.few < plot.marker[0]
