"""Pairs and photos in the layout of Labeled Faces in the Wild.

Source: Huang et al. 2007, LFW; pairs.txt begins with the number of folds and of pairs per half
fold, then come, fold by fold, the pairs of one person (`name a b`) and of two (`name a other b`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Photo:
    """The n-th photo of a person, counted from 1."""

    person: str
    number: int

    def path(self, folder: Path) -> Path:
        """Its file: images/PERSON/PERSON_0001.jpg."""
        return folder / "images" / self.person / f"{self.person}_{self.number:04d}.jpg"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two photos, whether they show one person, and the fold (from 0) that they belong to."""

    first: Photo
    second: Photo
    same: bool
    fold: int


def read_pairs(path: Path) -> list[Pair]:
    """The pairs of a pairs.txt, in its order.

    A first line with one number is one fold of that many pairs a half (LFW's pairsDevTest.txt).
    Raises ValueError, with the line's number, where it cannot be read; OSError.
    """
    header, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
    numbers = header.split()
    if len(numbers) not in (1, 2) or not all(number.isdigit() for number in numbers):
        raise ValueError(f"{path.name}, line 1: the numbers of folds and of pairs were expected")
    per_half = int(numbers[-1])
    folds = int(numbers[0]) if len(numbers) == 2 else 1
    pairs = [
        _pair(line, fold=row // max(2 * per_half, 1), where=f"{path.name}, line {row + 2}")
        for row, line in enumerate(_without_blank_end(lines))
    ]
    if len(pairs) != 2 * per_half * folds:
        raise ValueError(f"{path.name}: {2 * per_half * folds} pairs announced, {len(pairs)} found")
    return pairs


def photos_of(pairs: Sequence[Pair]) -> list[Photo]:
    """Every photo that a pair names, once, sorted."""
    return sorted({photo for pair in pairs for photo in (pair.first, pair.second)})


def _pair(line: str, fold: int, where: str) -> Pair:
    match line.split("\t"):
        case [person, a, b] if a.isdigit() and b.isdigit():
            return Pair(Photo(person, int(a)), Photo(person, int(b)), same=True, fold=fold)
        case [person, a, other, b] if a.isdigit() and b.isdigit():
            return Pair(Photo(person, int(a)), Photo(other, int(b)), same=False, fold=fold)
    raise ValueError(f"{where}: `name a b` or `name a other b`, parted by tabs, was expected")


def _without_blank_end(lines: list[str]) -> list[str]:
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines
