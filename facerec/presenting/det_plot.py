"""Where a DET curve lies on the page: both axes on the normal deviate, so that a curve from two
normal distributions is a straight line. Source: Martin et al. 1997, The DET curve.

Positions are in per cent of the plot, x to the right and y down.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

from facerec.core.calibration import RULE_OF_30, OperatingPoint, OperatingPoints

_deviate = NormalDist().inv_cdf
_SMALLEST, _LARGEST = 1e-9, 0.98
_SHARES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class Axis:
    """From one rate to another, on the normal deviate."""

    low: float
    high: float

    def at(self, rate: float) -> float:
        """0 at `low`, 100 at `high`; beyond them it stays there."""
        first, last = _deviate(self.low), _deviate(self.high)
        bounded = min(max(rate, self.low), self.high)
        return 100 * (_deviate(bounded) - first) / (last - first)

    def holds(self, rate: float) -> bool:
        return self.low <= rate <= self.high


@dataclass(frozen=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True)
class DetPlot:
    """curve, band: SVG paths in a box of 100 by 100. few: left of this the set showed fewer than 30
    false matches. points: what a script needs to read the curve."""

    curve: str
    band: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    few: float
    marker: tuple[float, float]
    points: list[dict[str, float]]

    @property
    def nearest(self) -> int:
        """Which of the points lies nearest to the marker."""
        return min(range(len(self.points)), key=lambda i: abs(self.points[i]["x"] - self.marker[0]))

    @property
    def last(self) -> int:
        return len(self.points) - 1


def det_plot(points: OperatingPoints, point: OperatingPoint) -> DetPlot:
    """The curve of these operating points, marked at one of them."""
    x = Axis(max(points.fmr[0] * 0.8, _SMALLEST), min(points.fmr[-1] * 1.15, 0.5))
    lowest = max(min(points.fnmr_low) * 0.8, 5e-4)
    y = Axis(lowest, min(max(*points.fnmr_high, 2 * lowest) * 1.1, _LARGEST))
    curve = [
        (x.at(fmr), 100 - y.at(fnmr)) for fmr, fnmr in zip(points.fmr, points.fnmr, strict=True)
    ]
    outer = zip(points.fmr_high, points.fnmr_high, strict=True)
    inner = zip(points.fmr_low, points.fnmr_low, strict=True)
    band = [(x.at(fmr), 100 - y.at(fnmr)) for fmr, fnmr in outer]
    band += reversed([(x.at(fmr), 100 - y.at(fnmr)) for fmr, fnmr in inner])
    return DetPlot(
        curve=_path(curve),
        band=f"{_path(band)}Z",
        x_ticks=[
            Tick(x.at(10.0**-decade), _count(10**decade))
            for decade in range(9, 0, -1)
            if x.holds(10.0**-decade)
        ],
        y_ticks=[Tick(100 - y.at(share), f"{100 * share:g} %") for share in _ticks(y)],
        few=x.at(RULE_OF_30 / points.calibration_set.person_pairs),
        marker=(x.at(point.fmr), 100 - y.at(point.fnmr)),
        points=[
            {"x": round(at_x, 3), "y": round(at_y, 3), "fmr": fmr, "fnmr": fnmr, "tau": tau}
            for (at_x, at_y), fmr, fnmr, tau in zip(
                curve, points.fmr, points.fnmr, points.threshold, strict=True
            )
        ],
    )


def _ticks(axis: Axis) -> list[float]:
    """Round shares, far enough apart to be read."""
    kept: list[float] = []
    for share in _SHARES:
        if axis.holds(share) and (not kept or axis.at(share) - axis.at(kept[-1]) > 6):
            kept.append(share)
    return kept


def _path(places: list[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{at_x:.2f} {at_y:.2f}" for at_x, at_y in places)


def _count(number: int) -> str:
    for size, unit in ((10**9, "bn"), (10**6, "m"), (10**3, "k")):
        if number >= size:
            return f"{number // size} {unit}"
    return str(number)
