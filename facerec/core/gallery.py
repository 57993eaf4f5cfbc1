"""The gallery: every template as one matrix, searched exactly.

Source: the expansion d(g, p) = |g|^2 + |p|^2 - 2 g.p, by which a search is one product of
matrices; the bound on its rounding after Higham 2002, Accuracy and Stability, section 3.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facerec.core.distance import squared_distance
from facerec.core.types import ENCODING_SIZE, Encoding, Neighbour

BLOCK = 8192
"""Templates in a block: 4 MB. A change copies one block; one product a block costs next to
nothing beside streaming it from memory."""

_UNIT_ROUNDOFF = float(np.finfo(np.float32).eps) / 2
_UNDERFLOW = 512 * float(np.finfo(np.float32).tiny)  # the terms of two sums, each lost whole
_LARGEST = 1e15
_FEW_PROBES = 4  # as many products with a vector are quicker than one with a matrix
_FEW = 64  # of a block's scores, looked at before all of them

Rows = tuple[Encoding, ArrayLike, ArrayLike]
"""Templates to be taken in: encodings (N, 128), their subjects (N,), their own keys (N,)."""


class Searchable(Protocol):
    """What identification asks of a gallery, wherever its templates lie."""

    def __len__(self) -> int: ...

    def search(self, probes: Encoding, k: int = 2) -> list[list[Neighbour]]: ...


class Gallery:
    """Templates with their subjects. A value: it never changes, and a changed one is another
    gallery that shares all blocks but the touched ones. So a thread searches the state that it
    began with while others take in or drop templates, and no lock is needed.
    """

    def __init__(self, blocks: Iterable[_Block] = ()) -> None:
        """For this module; others use `Gallery.of` and `changed`."""
        self._blocks = tuple(blocks)
        self._size = sum(len(block) for block in self._blocks)
        self._longest = max((block.longest for block in self._blocks), default=0.0)

    @classmethod
    def of(
        cls, encodings: Encoding, subjects: ArrayLike, templates: ArrayLike | None = None
    ) -> Gallery:
        """(K, 128) encodings and whose they are, (K,). templates: their keys, by default 0..K-1.
        Raises ValueError, as `from_chunks` does."""
        keys = np.arange(len(encodings)) if templates is None else templates
        return cls.from_chunks([(encodings, subjects, keys)])

    @classmethod
    def from_chunks(cls, chunks: Iterable[Rows]) -> Gallery:
        """Many templates, a chunk at a time, so that they are never in memory twice.

        Raises ValueError for encodings that are not (N, 128) or not finite, and for as many
        subjects or keys as do not belong to them. A key must not come twice.
        """
        return cls(_tidied(block for chunk in chunks for block in _blocks_of(chunk)))

    def changed(self, *, gone: ArrayLike = (), come: Rows | None = None) -> Gallery:
        """The gallery without the templates of the keys `gone` and with those that `come`. A key
        in both is replaced; one that is not there to go is no error. Raises ValueError, as
        `from_chunks` does."""
        keys = np.asarray(gone, dtype=np.int64)
        kept = self._blocks if not len(keys) else (b.without(keys) for b in self._blocks)
        return Gallery(_tidied([*kept, *(_blocks_of(come) if come else ())]))

    def __len__(self) -> int:
        """How many templates there are."""
        return self._size

    @property
    def subjects(self) -> NDArray[np.int64]:
        """Whose the templates are, (K,), in no order."""
        return np.concatenate([np.empty(0, np.int64), *(block.subjects for block in self._blocks)])

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return sum(block.nbytes for block in self._blocks)

    def search(self, probes: Encoding, k: int = 2) -> list[list[Neighbour]]:
        """The k nearest subjects of each probe, each by its nearest template, nearest first.

        probes: (P, 128). Fewer than k where there are fewer subjects. Of templates at one
        distance the one of the lowest key counts. The answer, distances included, is what
        comparing with every template by `squared_distance` gives: products of matrices only
        choose candidates, with a margin that their rounding cannot exceed.
        Raises ValueError for probes that are not (P, 128) or not finite.
        """
        probes = _checked(probes)
        if not len(probes):
            return []
        searches = [_Search(probe, k, self._longest) for probe in probes]
        lifted = _lifted(probes)
        limits = np.full(len(probes), np.inf)
        for block in self._blocks:
            scores = block.scores(lifted)
            for position in np.flatnonzero(scores.min(axis=1) <= limits):
                limits[position] = searches[position].look(block, scores[position])
        return [search.nearest() for search in searches]


@dataclass(frozen=True, eq=False)
class _Block:
    """Up to BLOCK templates, each a column of 129 numbers: g, and |g|^2.

    Columns, since a product with one probe then runs along memory: 1.4 times the time of reading
    it, where rows take 2.2 times.
    """

    columns: NDArray[np.float32]
    subjects: NDArray[np.int64]
    templates: NDArray[np.int64]
    longest: float  # the largest |g|

    @classmethod
    def of(
        cls, rows: Encoding, subjects: NDArray[np.int64], templates: NDArray[np.int64]
    ) -> _Block:
        columns = np.empty((ENCODING_SIZE + 1, len(rows)), dtype=np.float32)
        columns[:-1] = rows.T
        norms = np.einsum("kd,kd->k", rows, rows, dtype=np.float64)
        columns[-1] = norms
        return cls(columns, subjects, templates, float(np.sqrt(norms.max(initial=0))))

    def __len__(self) -> int:
        return len(self.templates)

    @property
    def nbytes(self) -> int:
        return self.columns.nbytes + self.subjects.nbytes + self.templates.nbytes

    def without(self, gone: NDArray[np.int64]) -> _Block:
        leaving = np.isin(self.templates, gone)
        return self if not leaving.any() else self._part(~leaving)

    def joined(self, other: _Block) -> _Block:
        return _Block(
            np.concatenate([self.columns, other.columns], axis=1),
            np.concatenate([self.subjects, other.subjects]),
            np.concatenate([self.templates, other.templates]),
            max(self.longest, other.longest),
        )

    def _part(self, chosen: NDArray[np.bool_]) -> _Block:
        return _Block(
            np.ascontiguousarray(self.columns[:, chosen]),
            self.subjects[chosen],
            self.templates[chosen],
            self.longest,
        )

    def scores(self, lifted: NDArray[np.float32]) -> NDArray[np.float32]:
        """|g|^2 - 2 g.p of every probe and template, (P, 129) -> (P, K): d but for |p|^2."""
        if len(lifted) <= _FEW_PROBES:
            return np.stack([one @ self.columns for one in lifted])
        return np.asarray(lifted @ self.columns)

    def rows(self, positions: NDArray[np.intp]) -> Encoding:
        return np.ascontiguousarray(self.columns[:-1, positions].T)


class _Search:
    """One probe's way through the blocks: the templates that may still be among its nearest."""

    def __init__(self, probe: Encoding, k: int, longest: float) -> None:
        self._probe, self._k = probe, k
        # Twice: a score may be too high by as much as another is too low.
        self._slack = 2 * _rounding(probe, longest)
        self._limit = np.inf
        self._blocks: list[tuple[_Block, NDArray[np.intp]]] = []
        self._scores = np.empty(0, np.float32)
        self._subjects = np.empty(0, np.int64)

    def look(self, block: _Block, scores: NDArray[np.float32]) -> float:
        """Take in the block's candidates; no template that scores above the limit that is given
        back can be among the k nearest subjects."""
        if self._limit == np.inf:
            self._limit = _kth_subject(scores, block.subjects, self._k) + self._slack
        near = np.flatnonzero(scores <= self._limit)
        self._blocks.append((block, near))
        self._scores = np.concatenate([self._scores, scores[near]])
        self._subjects = np.concatenate([self._subjects, block.subjects[near]])
        kth = _kth_subject(self._scores, self._subjects, self._k)
        self._limit = min(self._limit, kth + self._slack)
        return self._limit

    def nearest(self) -> list[Neighbour]:
        """The candidates' own distances decide."""
        if not self._blocks:
            return []
        fit = self._scores <= self._limit
        cuts = np.cumsum([len(near) for _, near in self._blocks])[:-1]
        parts = [
            (block, near[chosen])
            for (block, near), chosen in zip(self._blocks, np.split(fit, cuts), strict=True)
        ]
        rows = np.concatenate([block.rows(near) for block, near in parts])
        templates = np.concatenate([block.templates[near] for block, near in parts])
        return nearest_subjects(self._probe, rows, self._subjects[fit], templates, self._k)


def nearest_subjects(
    probe: Encoding,
    encodings: Encoding,
    subjects: NDArray[np.int64],
    templates: NDArray[np.int64],
    k: int,
) -> list[Neighbour]:
    """The k nearest subjects by brute force: the definition of what a search answers.

    probe: (128,). encodings: (K, 128) with their subjects and keys, (K,).
    """
    distances = squared_distance(encodings, probe)
    found: dict[int, Neighbour] = {}
    for row in np.lexsort((templates, distances)):
        subject = int(subjects[row])
        if subject not in found:
            found[subject] = Neighbour(subject, int(templates[row]), float(distances[row]))
            if len(found) == k:
                break
    return list(found.values())


def _rounding(probe: Encoding, longest: float) -> float:
    """How far a score plus |p|^2 can lie from the distance as `squared_distance` rounds it.

    Both are sums of at most n = 132 rounded terms, in whatever order, of which the absolute
    values add up to no more than (|g| + |p|)^2: each is off by at most n u / (1 - n u) times that.
    """
    n = (ENCODING_SIZE + 4) * _UNIT_ROUNDOFF
    length = float(np.sqrt(np.dot(probe.astype(np.float64), probe)))
    return 2 * n / (1 - n) * (longest + length) ** 2 + _UNDERFLOW


def _kth_subject(scores: NDArray[np.float32], subjects: NDArray[np.int64], k: int) -> float:
    """The score at which the k-th subject appears; inf where there are fewer subjects."""
    many = _FEW
    while many < len(scores):
        few = np.argpartition(scores, many)[:many]
        if (score := _kth_of_sorted(scores[few], subjects[few], k)) < np.inf:
            return score
        many *= 8
    return _kth_of_sorted(scores, subjects, k)


def _kth_of_sorted(scores: NDArray[np.float32], subjects: NDArray[np.int64], k: int) -> float:
    order = np.argsort(scores)
    _, first = np.unique(subjects[order], return_index=True)
    return float(scores[order[np.sort(first)[k - 1]]]) if len(first) >= k else np.inf


def _lifted(probes: Encoding) -> NDArray[np.float32]:
    """(P, 128) -> (P, 129): (-2 p, 1), whose product with (g, |g|^2) is |g|^2 - 2 g.p."""
    return np.hstack([-2 * probes, np.ones((len(probes), 1), np.float32)])


def _checked(encodings: Encoding) -> Encoding:
    values = np.ascontiguousarray(encodings, dtype=np.float32)
    if values.ndim != 2 or values.shape[1] != ENCODING_SIZE:
        raise ValueError(f"encodings are (N, {ENCODING_SIZE}), not {values.shape}")
    if not (np.abs(values) < _LARGEST).all():
        raise ValueError("encodings must be finite, and their squares too")
    return values


def _blocks_of(rows: Rows) -> Iterator[_Block]:
    encodings, subjects, templates = rows
    encodings = _checked(encodings)
    whose, keys = np.asarray(subjects, np.int64), np.asarray(templates, np.int64)
    if not len(encodings) == len(whose) == len(keys):
        raise ValueError(f"{len(encodings)} encodings, {len(whose)} subjects, {len(keys)} keys")
    for start in range(0, len(encodings), BLOCK):
        part = slice(start, start + BLOCK)
        yield _Block.of(encodings[part], whose[part].copy(), keys[part].copy())


def _tidied(blocks: Iterable[_Block]) -> Iterator[_Block]:
    """Neighbours that fit into one block are joined, so that blocks stay half full at least."""
    last: _Block | None = None
    for block in blocks:
        if last is None or not len(last):
            last = block
        elif len(last) + len(block) <= BLOCK:
            last = last.joined(block)
        else:
            yield last
            last = block
    if last is not None and len(last):
        yield last
