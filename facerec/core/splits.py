"""Who is trained on and who is not: by people, since a photo of somebody known is no test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facerec.core.errors import TrainingSetTooSmall
from facerec.core.training_config import TrainingConfig

FEWEST = 2
"""People with two photos that each part must have: one genuine pair and one stranger to it."""


def split_people(
    people: Sequence[str], fraction: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(kept, held out), indices of photos, rising; a person is in one of them alone.

    people: (N,) whose photo each is. fraction: the share of the people to hold out, of those with
    one photo and of those with more alike; at least two of the latter.
    Raises TrainingSetTooSmall where that leaves fewer than two with two photos.
    """
    photos = Counter(people)
    several = sorted(name for name, count in photos.items() if count >= 2)
    if len(several) < 2 * FEWEST:
        raise TrainingSetTooSmall(len(several), 2 * FEWEST)
    rng = np.random.default_rng(seed)
    held: set[str] = set()
    for names in (several, sorted(photos.keys() - set(several))):
        lowest, highest = (FEWEST, len(names) - FEWEST) if names is several else (0, len(names))
        count = min(max(round(fraction * len(names)), lowest), highest)
        held |= {names[i] for i in rng.permutation(len(names))[:count]}
    out = np.array([name in held for name in people], dtype=bool)
    return np.flatnonzero(~out), np.flatnonzero(out)


def check_people(people: Sequence[str], config: TrainingConfig) -> None:
    """Whether the people suffice for training, for choosing and for the report.

    Raises TrainingSetTooSmall.
    """
    several = sum(count >= 2 for count in Counter(people).values())
    if several < 3 * FEWEST:
        raise TrainingSetTooSmall(several, 3 * FEWEST)
    kept, _ = split_people(people, config.held_out_fraction, config.seed)
    split_people([people[i] for i in kept], config.validation_fraction, config.seed)


def first_people(people: Sequence[str], most: int) -> NDArray[np.int64]:
    """At most so many photos, as indices, of whole people: those with several photos first, as
    those make genuine pairs, and of them those with fewest, as that makes more people."""
    if len(people) <= most:
        return np.arange(len(people))
    names, place, photos = np.unique(np.asarray(people), return_inverse=True, return_counts=True)
    order = np.lexsort((np.arange(len(names)), photos, photos < 2))
    taken = order[np.cumsum(photos[order]) <= most]
    return np.flatnonzero(np.isin(place, taken))
