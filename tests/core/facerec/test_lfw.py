from __future__ import annotations

from pathlib import Path

import pytest

from facerec.core.lfw import Pair, Photo, photos_of, read_pairs


def write(folder: Path, *lines: str) -> Path:
    path = folder / "pairs.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_pairs_of_one_and_of_two_people(tmp_path: Path) -> None:
    path = write(tmp_path, "2\t1", "Ann\t1\t2", "Ann\t2\tBo\t1", "Cy\t3\t1", "Bo\t1\tDi\t7", "")
    pairs = read_pairs(path)
    assert pairs[0] == Pair(Photo("Ann", 1), Photo("Ann", 2), same=True, fold=0)
    assert pairs[3] == Pair(Photo("Bo", 1), Photo("Di", 7), same=False, fold=1)
    assert [pair.fold for pair in pairs] == [0, 0, 1, 1]


def test_one_number_is_one_fold(tmp_path: Path) -> None:
    pairs = read_pairs(write(tmp_path, "1", "Ann\t1\t2", "Ann\t2\tBo\t1"))
    assert {pair.fold for pair in pairs} == {0}


def test_each_photo_comes_once(tmp_path: Path) -> None:
    pairs = read_pairs(write(tmp_path, "1", "Bo\t1\t2", "Bo\t2\tAnn\t1"))
    assert photos_of(pairs) == [Photo("Ann", 1), Photo("Bo", 1), Photo("Bo", 2)]


def test_where_a_photo_lies(tmp_path: Path) -> None:
    assert Photo("Ann_Lee", 12).path(tmp_path) == tmp_path / "images/Ann_Lee/Ann_Lee_0012.jpg"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([""], "line 1"),
        (["people"], "line 1"),
        (["1", "Ann\t1\t2", "Ann 1 Bo 2"], "line 3"),
        (["1", "Ann\tone\t2", "Ann\t1\tBo\t2"], "line 2"),
        (["2\t1", "Ann\t1\t2", "Ann\t1\tBo\t2"], "4 pairs announced, 2 found"),
    ],
)
def test_what_cannot_be_read_says_where(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_pairs(write(tmp_path, *lines))
