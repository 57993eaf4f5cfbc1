"""A DET curve as SVG: both error rates on normal-deviate axes, where normal scores are straight.

Source: Martin et al. 1997, The DET curve in assessment of detection task performance.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from statistics import NormalDist

import numpy as np

from facerec.core.metrics import Curve

_FMR_TICKS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
_FNMR_TICKS = (2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 1e-1, 2e-1, 4e-1)
_COLOURS = ("#0b6e4f", "#b3541e", "#3b5ba9", "#8a3f8f", "#6b6b6b")
_WIDTH, _HEIGHT = 640, 460
_LEFT, _TOP, _RIGHT, _BOTTOM = 76, 24, 616, 396


def _deviate(rate: float) -> float:
    return NormalDist().inv_cdf(min(max(rate, 1e-9), 1 - 1e-9))


def _x(fmr: float) -> float:
    low, high = _deviate(_FMR_TICKS[0]), _deviate(_FMR_TICKS[-1])
    return _LEFT + (_RIGHT - _LEFT) * (_deviate(fmr) - low) / (high - low)


def _y(fnmr: float) -> float:
    low, high = _deviate(_FNMR_TICKS[0]), _deviate(_FNMR_TICKS[-1])
    return _BOTTOM - (_BOTTOM - _TOP) * (_deviate(fnmr) - low) / (high - low)


def det_svg(curves: Mapping[str, Curve], title: str = "Detection error trade-off") -> str:
    """One line a curve, named in the legend: FMR 1e-5 to 0.1 across, FNMR 0.2 % to 40 % up."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        'font-family="system-ui, sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        *(_vertical(tick) for tick in _FMR_TICKS),
        *(_horizontal(tick) for tick in _FNMR_TICKS),
        f'<text x="{(_LEFT + _RIGHT) / 2}" y="{_BOTTOM + 44}" text-anchor="middle">'
        "false match rate</text>",
        f'<text transform="translate(18 {(_TOP + _BOTTOM) / 2}) rotate(-90)" '
        'text-anchor="middle">false non-match rate</text>',
    ]
    for number, (name, curve) in enumerate(curves.items()):
        colour, y = _COLOURS[number % len(_COLOURS)], _TOP + 22 + 20 * number
        parts += [
            f'<path d="{_path(curve)}" fill="none" stroke="{colour}" stroke-width="2"/>',
            f'<path d="M{_RIGHT - 250} {y - 4}h24" stroke="{colour}" stroke-width="2"/>',
            f'<text x="{_RIGHT - 220}" y="{y}">{escape(name)}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def _vertical(tick: float) -> str:
    x = _x(tick)
    return (
        f'<path d="M{x:.1f} {_TOP}V{_BOTTOM}" stroke="#ddd"/>'
        f'<text x="{x:.1f}" y="{_BOTTOM + 20}" text-anchor="middle">{tick:g}</text>'
    )


def _horizontal(tick: float) -> str:
    y = _y(tick)
    return (
        f'<path d="M{_LEFT} {y:.1f}H{_RIGHT}" stroke="#ddd"/>'
        f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{100 * tick:g} %</text>'
    )


def _path(curve: Curve) -> str:
    """The part of a curve that lies in the frame."""
    inside = (
        (curve.fmr >= _FMR_TICKS[0])
        & (curve.fmr <= _FMR_TICKS[-1])
        & (curve.fnmr >= _FNMR_TICKS[0])
        & (curve.fnmr <= _FNMR_TICKS[-1])
    )
    points = np.flatnonzero(inside)
    steps = (f"{_x(curve.fmr[i]):.1f} {_y(curve.fnmr[i]):.1f}" for i in points)
    return "".join(f"{'L' if n else 'M'}{step}" for n, step in enumerate(steps))
