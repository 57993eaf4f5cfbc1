"""Verification as a binary classification: a logistic head over the difference of two encodings.

y = sigmoid(sum_k w_k phi_k(x1, x2) + b), 1 for two photos of one person. Source: Taigman et al.
2014, DeepFace, section 4.2 (both variants). Numpy alone, so that the web process may use it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from facerec.core.distance import squared_distance
from facerec.core.errors import WeightsCorrupt
from facerec.core.tensor_file import Arrays, read_tensors, write_tensors
from facerec.core.types import ENCODING_SIZE, Encoding

Floats = NDArray[np.floating[Any]]

Dissimilarity = Callable[[Encoding, Encoding], Floats]
"""A decision rule: probe (128,), templates (M, 128) -> (M,), smaller is more alike. A match is at
most tau; every rule has a tau of its own. `squared_distance` is one, and so is a `Head`."""

_FORMAT = "likeness-head-1"


class RuleName(StrEnum):
    """How two faces are compared in verification. Identification is always by distance."""

    DISTANCE = "distance"
    ABSOLUTE = "absolute"
    CHI_SQUARE = "chi2"


def absolute_difference(x1: Encoding, x2: Encoding) -> Floats:
    """phi_k = |f(x1)_k - f(x2)_k|, over arrays of broadcastable shape."""
    return np.asarray(np.abs(x1 - x2))


def chi_square(x1: Encoding, x2: Encoding) -> Floats:
    """phi_k = (f(x1)_k - f(x2)_k)^2 / (|f(x1)_k| + |f(x2)_k|), and 0 where both are 0.

    DeepFace and the course divide by the sum f(x1)_k + f(x2)_k: their features come from a ReLU
    and are not negative. dlib's numbers have signs, and a sum of them may vanish or turn the
    sign of phi; with absolute values the two agree wherever the former is defined for features
    that are not negative, and phi_k is at most |f(x1)_k - f(x2)_k|.
    """
    difference = np.asarray(x1 - x2)
    total = np.asarray(np.abs(x1) + np.abs(x2))
    phi: Floats = np.zeros_like(total)
    np.divide(difference * difference, total, out=phi, where=total > 0)
    return phi


FEATURES: dict[RuleName, Callable[[Encoding, Encoding], Floats]] = {
    RuleName.ABSOLUTE: absolute_difference,
    RuleName.CHI_SQUARE: chi_square,
}


class Head:
    """A fitted head. Called with a probe and templates it gives the dissimilarity -(w phi + b),
    the negative log-odds of "one person": 0 is even odds."""

    def __init__(self, rule: RuleName, weights: Floats, bias: float) -> None:
        """weights: (128,). Raises ValueError for another shape, for numbers that are not finite
        and for the rule DISTANCE, which has nothing to fit."""
        self.rule = RuleName(rule)
        if self.rule not in FEATURES:
            raise ValueError(f"{self.rule} is no head")
        self.weights = np.asarray(weights, dtype=np.float32)
        self.bias = float(bias)
        if self.weights.shape != (ENCODING_SIZE,):
            raise ValueError(f"a head has {ENCODING_SIZE} weights, not {self.weights.shape}")
        if not (np.isfinite(self.weights).all() and np.isfinite(self.bias)):
            raise ValueError("a head's numbers are not finite")

    def __call__(self, probe: Encoding, templates: Encoding) -> Floats:
        """probe: (128,); templates: (M, 128), or (128,) -> (M,), or a number. Encodings of the
        encoder that the head was fitted on."""
        return np.asarray(-(FEATURES[self.rule](probe, templates) @ self.weights) - self.bias)

    def probability(self, x1: Encoding, x2: Encoding) -> Floats:
        """y in (0, 1), for arrays (..., 128). Where a head was fitted on as many pairs of either
        kind, even odds are what it takes for granted."""
        return np.asarray(_sigmoid(-np.asarray(self(x1, x2), np.float64)))

    def save(self, path: Path) -> str:
        """Writes the file and gives back its SHA-256."""
        numbers: Arrays = {"weights": self.weights, "bias": np.array([self.bias], np.float64)}
        return write_tensors(path, numbers, format=_FORMAT, rule=self.rule.value)

    @classmethod
    def load(cls, path: Path, sha256: str | None = None) -> Self:
        """The head in a file, which has the given SHA-256 if one is given.

        Raises WeightsNotFound, WeightsCorrupt.
        """
        numbers, about = read_tensors(path, format=_FORMAT, sha256=sha256)
        try:
            return cls(RuleName(about["rule"]), numbers["weights"], float(numbers["bias"][0]))
        except (ValueError, KeyError, IndexError) as error:
            raise WeightsCorrupt(path, f"not a head: {error!r}") from error


def rule_of(name: RuleName, head: Head | None = None) -> Dissimilarity:
    """The rule by its name: plain d, or the head. Raises ValueError where they do not fit."""
    if name == RuleName.DISTANCE:
        return squared_distance
    if head is None or head.rule != name:
        raise ValueError(f"the rule {name} takes a head of its own")
    return head


def fit_head(
    rule: RuleName,
    first: Encoding,
    second: Encoding,
    same: NDArray[np.bool_],
    *,
    penalty: float = 1e-2,
) -> Head:
    """The head of least logistic loss, with L2 on its weights; both kinds weigh alike together,
    however many pairs each has. Deterministic: Newton's method on a convex function.

    first, second: (P, 128), the pairs' encodings; same: (P,). penalty: lambda in
    mean loss + lambda/2 |w|^2, with features of unit variance.
    Raises ValueError unless there are pairs of both kinds. Source: Hastie et al. 2009, 4.4.1.
    """
    same = np.asarray(same, dtype=bool)
    if same.all() or not same.any():
        raise ValueError("a head is fitted on pairs of both kinds")
    phi = FEATURES[RuleName(rule)](first, second).astype(np.float64)
    weight = np.where(same, 0.5 / same.sum(), 0.5 / (~same).sum())
    mean = weight @ phi
    scale = np.sqrt(weight @ (phi - mean) ** 2)
    scale[scale == 0] = 1
    z = np.column_stack([(phi - mean) / scale, np.ones(len(phi))])
    found = _newton(z, same.astype(np.float64), weight, penalty)
    weights = found[:-1] / scale
    return Head(rule, weights, float(found[-1] - weights @ mean))


def _newton(z: Floats, y: Floats, weight: Floats, penalty: float) -> NDArray[np.float64]:
    """The minimum of sum weight (softplus(z w) - y z w) + penalty/2 |w|^2, the last (bias)
    unpenalised. A step is halved until the loss falls."""
    decay = np.full(z.shape[1], penalty)
    decay[-1] = 0

    def loss(w: Floats) -> float:
        logits = z @ w
        return float(weight @ (np.logaddexp(0, logits) - y * logits) + decay @ (w * w) / 2)

    w = np.zeros(z.shape[1])
    now = loss(w)
    for _ in range(_MOST_STEPS):
        chance = _sigmoid(z @ w)
        gradient = z.T @ (weight * (chance - y)) + decay * w
        curvature = (z * (weight * chance * (1 - chance))[:, None]).T @ z + np.diag(decay)
        # Where all is decided the curvature vanishes for the bias; the ridge keeps it solvable.
        step = np.linalg.solve(curvature + 1e-12 * np.eye(len(w)), gradient)
        rate, then = 1.0, loss(w - step)
        while then > now and rate > 1e-6:
            rate /= 2
            then = loss(w - rate * step)
        if then > now:
            break
        w, settled, now = w - rate * step, now - then < 1e-12, then
        if settled:
            break
    return w


_MOST_STEPS = 50


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(np.exp(-np.logaddexp(0, -logits)))


def training_pairs(
    people: Sequence[str], *, impostors_per_genuine: int = 10, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Pairs of photos to fit a head on: (first, second, same), (P,) each.

    people: (N,) whose photo each is. All genuine pairs, and as many times as many impostor pairs
    drawn evenly (fewer where a draw repeats or hits one person).
    """
    _, person = np.unique(np.asarray(people), return_inverse=True)
    order = np.argsort(person, kind="stable")
    first, second = (
        np.concatenate([np.empty(0, np.int64), *side])
        for side in zip(
            *(
                (group[a], group[b])
                for group in np.split(order, np.cumsum(np.bincount(person))[:-1])
                for a, b in [np.triu_indices(len(group), 1)]
            ),
            strict=True,
        )
    )
    rng = np.random.default_rng(seed)
    drawn = np.sort(rng.integers(0, len(person), (len(first) * impostors_per_genuine, 2)), axis=1)
    drawn = np.unique(drawn[person[drawn[:, 0]] != person[drawn[:, 1]]], axis=0)
    same = np.arange(len(first) + len(drawn)) < len(first)
    return np.concatenate([first, drawn[:, 0]]), np.concatenate([second, drawn[:, 1]]), same
