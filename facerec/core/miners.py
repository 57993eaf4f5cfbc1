"""Which triplets of a batch to learn from.

Each miner takes a batch's encodings and whose they are, and gives triplets as indices into the
batch. A person with a single photo in the batch serves as negative alone; a batch without a
genuine pair, or of one person, gives no triplets.

pytorch-metric-learning's miners give the same triplets (a test compares them). Ours draw from a
generator that they are given, so that a run can be repeated and resumed to the last bit, where
that library's use the process's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from facerec.core.training_config import MinerName


class Triplets(NamedTuple):
    """Indices into a batch, int64 (T,) each: anchors, their positives, their negatives."""

    anchor: Tensor
    positive: Tensor
    negative: Tensor


def random_triplets(encodings: Tensor, people: Tensor, generator: torch.Generator) -> Triplets:
    """Every ordered genuine pair with a negative drawn evenly.

    encodings: (B, 128), which do not matter here; people: (B,) integers.
    """
    anchor, positive = _genuine_pairs(people)
    _, other = _relations(people)
    # The largest of evenly drawn numbers is an even draw. On the CPU, so that each device draws
    # the same.
    draw = torch.rand((len(anchor), len(people)), generator=generator).to(people.device)
    return _with_negatives(anchor, positive, draw.masked_fill(~other[anchor], -1).argmax(1), other)


def semi_hard_triplets(encodings: Tensor, people: Tensor, generator: torch.Generator) -> Triplets:
    """Every ordered genuine pair with the nearest negative that is farther than the positive;
    where there is none, with the farthest one.

    Source: Schroff et al. 2015, section 3.2. A nearer, hard negative would pull a young encoder
    into collapse. The case without a semi-hard negative is not theirs; the farthest negative is
    the least hard. Nothing is drawn: the generator is there for the miners' common shape.
    """
    anchor, positive = _genuine_pairs(people)
    _, other = _relations(people)
    distances = _distances(encodings)
    to_positive = distances[anchor, positive][:, None]
    candidates = distances[anchor]
    beyond = other[anchor] & (candidates > to_positive)
    nearest = candidates.masked_fill(~beyond, torch.inf).argmin(1)
    farthest = candidates.masked_fill(~other[anchor], -torch.inf).argmax(1)
    negative = torch.where(beyond.any(1), nearest, farthest)
    return _with_negatives(anchor, positive, negative, other)


def batch_hard_triplets(encodings: Tensor, people: Tensor, generator: torch.Generator) -> Triplets:
    """Each anchor with its farthest positive and its nearest negative, one triplet an anchor.

    Source: Hermans et al. 2017, In defense of the triplet loss, eq. 5. Nothing is drawn.
    """
    same, other = _relations(people)
    distances = _distances(encodings)
    anchor = torch.nonzero(same.any(1)).flatten()
    positive = distances.masked_fill(~same, -torch.inf).argmax(1)[anchor]
    negative = distances.masked_fill(~other, torch.inf).argmin(1)[anchor]
    return _with_negatives(anchor, positive, negative, other)


Miner = Callable[[Tensor, Tensor, torch.Generator], Triplets]

MINERS: dict[MinerName, Miner] = {
    MinerName.RANDOM: random_triplets,
    MinerName.SEMI_HARD: semi_hard_triplets,
    MinerName.BATCH_HARD: batch_hard_triplets,
}


def _relations(people: Tensor) -> tuple[Tensor, Tensor]:
    """(same person but another photo, another person), both (B, B) of bool."""
    equal = people[:, None] == people[None]
    return equal & ~torch.eye(len(people), dtype=torch.bool, device=people.device), ~equal


def _genuine_pairs(people: Tensor) -> tuple[Tensor, Tensor]:
    same, _ = _relations(people)
    anchor, positive = torch.nonzero(same, as_tuple=True)
    return anchor, positive


def _with_negatives(anchor: Tensor, positive: Tensor, negative: Tensor, other: Tensor) -> Triplets:
    """Only the anchors for whom the batch has somebody else."""
    possible = other[anchor].any(1)
    return Triplets(anchor[possible], positive[possible], negative[possible])


def _distances(encodings: Tensor) -> Tensor:
    """Squared L2 of every pair, (B, B). By |a|^2 - 2ab + |b|^2, without gradients: mining only
    ranks, and the (B, B, 128) differences would be large. The loss takes the exact ones."""
    x = encodings.detach()
    squares = (x * x).sum(1)
    return squares[:, None] - 2 * x @ x.T + squares[None]
