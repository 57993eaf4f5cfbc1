"""What came of presentations, and the rates that are counted from it.

Terms: ISO/IEC 30107-3. One presentation is one session. APCER: attacks of one species that were
accepted, of all of that species; never pooled over species. BPCER: bona fide presentations that
were taken for an attack, of all bona fide ones. Inconclusive (the norm's non-response) is neither:
such a session is not accepted, and is counted apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from facerec.core.liveness.types import Ground, Verdict
from tests.bench.liveness.intervals import Share

BONA_FIDE = "bona_fide"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one presentation.

    name: the seed or the file. passive_verdict: the verdict where the passive cues decide too.
    seconds: from the first frame to the verdict. milliseconds: the judge's, of each frame.
    """

    species: str
    name: str
    verdict: Verdict
    passive_verdict: Verdict
    grounds: tuple[Ground, ...] = ()
    seconds: float = 0.0
    frames: int = 0
    milliseconds: tuple[float, ...] = ()
    scores: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Self:
        return cls(
            **told
            | {
                "verdict": Verdict(told["verdict"]),
                "passive_verdict": Verdict(told["passive_verdict"]),
                "grounds": tuple(map(Ground, told["grounds"])),
                "milliseconds": tuple(told["milliseconds"]),
            }
        )


@dataclass(frozen=True, slots=True)
class Skipped:
    """A presentation that could not be judged at all, and why: a sentence."""

    name: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Counts:
    """The verdicts of one species, once without and once with the passive cues deciding."""

    live: Share
    not_live: Share
    inconclusive: Share

    @classmethod
    def of(cls, verdicts: Sequence[Verdict]) -> Self:
        count, n = Counter(verdicts), len(verdicts)
        order = Verdict.LIVE, Verdict.NOT_LIVE, Verdict.INCONCLUSIVE
        return cls(*(Share(count[verdict], n) for verdict in order))


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One species' line of the table."""

    species: str
    n: int
    without: Counts
    with_passive: Counts
    grounds: dict[str, int]
    seconds: tuple[float, float]
    """p50 and p95 of the sessions."""

    @classmethod
    def of(cls, species: str, outcomes: Sequence[Outcome]) -> Self:
        grounds = Counter(ground.value for outcome in outcomes for ground in set(outcome.grounds))
        return cls(
            species,
            len(outcomes),
            Counts.of([outcome.verdict for outcome in outcomes]),
            Counts.of([outcome.passive_verdict for outcome in outcomes]),
            dict(grounds.most_common()),
            percentiles([outcome.seconds for outcome in outcomes]),
        )

    @property
    def is_attack(self) -> bool:
        return self.species != BONA_FIDE

    def error(self, counts: Counts) -> Share:
        """APCER of an attack, BPCER of bona fide."""
        return counts.live if self.is_attack else counts.not_live

    def as_json(self) -> dict[str, Any]:
        """The line as it is published; `apcer` is `bpcer` for bona fide."""
        name = "apcer" if self.is_attack else "bpcer"
        return {
            "species": self.species,
            "n": self.n,
            **_counted(name, self.error(self.without), self.without),
            "with_passive_cues": _counted(name, self.error(self.with_passive), self.with_passive),
            "grounds": self.grounds,
            "seconds": {"p50": self.seconds[0], "p95": self.seconds[1]},
        }


def _counted(name: str, error: Share, counts: Counts) -> dict[str, Any]:
    told = error.as_json()
    return {
        "accepted": counts.live.count,
        "inconclusive": counts.inconclusive.count,
        name: told["share"],
        "low": told["low"],
        "high": told["high"],
    }


def rows(outcomes: Iterable[Outcome]) -> list[Row]:
    """One for each species: bona fide first, then by name."""
    by_species: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_species.setdefault(outcome.species, []).append(outcome)
    order = sorted(by_species, key=lambda species: (species != BONA_FIDE, species))
    return [Row.of(species, by_species[species]) for species in order]


def percentiles(values: Sequence[float]) -> tuple[float, float]:
    """p50 and p95, (nan, nan) of none."""
    if not values:
        return float("nan"), float("nan")
    p50, p95 = np.quantile(values, [0.5, 0.95])
    return round(float(p50), 2), round(float(p95), 2)
