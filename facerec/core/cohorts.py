"""Error rates by group of people: are the promises kept for everyone alike?

One threshold for all may mean different error rates for groups that a label tells apart (an age
band, a camera, an office). FMR within a group, between its own people, as NIST reports it (Grother
et al. 2019, NISTIR 8280): strangers who are alike are the hard ones. Free of torch and dlib.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from facerec.core.calibration import RULE_OF_30, RULE_OF_THREE, Interval, OperatingPoints, numbers
from facerec.core.error_rates import LabelledSet, error_rates

MOST_VALUES = 24
"""A column with more different values is no grouping but a name or an id."""

Labels = Mapping[str, Mapping[str, str]]
"""person -> column -> value."""

_CURVES = ("fmr", "fmr_low", "fmr_high", "fnmr", "fnmr_low", "fnmr_high")


@dataclass(frozen=True, slots=True)
class Cohort:
    """The people with one value in one column, and their error rates at the thresholds of the
    whole set's operating points, (T,) each; empty where there is nobody to measure one on."""

    column: str
    value: str
    people: int
    genuine_people: int
    images: int
    person_pairs: int
    fmr: tuple[float, ...]
    fmr_low: tuple[float, ...]
    fmr_high: tuple[float, ...]
    fnmr: tuple[float, ...]
    fnmr_low: tuple[float, ...]
    fnmr_high: tuple[float, ...]

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        return cls(**{**raw, **{name: tuple(raw[name]) for name in _CURVES}})

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Rate(NamedTuple):
    """An error rate of a cohort. trials: what it was measured on. enough: whether these can tell;
    where not, the rate is no ground for a comparison."""

    rate: float
    interval: Interval
    trials: int
    enough: bool


class CohortRow(NamedTuple):
    """A cohort at one threshold. fmr, fnmr: None where there is nobody to measure it on."""

    value: str
    people: int
    images: int
    fmr: Rate | None
    fnmr: Rate | None


class Spread(NamedTuple):
    """The worst over the best rate of the cohorts that can tell; infinite where the best is 0."""

    worst: str
    best: str
    ratio: float


class CohortTable(NamedTuple):
    column: str
    rows: tuple[CohortRow, ...]
    fmr: Spread | None
    fnmr: Spread | None


def measure_cohorts(
    labelled: LabelledSet, labels: Labels, points: OperatingPoints
) -> Iterator[Cohort]:
    """Every cohort of every column that groups people: at least two values, at most 24. People
    without a value in a column belong to none of its cohorts."""
    thresholds = np.array(points.threshold)
    for column, groups in _groups(labelled.names, labels).items():
        for value, people in groups.items():
            part = labelled.only(people)
            fmr, fnmr = error_rates(part, thresholds)
            bands = (*fmr, *fnmr)
            curves = [numbers(band) if np.isfinite(band).all() else () for band in bands]
            yield Cohort(
                column=column,
                value=value,
                people=len(part.names),
                genuine_people=part.genuine_people,
                images=len(part.person),
                person_pairs=part.person_pairs,
                **dict(zip(_CURVES, curves, strict=True)),
            )


def _groups(names: tuple[str, ...], labels: Labels) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name in names:
        for column, value in labels.get(name, {}).items():
            if value.strip():
                found[column][value.strip()].append(name)
    return {
        column: dict(sorted(groups.items()))
        for column, groups in sorted(found.items())
        if 2 <= len(groups) <= MOST_VALUES
    }


def cohort_tables(cohorts: list[Cohort], points: OperatingPoints, fmr: float) -> list[CohortTable]:
    """A table a column, at the threshold where the whole set has this FMR."""
    columns: dict[str, list[Cohort]] = defaultdict(list)
    for cohort in cohorts:
        columns[cohort.column].append(cohort)
    return [
        _table(column, [_row(cohort, points, fmr) for cohort in members])
        for column, members in columns.items()
    ]


def _row(cohort: Cohort, points: OperatingPoints, fmr: float) -> CohortRow:
    wanted, levels = np.log(max(fmr, points.fmr[0])), np.log(points.fmr)

    def rate(name: str, trials: int, needed: float) -> Rate | None:
        curves = [getattr(cohort, f"{name}{end}") for end in ("", "_low", "_high")]
        if not all(curves):
            return None
        value, low, high = (float(np.interp(wanted, levels, curve)) for curve in curves)
        return Rate(value, Interval(low, high), trials, trials >= needed)

    return CohortRow(
        value=cohort.value,
        people=cohort.people,
        images=cohort.images,
        fmr=rate("fmr", cohort.person_pairs, RULE_OF_THREE / fmr),
        fnmr=rate("fnmr", cohort.genuine_people, RULE_OF_30),
    )


def _table(column: str, rows: list[CohortRow]) -> CohortTable:
    return CohortTable(
        column,
        tuple(rows),
        _spread([(row.value, row.fmr) for row in rows]),
        _spread([(row.value, row.fnmr) for row in rows]),
    )


def _spread(rates: list[tuple[str, Rate | None]]) -> Spread | None:
    telling = [(rate.rate, value) for value, rate in rates if rate is not None and rate.enough]
    if len(telling) < 2:
        return None
    (best, best_value), (worst, worst_value) = min(telling), max(telling)
    if worst == 0:
        return Spread(worst_value, best_value, 1.0)
    return Spread(worst_value, best_value, worst / best if best else float("inf"))
