"""How well an encoder tells people apart: error rates, with intervals that know that pairs share
people. Terms: ISO/IEC 19795-1; FAR and TAR are FMR and 1 - FNMR, as the face literature has them.

Distances are dissimilarities: smaller is more alike. A comparison is accepted where its distance
is at most the threshold. Free of torch, dlib and Django.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facerec.core.types import Encoding

Floats = NDArray[np.floating[Any]]
Multiplicity = NDArray[np.floating[Any]]
"""How often each person counts, (people,): the bootstrap's draws."""


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Distances of every pair of a labelled set, each kind rising.

    genuine (G,): pairs of one person; genuine_person (G,): whose, as index. impostor (I,): pairs
    of two people; impostor_people (I, 2). people: how many there are, photos (people,): how many
    photos each has.
    """

    genuine: NDArray[np.float32]
    impostor: NDArray[np.float32]
    genuine_person: NDArray[np.int32]
    impostor_people: NDArray[np.int32]
    photos: NDArray[np.int64]

    @property
    def people(self) -> int:
        return len(self.photos)

    def weights(
        self, multiplicity: Multiplicity | None = None, *, by_person: bool = False
    ) -> tuple[Floats, Floats]:
        """Weights of the genuine and of the impostor pairs, (G,) and (I,).

        multiplicity: counts of the people in a bootstrap draw. A pair of one person then counts
        as often as the person, a pair of two as often as their product. by_person: pairs of
        people weigh alike, however many photos each has.
        """
        counts = np.ones(self.people) if multiplicity is None else np.asarray(multiplicity)
        each = counts / self.photos if by_person else counts
        first, second = self.impostor_people.T
        genuine = counts[self.genuine_person]
        if by_person:
            photos = self.photos[self.genuine_person].astype(np.float64)
            genuine = genuine / (photos * (photos - 1) / 2)
        return genuine, each[first] * each[second]


def genuine_impostor(encodings: Encoding, people: Sequence[str]) -> Scores:
    """Squared L2 of every pair of photos. encodings: (N, 128). people: N names."""
    _, person, photos = np.unique(np.asarray(people), return_inverse=True, return_counts=True)
    person = person.astype(np.int32)
    distances, firsts, seconds = [], [], []
    for i in range(len(encodings) - 1):
        difference = encodings[i + 1 :] - encodings[i]
        distances.append(np.einsum("kd,kd->k", difference, difference).astype(np.float32))
        firsts.append(np.full(len(difference), person[i]))
        seconds.append(person[i + 1 :])
    distance = np.concatenate(distances or [np.empty(0, np.float32)])
    pairs = np.stack(
        [np.concatenate(side or [np.empty(0, np.int32)]) for side in (firsts, seconds)], axis=1
    )
    order = np.argsort(distance, kind="stable")
    distance, pairs = distance[order], pairs[order]
    same = pairs[:, 0] == pairs[:, 1]
    return Scores(distance[same], distance[~same], pairs[same, 0], pairs[~same], photos)


def _weights(values: Floats, weights: Floats | None) -> NDArray[np.float64]:
    return np.ones(len(values)) if weights is None else np.asarray(weights, dtype=np.float64)


def threshold_at_far(impostor: Floats, far: float, weights: Floats | None = None) -> float:
    """The bound below which (strictly) at most a share `far` of the impostors lies; infinite
    where far is 1. Raises ValueError without impostors."""
    if not len(impostor):
        raise ValueError("no impostor pairs: a false accept rate has no meaning")
    order = np.argsort(impostor, kind="stable")
    share = np.cumsum(_weights(impostor, weights)[order])
    above = int(np.searchsorted(share, far * share[-1] * (1 + 1e-12), side="right"))
    return float(impostor[order[above]]) if above < len(impostor) else float("inf")


def tar_at_far(
    genuine: Floats,
    impostor: Floats,
    far: float,
    *,
    genuine_weights: Floats | None = None,
    impostor_weights: Floats | None = None,
) -> float:
    """The share of genuine pairs accepted at the largest threshold at which at most a share `far`
    of the impostors is. A pair that was refused has an infinite distance: never accepted."""
    accepted = np.asarray(genuine) < threshold_at_far(impostor, far, impostor_weights)
    return float(np.average(accepted, weights=_weights(genuine, genuine_weights)))


class Curve(NamedTuple):
    """Error rates by threshold, (T,) each, thresholds rising: accepted is d <= threshold."""

    threshold: NDArray[np.float64]
    fmr: NDArray[np.float64]
    fnmr: NDArray[np.float64]


def det_curve(
    genuine: Floats,
    impostor: Floats,
    *,
    genuine_weights: Floats | None = None,
    impostor_weights: Floats | None = None,
    points: int = 400,
) -> Curve:
    """The detection error trade-off, at thresholds spread evenly over the logarithm of the FMR.

    Source: Martin et al. 1997, The DET curve. Raises ValueError where either kind is missing.
    """
    if not len(genuine) or not len(impostor):
        raise ValueError("a DET curve takes genuine and impostor pairs")
    order = np.argsort(impostor, kind="stable")
    distance = np.asarray(impostor, np.float64)[order]
    share = np.cumsum(_weights(impostor, impostor_weights)[order])
    share /= share[-1]
    lowest = max(float(share[0]), 1e-12)
    wanted = np.geomspace(lowest, 1, points) if lowest < 1 else np.ones(1)
    threshold = np.unique(distance[np.minimum(np.searchsorted(share, wanted), len(share) - 1)])
    fmr = share[np.searchsorted(distance, threshold, side="right") - 1]
    return Curve(threshold, fmr, 1 - _share_at(genuine, threshold, genuine_weights))


def roc(genuine: Floats, impostor: Floats, points: int = 400) -> tuple[Floats, Floats]:
    """(FAR, TAR), rising: the DET curve's numbers the other way up."""
    curve = det_curve(genuine, impostor, points=points)
    return curve.fmr, 1 - curve.fnmr


def _share_at(
    values: Floats, thresholds: NDArray[np.float64], weights: Floats | None
) -> NDArray[np.float64]:
    """The share of the weight at or below each threshold."""
    order = np.argsort(values, kind="stable")
    share = np.concatenate([[0.0], np.cumsum(_weights(values, weights)[order])])
    below = np.searchsorted(np.asarray(values, np.float64)[order], thresholds, side="right")
    return np.asarray(share[below] / share[-1])


def equal_error_rate(curve: Curve) -> float:
    """Where FMR and FNMR cross: the mean of the two at the nearest threshold."""
    nearest = int(np.argmin(np.abs(curve.fmr - curve.fnmr)))
    return float(curve.fmr[nearest] + curve.fnmr[nearest]) / 2


def d_prime(genuine: Floats, impostor: Floats) -> float:
    """How far apart the two kinds lie, in pooled standard deviations: |m1 - m2| over the root of
    the mean variance. Infinite distances (refused pairs) are left out.

    Source: Green and Swets 1966, signal detection theory.
    """
    g, i = (np.asarray(kind, np.float64)[np.isfinite(kind)] for kind in (genuine, impostor))
    return float(abs(g.mean() - i.mean()) / np.sqrt((g.var() + i.var()) / 2))


@dataclass(frozen=True, slots=True)
class FoldAccuracy:
    """Accuracy per fold at the threshold that was best on the other folds."""

    folds: tuple[float, ...]
    thresholds: tuple[float, ...]

    @property
    def mean(self) -> float:
        return float(np.mean(self.folds))

    @property
    def standard_error(self) -> float:
        """Of the mean, over folds (LFW's protocol)."""
        return float(np.std(self.folds, ddof=1) / np.sqrt(len(self.folds)))


def k_fold_accuracy(
    distances: Floats, same: NDArray[np.bool_], folds: NDArray[np.integer[Any]]
) -> FoldAccuracy:
    """LFW's protocol: each fold's pairs decided at the threshold best on the others.

    distances, same, folds: (P,). An infinite distance is a refused pair, which is not accepted:
    right where it was of two people, wrong where it was of one. Source: Huang et al. 2007.
    Raises ValueError for fewer than two folds.
    """
    distances, same = np.asarray(distances), np.asarray(same, bool)
    names = np.unique(folds)
    if len(names) < 2:
        raise ValueError("k-fold accuracy takes at least two folds")
    accuracies, thresholds = [], []
    for fold in names:
        test = folds == fold
        threshold = best_threshold(distances[~test], same[~test])
        thresholds.append(threshold)
        accuracies.append(float(((distances[test] <= threshold) == same[test]).mean()))
    return FoldAccuracy(tuple(accuracies), tuple(thresholds))


def best_threshold(distances: Floats, same: NDArray[np.bool_]) -> float:
    """The threshold with the most right decisions, half way between two distances; the middle one
    of several that are equally good."""
    order = np.argsort(distances, kind="stable")
    d, s = np.asarray(distances, np.float64)[order], same[order]
    # Accepting the k nearest gets right: the genuine among them, the impostors beyond.
    right = np.concatenate([[0], np.cumsum(s)]) + (~s).sum() - np.concatenate([[0], np.cumsum(~s)])
    edges = np.concatenate([[d[0] - 1e-6], (d[:-1] + d[1:]) / 2, [d[-1]]])
    parted = np.concatenate([[True], d[:-1] < d[1:], [True]]) & np.isfinite(edges)
    best = np.flatnonzero(parted & (right == right[parted].max()))
    return float(edges[best[len(best) // 2]])


class Interval(NamedTuple):
    low: float
    high: float


def bootstrap_by_person(
    people: int,
    statistic: Callable[[Multiplicity], float],
    *,
    rounds: int = 200,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """A percentile interval over draws of *people* with replacement, as pairs share people and are
    not independent. statistic: from how often each person was drawn, (people,), to a number; a
    draw for which it is not finite is left out.

    Source: Bolle et al. 2004, the subsets bootstrap; Efron 1979.
    """
    rng = np.random.default_rng(seed)
    drawn = (
        np.bincount(rng.integers(0, people, people), minlength=people).astype(np.float64)
        for _ in range(rounds)
    )
    values = np.array([statistic(multiplicity) for multiplicity in drawn])
    values = values[np.isfinite(values)]
    if not len(values):
        return Interval(float("nan"), float("nan"))
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


@dataclass(frozen=True, slots=True)
class IdentificationRow:
    """What a threshold does in a gallery. Of `known` probes (enrolled people): right, wrong (taken
    for another) and missed. Of `strangers`: accepted (taken for somebody). Counts."""

    threshold: float
    enrolled: int
    known: int
    right: int
    wrong: int
    missed: int
    strangers: int
    accepted: int


class Nearest(NamedTuple):
    """Of each probe: the distance to the nearest template and its person's index, (P,) each."""

    distance: NDArray[np.float32]
    person: NDArray[np.int64]


def nearest(probes: Encoding, gallery: Encoding, people: NDArray[np.integer[Any]]) -> Nearest:
    """probes (P, 128), gallery (K, 128), people (K,) -> the nearest of each probe."""
    distance, person = np.empty(len(probes), np.float32), np.empty(len(probes), np.int64)
    for row, probe in enumerate(probes):
        difference = gallery - probe
        all_distances = np.einsum("kd,kd->k", difference, difference)
        best = int(all_distances.argmin())
        distance[row], person[row] = all_distances[best], people[best]
    return Nearest(distance, person)


def identification_table(
    known: Nearest,
    known_people: NDArray[np.integer[Any]],
    strangers: Nearest,
    enrolled: int,
    thresholds: Sequence[float],
) -> list[IdentificationRow]:
    """One row a threshold. known, strangers: the nearest templates of probes whose person is, and
    is not, enrolled. known_people: (P,), who each known probe is. enrolled: the gallery's K."""
    own = known.person == known_people
    rows = []
    for threshold in thresholds:
        accepted = known.distance <= threshold
        right, wrong = int((accepted & own).sum()), int((accepted & ~own).sum())
        rows.append(
            IdentificationRow(
                threshold=float(threshold),
                enrolled=enrolled,
                known=len(own),
                right=right,
                wrong=wrong,
                missed=len(own) - right - wrong,
                strangers=len(strangers.distance),
                accepted=int((strangers.distance <= threshold).sum()),
            )
        )
    return rows
