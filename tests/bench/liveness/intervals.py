"""Shares of independent trials, with exact intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Share:
    """count of n trials, with the 95 % interval; NaN where there were none."""

    count: int
    n: int

    @property
    def value(self) -> float:
        return self.count / self.n if self.n else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        return clopper_pearson(self.count, self.n) if self.n else (math.nan, math.nan)

    def __str__(self) -> str:
        if not self.n:
            return "–"
        low, high = self.interval
        return f"{100 * self.value:.1f} % [{100 * low:.1f} {100 * high:.1f}]"

    def as_json(self) -> dict[str, Any]:
        low, high = (None if math.isnan(end) else round(end, 5) for end in self.interval)
        value = None if math.isnan(self.value) else round(self.value, 5)
        return {"count": self.count, "n": self.n, "share": value, "low": low, "high": high}


def clopper_pearson(count: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The two-sided interval that covers the true share at least as often as it says, also where
    the count is 0. Source: Clopper and Pearson 1934.

    Raises ValueError unless 0 <= count <= trials and there are trials.
    """
    if not 0 <= count <= trials or not trials:
        raise ValueError(f"{count} of {trials} is no share")
    tail = (1 - confidence) / 2
    low = 0.0 if count == 0 else _root(lambda p: 1 - at_most(count - 1, trials, p) - tail)
    high = 1.0 if count == trials else _root(lambda p: tail - at_most(count, trials, p))
    return low, high


def at_most(count: int, trials: int, share: float) -> float:
    """P(X <= count) of a binomial X."""
    if share <= 0 or share >= 1:
        return float(share <= 0 or count >= trials)
    terms = (
        math.lgamma(trials + 1) - math.lgamma(i + 1) - math.lgamma(trials - i + 1)
        + i * math.log(share) + (trials - i) * math.log1p(-share)
        for i in range(count + 1)
    )  # fmt: skip
    return math.fsum(map(math.exp, terms))


def trials_for(upper: float, confidence: float = CONFIDENCE) -> int:
    """How many clean trials make the upper end of the interval no more than this."""
    return math.ceil(math.log((1 - confidence) / 2) / math.log1p(-upper))


def _root(rising: Any) -> float:
    """Where a rising function of [0, 1] is 0, by halving."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2
