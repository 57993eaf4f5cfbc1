"""Old against new on people held out: each encoder with plain d and with the two heads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facerec.core.heads import (
    FEATURES,
    Dissimilarity,
    Head,
    RuleName,
    fit_head,
    rule_of,
    training_pairs,
)
from facerec.core.metrics import Scores, k_fold_accuracy
from facerec.core.splits import first_people
from facerec.core.types import Encoding

FARS = (1e-2, 1e-3)

MOST_COMPARED = 2000
"""Photos of held-out people, of whole people: two million pairs, a minute."""

_FEWEST_FALSE_MATCHES = 10  # that an FMR must allow on the held-out people, or it is noise
_FOLDS = 10
_LEVEL = 0.95

Floats = NDArray[np.float64]


class Candidate(NamedTuple):
    """An encoder to compare: its name, and what it makes of the photos of the people trained on,
    (T, 128), and of those held out, (H, 128), each in the same order for every candidate."""

    name: str
    taught: Encoding
    held_out: Encoding


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its 95 % interval, low to high, by bootstrap over people."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One encoder with one rule, on held-out people.

    tar: at each FMR (as text, "0.001"), None where too few pairs support it. gain: what tar
    exceeds the first row's by, over the same draws of people, so that luck of the draw cancels;
    where its interval leaves 0 out, the row is better, or worse. eer: equal error rate. accuracy:
    of balanced pairs, by folds of people, its interval from the folds' standard error; None where
    there are too few people for it.
    """

    encoder: str
    rule: RuleName
    tar: dict[str, Estimate | None]
    gain: dict[str, Estimate | None]
    eer: Estimate | None
    accuracy: Estimate | None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The table, the first row being what there was before. heads: by encoder's name and rule.
    people, photos, genuine, impostor: how many were held out, and their pairs."""

    rows: list[ComparisonRow]
    heads: dict[tuple[str, RuleName], Head]
    people: int
    photos: int
    genuine: int
    impostor: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON, without the heads."""
        counts = {name: getattr(self, name) for name in ("people", "photos", "genuine", "impostor")}
        return {"rows": [row.as_dict() for row in self.rows], **counts}


def compare(
    candidates: Sequence[Candidate],
    taught_people: Sequence[str],
    held_out_people: Sequence[str],
    *,
    rounds: int = 200,
    seed: int = 0,
) -> Comparison:
    """Every candidate with plain d, the |.| head and the chi-square head.

    The heads are fitted on pairs of the people trained on, and all figures are of the people held
    out, of no more than MOST_COMPARED photos. Raises ValueError where those have no genuine or no
    impostor pair.
    """
    looked_at = first_people(held_out_people, MOST_COMPARED)
    held_out_people = [held_out_people[i] for i in looked_at]
    multiplicities = _draws(len(set(held_out_people)), rounds, seed)
    pairs = training_pairs(taught_people, seed=seed)
    rows: list[ComparisonRow] = []
    heads: dict[tuple[str, RuleName], Head] = {}
    baseline: _Figures | None = None
    for candidate in candidates:
        for rule in RuleName:
            head = None
            if rule in FEATURES:
                first, second, same = pairs
                head = fit_head(rule, candidate.taught[first], candidate.taught[second], same)
                heads[candidate.name, rule] = head
            scores = rule_scores(
                rule_of(rule, head), candidate.held_out[looked_at], held_out_people
            )
            figures = _Figures(scores, multiplicities)
            baseline = baseline or figures
            accuracy = _accuracy(scores, seed)
            rows.append(
                ComparisonRow(
                    encoder=candidate.name,
                    rule=rule,
                    tar=figures.tar(),
                    gain=figures.gain(baseline),
                    eer=_estimate(figures.eer),
                    accuracy=accuracy,
                )
            )
    return Comparison(
        rows,
        heads,
        people=scores.people,
        photos=len(held_out_people),
        genuine=len(scores.genuine),
        impostor=len(scores.impostor),
    )


def rule_scores(rule: Dissimilarity, encodings: Encoding, people: Sequence[str]) -> Scores:
    """`metrics.genuine_impostor` by any rule. encodings: (N, 128). people: N names."""
    _, person, photos = np.unique(np.asarray(people), return_inverse=True, return_counts=True)
    rows = [rule(encodings[i], encodings[i + 1 :]) for i in range(len(encodings) - 1)]
    values = np.concatenate([np.empty(0), *rows]).astype(np.float32)
    order = np.argsort(values, kind="stable")
    pairs = np.stack(np.triu_indices(len(encodings), 1), axis=1)[order]
    values, pairs = values[order], person[pairs].astype(np.int32)
    same = pairs[:, 0] == pairs[:, 1]
    return Scores(values[same], values[~same], pairs[same, 0], pairs[~same], photos)


def _draws(people: int, rounds: int, seed: int) -> Floats:
    """How often each person counts: all once, then bootstrap draws, (1 + rounds, people)."""
    rng = np.random.default_rng(seed)
    drawn = [np.bincount(rng.integers(0, people, people), minlength=people) for _ in range(rounds)]
    return np.stack([np.ones(people), *drawn]).astype(np.float64)


class _Figures:
    """TAR at each FMR and EER, (1 + rounds,) each: as it is, then for each draw of people.

    What `metrics.tar_at_far` says, but both kinds are sorted already and all figures of a draw
    share its weights: 200 draws of a million pairs take seconds.
    """

    def __init__(self, scores: Scores, multiplicities: Floats) -> None:
        if not len(scores.genuine) or not len(scores.impostor):
            raise ValueError("the people held out have no genuine or no impostor pair")
        self._supported = [far * len(scores.impostor) >= _FEWEST_FALSE_MATCHES for far in FARS]
        # Genuine pairs strictly below each impostor: accepted when the bound is that impostor.
        below = np.searchsorted(scores.genuine, scores.impostor, side="left")
        tars, eers = [], []
        for multiplicity in multiplicities:
            genuine, impostor = scores.weights(multiplicity)
            accepted = np.concatenate([[0.0], np.cumsum(genuine)])
            false = np.cumsum(impostor)
            if not accepted[-1] or not false[-1]:
                tars.append([np.nan] * len(FARS))
                eers.append(np.nan)
                continue
            tar_by_impostor = accepted[below] / accepted[-1]
            fmr = false / false[-1]
            above = [int(np.searchsorted(fmr, far * (1 + 1e-12), side="right")) for far in FARS]
            tars.append([tar_by_impostor[min(i, len(fmr) - 1)] for i in above])
            crossing = int(np.argmin(np.abs(fmr - (1 - tar_by_impostor))))
            eers.append((fmr[crossing] + 1 - tar_by_impostor[crossing]) / 2)
        self._tar = np.array(tars)
        self.eer: Floats = np.array(eers)

    def tar(self) -> dict[str, Estimate | None]:
        return self._by_far(self._tar)

    def gain(self, baseline: _Figures) -> dict[str, Estimate | None]:
        return self._by_far(self._tar - baseline._tar)

    def _by_far(self, values: Floats) -> dict[str, Estimate | None]:
        return {
            f"{far:g}": _estimate(values[:, column]) if self._supported[column] else None
            for column, far in enumerate(FARS)
        }


def _estimate(values: Floats) -> Estimate | None:
    """The first value, and the interval of the others that are numbers; None without any."""
    drawn = values[1:][np.isfinite(values[1:])]
    if not len(drawn):
        return None
    low, high = np.quantile(drawn, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return Estimate(float(values[0]), float(low), float(high))


def _accuracy(scores: Scores, seed: int) -> Estimate | None:
    """LFW's figure: as many impostor as genuine pairs, people dealt to folds, a fold's threshold
    from the other folds."""
    rng = np.random.default_rng(seed)
    fold = rng.permutation(scores.people) % _FOLDS
    first, second = fold[scores.impostor_people].T
    drawn = rng.permutation(np.flatnonzero(first == second))[: len(scores.genuine)]
    folds = np.concatenate([fold[scores.genuine_person], first[drawn]])
    distances = np.concatenate([scores.genuine, scores.impostor[drawn]])
    same = np.arange(len(distances)) < len(scores.genuine)
    if len(np.unique(folds)) < 2:
        return None
    found = k_fold_accuracy(distances, same, folds)
    half = 1.96 * found.standard_error
    return Estimate(found.mean, max(found.mean - half, 0.0), min(found.mean + half, 1.0))
