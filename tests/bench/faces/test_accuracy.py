from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from facerec.core.lfw import Pair, Photo
from tests.bench.faces.accuracy import identify, judge
from tests.bench.faces.photos import some_pairs

ROOT = Path(__file__).resolve().parents[3]


def at(*places: float) -> np.ndarray:
    encodings = np.zeros((len(places), 128), np.float32)
    encodings[:, 0] = places
    return encodings


def pairs_of(people: int) -> tuple[list[Photo], list[Pair]]:
    """Two photos each; in each of two folds the pairs of one person and those of neighbours."""
    photos = [Photo(f"person {i:02}", n) for i in range(people) for n in (1, 2)]
    pairs = [Pair(photos[2 * i], photos[2 * i + 1], True, 2 * i // people) for i in range(people)]
    pairs += [
        Pair(photos[2 * i], photos[(2 * i + 2) % len(photos)], False, 2 * i // people)
        for i in range(people)
    ]
    return photos, pairs


def test_people_far_apart_are_told_apart() -> None:
    photos, pairs = pairs_of(20)
    places = [10 * i + n / 10 for i in range(20) for n in (0, 1)]
    found = judge(at(*places), photos, pairs, rounds=20)
    assert found.accuracy == found.accuracy_all == 1
    assert set(found.tar.values()) == {1.0}
    assert found.tar_interval[1e-3] == (1, 1)
    assert (found.undecided, found.impostor_pairs) == (0, 40 * 38 // 2)


def test_a_refused_photo_counts_both_ways() -> None:
    photos, pairs = pairs_of(20)
    places = [10 * i + n / 10 for i in range(20) for n in (0, 1)]
    found = judge(at(*places[1:]), photos[1:], pairs, rounds=0)
    # The first photo is missing: its pair of one person is lost, those of two are rightly refused.
    assert found.undecided == 3
    assert found.accuracy == 1
    assert found.accuracy_all == pytest.approx(1 - 0.5 / 20)  # one of the first fold's twenty
    assert found.tar[1e-3] == 1
    assert found.tar_all[1e-3] == 19 / 20


def test_the_drawn_tars_centre_on_the_measured_one() -> None:
    rng = np.random.default_rng(0)
    photos, pairs = pairs_of(200)
    centres = rng.normal(size=(200, 1, 128)) / 12
    encodings = (centres + rng.normal(size=(200, 2, 128)) / 9).reshape(-1, 128)
    found = judge(encodings.astype(np.float32), photos, pairs, rounds=100)
    low, high = found.tar_interval[1e-3]
    assert low < found.tar[1e-3] < high
    assert 0.02 < high - low < 0.3


def test_identification_counts() -> None:
    photos = [Photo("a", 1), Photo("a", 2), Photo("b", 1), Photo("b", 2), Photo("c", 1)]
    [row] = identify(at(0, 1, 10, 2, 9), photos, [4.0], 5)
    assert (row["enrolled"], row["known"], row["strangers"]) == (2, 2, 1)
    assert (row["right"], row["wrong"], row["missed"]) == (1, 1, 0)  # b's second looks like a
    assert row["accepted"] == 1


def test_some_pairs_are_the_first_of_each_kind_and_fold() -> None:
    _, pairs = pairs_of(20)
    some = some_pairs(pairs, 16)
    assert len(some) < len(pairs)
    assert {(pair.fold, pair.same) for pair in some} == {(f, s) for f in (0, 1) for s in (0, 1)}


def test_without_pairs_it_says_what_it_needs() -> None:
    environment = {name: v for name, v in os.environ.items() if name != "LIKENESS_TEST_DATA"}
    run = subprocess.run(
        [sys.executable, "-m", "tests.bench.bench_faces"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
    )
    assert run.returncode == 2
    assert "PAIRS=FOLDER" in run.stderr
    assert "pairs.txt" in run.stderr
