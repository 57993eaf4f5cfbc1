"""False match and non-match rates over every pair of a labelled set, with intervals that know that
pairs share people.

Pairs of people weigh alike, and so do people, however many photos they have: otherwise a few who
were photographed often would decide. One row of distances is in memory at a time. Terms: ISO/IEC
19795-1. Free of torch and dlib.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from facerec.core.distance import squared_distance
from facerec.core.types import Encoding

Floats = NDArray[np.floating[Any]]
Dissimilarity = Callable[[Encoding, Encoding], Floats]
"""probe (128,), others (K, 128) -> (K,): smaller is more alike."""

ROUNDS = 200
_Z = 1.959964  # 95 %, two-sided
_BINS = 1 << 16


class Band(NamedTuple):
    """Rates at some thresholds and their 95 % intervals, (T,) each."""

    rate: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


class ErrorRates(NamedTuple):
    """fmr, fnmr at the thresholds; where there is nobody to measure one on, it is NaN."""

    fmr: Band
    fnmr: Band


class Row(NamedTuple):
    """One photo's dissimilarities to the later ones: (K,), the person's index and the others'."""

    person: int
    others: NDArray[np.intp]
    dissimilarity: Floats


@dataclass(frozen=True, eq=False)
class LabelledSet:
    """Encodings (N, 128) and who each shows, (N,) indices from 0.

    fold: of each photo. Only photos of one fold are compared: where each fold was encoded by an
    encoder that was trained on the others, encodings of two folds have nothing in common.
    """

    encodings: Encoding
    person: NDArray[np.intp]
    fold: NDArray[np.intp]
    names: tuple[str, ...]
    dissimilarity: Dissimilarity = squared_distance

    @classmethod
    def of(
        cls,
        encodings: Encoding,
        people: Sequence[str],
        *,
        folds: Sequence[int] | None = None,
        dissimilarity: Dissimilarity = squared_distance,
    ) -> Self:
        """Raises ValueError where a person's photos lie in several folds."""
        names, person = np.unique(np.asarray(people, dtype=str), return_inverse=True)
        fold = np.zeros(len(person), np.intp) if folds is None else np.asarray(folds, np.intp)
        if len(set(zip(person.tolist(), fold.tolist(), strict=True))) != len(names):
            raise ValueError("the photos of one person lie in several folds")
        order = np.argsort(fold, kind="stable")
        return cls(
            np.asarray(encodings)[order], person[order], fold[order], tuple(names), dissimilarity
        )

    def only(self, people: Sequence[str]) -> LabelledSet:
        """The part of the set that shows these people."""
        chosen = np.isin(self.person, np.flatnonzero(np.isin(self.names, list(people))))
        kept, person = np.unique(self.person[chosen], return_inverse=True)
        names = tuple(self.names[index] for index in kept)
        return LabelledSet(
            self.encodings[chosen], person, self.fold[chosen], names, self.dissimilarity
        )

    @cached_property
    def photos(self) -> NDArray[np.int64]:
        """How many photos each person has, (P,)."""
        return np.bincount(self.person, minlength=len(self.names))

    @cached_property
    def folds(self) -> NDArray[np.bool_]:
        """(F, P): which people each fold holds."""
        of_person = np.zeros(len(self.names), np.intp)
        of_person[self.person] = self.fold
        return np.equal.outer(np.unique(of_person), of_person)

    @property
    def genuine_people(self) -> int:
        """People with at least two photos."""
        return int((self.photos > 1).sum())

    @property
    def person_pairs(self) -> int:
        return int(_pairs_of(self.folds, np.ones((1, len(self.names))))[0])

    @property
    def genuine_pairs(self) -> int:
        return int((self.photos * (self.photos - 1) // 2).sum())

    @property
    def impostor_pairs(self) -> int:
        of_fold = np.bincount(self.fold)
        return int((of_fold * (of_fold - 1) // 2).sum()) - self.genuine_pairs

    def rows(self) -> Iterator[Row]:
        ends = np.searchsorted(self.fold, self.fold, side="right")
        for i, end in enumerate(ends):
            if i + 1 < end:
                others = self.encodings[i + 1 : end]
                row = np.asarray(self.dissimilarity(self.encodings[i], others))
                yield Row(int(self.person[i]), self.person[i + 1 : end], row)


def thresholds_at(labelled: LabelledSet, fmr: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest thresholds at which at most each share of the impostors is accepted.

    fmr: rising, at most 0.5. From a histogram of 65,536 bins between the nearest impostors and
    about their median, so each is right to a hundred-thousandth of that range, never above.
    """
    low, high = _range_of_impostors(labelled)
    width = (high - low) / _BINS or 1e-12
    weight = np.zeros(_BINS + 1)  # the last bin takes what lies beyond
    for row in labelled.rows():
        other = row.others != row.person
        bins = np.clip((row.dissimilarity[other] - low) / width, 0, _BINS).astype(np.intp)
        weights = 1 / (labelled.photos[row.person] * labelled.photos[row.others[other]])
        weight += np.bincount(bins, weights, minlength=_BINS + 1)
    share = np.cumsum(weight) / weight.sum()  # share[k]: below the upper edge of bin k
    edge = np.searchsorted(share, fmr * (1 + 1e-12), side="right")
    return np.asarray(low + width * edge, np.float64)


def _range_of_impostors(labelled: LabelledSet) -> tuple[float, float]:
    """The smallest dissimilarity of two people, and a little more than a median of the row
    medians, below which more than half of all lie."""
    lowest, medians = np.inf, []
    for row in labelled.rows():
        impostors = row.dissimilarity[row.others != row.person]
        if len(impostors):
            lowest = min(lowest, float(impostors.min()))
            medians.append(float(np.median(impostors)))
    return lowest, float(np.quantile(medians, 0.9))


def error_rates(labelled: LabelledSet, thresholds: NDArray[np.float64]) -> ErrorRates:
    """FMR and FNMR at rising thresholds (T,).

    The intervals are the wider of two: the bootstrap over people (200 draws, all at once) and
    Wilson's for as many independent trials as there are pairs of people, or people with two
    photos. The first knows that pairs share people, the second that none seen is not none.
    Source: Bolle et al. 2004, Error analysis of pattern recognition systems: the subsets bootstrap.
    """
    draws = _draws(len(labelled.names))
    matches = np.zeros((len(draws), len(thresholds)))
    rejected = np.zeros((len(labelled.names), len(thresholds)))
    for row in labelled.rows():
        same = row.others == row.person
        for distance in row.dissimilarity[same]:
            rejected[row.person] += distance > thresholds
        near = ~same & (row.dissimilarity <= thresholds[-1])
        if near.any():
            others = row.others[near]
            first = np.searchsorted(thresholds, row.dissimilarity[near])
            hits = np.zeros((len(others), len(thresholds)), np.float32)
            hits[np.arange(len(others)), first] = 1 / labelled.photos[others]
            found = draws[:, others] @ hits / labelled.photos[row.person]
            matches += draws[:, row.person, None] * found
    comparisons = _pairs_of(labelled.folds, draws.astype(np.float64))
    genuine = np.flatnonzero(labelled.photos > 1)
    of_photos = labelled.photos[genuine, None]
    missed = rejected[genuine] / (of_photos * (of_photos - 1) / 2)
    drawn = draws[:, genuine].astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return ErrorRates(
            _band(np.cumsum(matches, axis=1) / comparisons[:, None], labelled.person_pairs),
            _band(drawn @ missed / drawn.sum(axis=1)[:, None], len(genuine)),
        )


def _draws(people: int) -> NDArray[np.float32]:
    """How often each person counts, (1 + ROUNDS, people): once, then as drawn."""
    rng = np.random.default_rng(0)
    drawn = [np.bincount(rng.integers(0, people, people), minlength=people) for _ in range(ROUNDS)]
    return np.stack([np.ones(people), *drawn]).astype(np.float32)


def _pairs_of(folds: NDArray[np.bool_], draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pairs of two people within a fold, (R,), for counts of people (R, P)."""
    once, squared = draws @ folds.T, (draws * draws) @ folds.T
    return np.asarray((once * once - squared).sum(axis=1) / 2)


def _band(rates: NDArray[np.float64], trials: int) -> Band:
    """rates: (1 + ROUNDS, T), the first row the rate itself."""
    rate, drawn = rates[0], rates[1:]
    if not trials:
        nothing = np.full(rates.shape[1], np.nan)
        return Band(nothing, nothing, nothing)
    low, high = wilson(rate, trials)
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    if len(drawn):
        bootstrapped = np.quantile(drawn, [0.025, 0.975], axis=0)
        low, high = np.minimum(low, bootstrapped[0]), np.maximum(high, bootstrapped[1])
    return Band(rate, low, high)


def wilson(
    rate: NDArray[np.float64], trials: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A 95 % interval for a share of independent trials. Source: Wilson 1927."""
    spread = _Z * _Z / trials
    centre = rate + spread / 2
    half = np.sqrt(spread * (rate * (1 - rate) + spread / 4))
    low, high = (centre - half) / (1 + spread), (centre + half) / (1 + spread)
    return np.clip(low, 0, rate), np.clip(high, rate, 1)
