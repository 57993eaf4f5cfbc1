"""Batches of P people with K photos each, so that every batch has genuine pairs to learn from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class PKSampler:
    """P people, K photos of each. Source: Hermans et al. 2017, section 2.

    Batch number n depends on the seed and n alone, so that a resumed run draws what the
    uninterrupted one would have. People with two photos or more are drawn; one with fewer than K
    gives all of them, none twice: a photo is no positive of itself.
    """

    def __init__(self, people: Sequence[str], *, p: int, k: int, seed: int) -> None:
        """people: (N,) whose photo each is. Where fewer than p people have two photos, a batch has
        them all. Raises ValueError for p or k below 2, or if fewer than two people have two
        photos."""
        if p < 2 or k < 2:
            raise ValueError(f"a batch takes two people and two photos of each, not {p} x {k}")
        _, person = np.unique(np.asarray(people), return_inverse=True)
        photos = np.split(np.argsort(person, kind="stable"), np.cumsum(np.bincount(person))[:-1])
        self._photos = [of_one for of_one in photos if len(of_one) >= 2]
        if len(self._photos) < 2:
            raise ValueError("fewer than two people have two photos")
        self._p, self._k, self._seed = min(p, len(self._photos)), k, seed

    def batch(self, number: int) -> NDArray[np.int64]:
        """Indices of photos, at most P K of them, those of a person together."""
        rng = np.random.default_rng([self._seed, number])
        drawn = rng.choice(len(self._photos), self._p, replace=False)
        return np.concatenate(
            [
                rng.choice(self._photos[i], min(self._k, len(self._photos[i])), replace=False)
                for i in drawn
            ]
        )
