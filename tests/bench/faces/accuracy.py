"""The error rates of a set of pairs: accuracy, TAR at FAR, d', identification, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from facerec.core import metrics
from facerec.core.lfw import Pair, Photo
from facerec.core.metrics import Interval, Scores

FARS = (1e-2, 1e-3, 1e-4)
_TAIL = 0.05  # of the impostors: no threshold that is asked for lies beyond


@dataclass(frozen=True)
class Accuracy:
    """A way to compare faces, judged on pairs. `decided`: pairs with no refused photo alone;
    `all`: with the others, of which none is accepted. TARs are by FAR, of the listed pairs of one
    person; impostors are all cross pairs of the photos."""

    pairs: int
    undecided: int
    accuracy: float
    accuracy_interval: Interval
    accuracy_all: float
    standard_error: float
    tar: dict[float, float]
    tar_interval: dict[float, Interval]
    tar_all: dict[float, float]
    d_prime: float
    impostor_pairs: int
    curve: metrics.Curve

    def as_json(self) -> dict[str, Any]:
        values = {name: value for name, value in asdict(self).items() if name != "curve"}
        for name in ("tar", "tar_interval", "tar_all"):
            values[name] = {f"{far:g}": value for far, value in values[name].items()}
        return values


def judge(
    encodings: np.ndarray, photos: Sequence[Photo], pairs: Sequence[Pair], rounds: int
) -> Accuracy:
    """encodings: (N, 128), those of the accepted photos. rounds: of the bootstrap; 0 for none."""
    row = {photo: index for index, photo in enumerate(photos)}
    names, person = np.unique([photo.person for photo in photos], return_inverse=True)
    known = [pair for pair in pairs if pair.first in row and pair.second in row]
    first, second = (
        np.array([row[p] for p in side]) for side in zip(*map(_ends, known), strict=True)
    )
    difference = encodings[first] - encodings[second]
    distance = np.einsum("pd,pd->p", difference, difference)
    same, fold = (np.array([getattr(pair, field) for pair in known]) for field in ("same", "fold"))
    lost = [pair for pair in pairs if pair.first not in row or pair.second not in row]
    every = metrics.k_fold_accuracy(
        np.append(distance, np.full(len(lost), np.inf)),
        np.append(same, np.array([pair.same for pair in lost], bool)),
        np.append(fold, np.array([pair.fold for pair in lost], int)),
    )
    decided = metrics.k_fold_accuracy(distance, same, fold)
    scores = metrics.genuine_impostor(encodings, [photo.person for photo in photos])
    genuine = distance[same]
    lost_genuine = np.append(genuine, np.full(sum(pair.same for pair in lost), np.inf))
    draws = _Draws(scores, genuine, person[first[same]])
    limits = dict(zip(np.unique(fold).tolist(), decided.thresholds, strict=True))
    right = (distance <= np.array([limits[f] for f in fold.tolist()])) == same

    def accuracy(counts: np.ndarray) -> float:
        a, b = counts[person[first]], counts[person[second]]
        return float(np.average(right, weights=np.where(same, a, a * b)))

    def interval(statistic: Any) -> Interval:
        if not rounds:
            return Interval(float("nan"), float("nan"))
        return metrics.bootstrap_by_person(len(names), statistic, rounds=rounds)

    return Accuracy(
        pairs=len(pairs),
        undecided=len(lost),
        accuracy=decided.mean,
        accuracy_interval=interval(accuracy),
        accuracy_all=every.mean,
        standard_error=decided.standard_error,
        tar={far: metrics.tar_at_far(genuine, scores.impostor, far) for far in FARS},
        tar_interval={far: interval(lambda c, far=far: draws.tar(c, far)) for far in FARS},
        tar_all={far: metrics.tar_at_far(lost_genuine, scores.impostor, far) for far in FARS},
        d_prime=metrics.d_prime(genuine, scores.impostor),
        impostor_pairs=len(scores.impostor),
        curve=metrics.det_curve(genuine, scores.impostor),
    )


def _ends(pair: Pair) -> tuple[Photo, Photo]:
    return pair.first, pair.second


class _Draws:
    """TAR at FAR for people drawn with replacement; only the nearest impostors are looked at, the
    weight of all is (sum of c n)^2 less that of each person's own pairs, halved."""

    def __init__(self, scores: Scores, genuine: np.ndarray, person: np.ndarray) -> None:
        tail = int(len(scores.impostor) * _TAIL)
        self._impostor = scores.impostor[:tail]
        self._first, self._second = scores.impostor_people[:tail].T
        self._photos, self._genuine, self._person = scores.photos, genuine, person

    def tar(self, counts: np.ndarray, far: float) -> float:
        photos = counts * self._photos
        whole = (photos.sum() ** 2 - (photos**2).sum()) / 2
        share = np.cumsum(counts[self._first] * counts[self._second])
        above = int(np.searchsorted(share, far * whole, side="right"))
        weights = counts[self._person]
        if above >= len(share) or not weights.any():
            return float("nan")
        return float(np.average(self._genuine < self._impostor[above], weights=weights))


def within_folds(
    encodings: np.ndarray, people: Sequence[str], folds: np.ndarray
) -> dict[float, float]:
    """TAR at FAR over all pairs within a fold, the mean of the folds."""
    rows = []
    for fold in np.unique(folds):
        inside = np.flatnonzero(folds == fold)
        scores = metrics.genuine_impostor(encodings[inside], [people[i] for i in inside])
        rows.append([metrics.tar_at_far(scores.genuine, scores.impostor, far) for far in FARS])
    return dict(zip(FARS, np.mean(rows, axis=0).tolist(), strict=True))


def identify(
    encodings: np.ndarray, photos: Sequence[Photo], thresholds: Sequence[float], rounds: int
) -> list[dict[str, Any]]:
    """Who has two photos or more is enrolled with the first and asked about with the others; who
    has one is a stranger. Rates with intervals by person."""
    names, person = np.unique([photo.person for photo in photos], return_inverse=True)
    _, first = np.unique(person, return_index=True)
    several = np.bincount(person)[person] > 1
    enrolled = first[several[first]]
    is_known = several.copy()
    is_known[enrolled] = False
    known, strangers = np.flatnonzero(is_known), np.flatnonzero(~several)
    gallery, who = encodings[enrolled], person[enrolled]
    found = metrics.nearest(encodings[known], gallery, who)
    strange = metrics.nearest(encodings[strangers], gallery, who)
    table = metrics.identification_table(found, person[known], strange, len(who), thresholds)
    rows = []
    for row in table:
        taken = found.distance <= row.threshold
        kinds = {
            "right": (taken & (found.person == person[known]), person[known]),
            "wrong": (taken & (found.person != person[known]), person[known]),
            "accepted": (strange.distance <= row.threshold, person[strangers]),
        }
        intervals = {
            name: metrics.bootstrap_by_person(
                len(names), lambda c, e=events, p=of: _mean(e, c[p]), rounds=rounds
            )
            for name, (events, of) in kinds.items()
        }
        rows.append(asdict(row) | {"intervals": intervals})
    return rows


def _mean(events: np.ndarray, weights: np.ndarray) -> float:
    return float(np.average(events, weights=weights)) if weights.any() else float("nan")
