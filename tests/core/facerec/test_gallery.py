"""A search answers what comparing with every template would, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facerec.core import gallery as module
from facerec.core.gallery import BLOCK, Gallery, nearest_subjects
from facerec.core.types import Neighbour


def rows(count: int, *, seed: int = 0, scale: float = 0.13) -> np.ndarray:
    """As long as faces' encodings: |g| about 1.5."""
    return np.random.default_rng(seed).normal(scale=scale, size=(count, 128)).astype(np.float32)


def brute(probes, encodings, subjects, templates, k) -> list[list[Neighbour]]:
    return [nearest_subjects(probe, encodings, subjects, templates, k) for probe in probes]


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 16)


@pytest.mark.usefixtures("small_blocks")
class TestSearch:
    @given(
        count=st.integers(0, 150),
        people=st.integers(1, 40),
        probes=st.integers(0, 5),
        k=st.integers(1, 4),
        exponent=st.integers(-30, 12),
        seed=st.integers(0, 10_000),
    )
    def test_equals_brute_force(self, count, people, probes, k, exponent, seed) -> None:
        rng = np.random.default_rng(seed)
        encodings = rows(count, seed=seed, scale=10.0**exponent)
        subjects = rng.integers(0, people, count)
        templates = rng.permutation(count)
        asked = rows(probes, seed=seed + 1, scale=10.0**exponent)
        found = Gallery.of(encodings, subjects, templates).search(asked, k)
        assert found == brute(asked, encodings, subjects, templates, k)

    @given(
        count=st.integers(2, 120),
        people=st.integers(1, 60),
        noise=st.sampled_from([0, 1e-8, 1e-7, 3e-7, 1e-6, 1e-5, 1e-4]),
        offset=st.sampled_from([0, 1, 30, 1e4]),
        seed=st.integers(0, 10_000),
    )
    def test_equals_brute_force_where_rounding_decides(
        self, count, people, noise, offset, seed
    ) -> None:
        """All templates about equally far from the probe, and far from the origin: |g|^2 + |p|^2
        - 2 g.p cancels, and its order is not the distances' order."""
        rng = np.random.default_rng(seed)
        centre = rng.normal(size=128)
        around = rng.normal(size=(count, 128))
        around /= np.linalg.norm(around, axis=1, keepdims=True)
        around *= 1 + noise * rng.normal(size=(count, 1))
        encodings = (offset * centre + around).astype(np.float32)
        probe = (offset * centre).astype(np.float32)[None]
        subjects, templates = rng.integers(0, people, count), rng.permutation(count)
        found = Gallery.of(encodings, subjects, templates).search(probe, 2)
        assert found == brute(probe, encodings, subjects, templates, 2)

    def test_cancellation_alone_would_answer_wrongly(self) -> None:
        """What the last comparison is for: the product's order is wrong here."""
        probe = np.full((1, 128), 1000, np.float32)
        encodings = np.repeat(probe, 40, axis=0)
        encodings[:, 0] += np.linspace(2, 1, 40, dtype=np.float32)
        scores = np.einsum("kd,kd->k", encodings, encodings) - 2 * encodings @ probe[0]
        assert scores.argmin() != 39
        [[nearest, second]] = Gallery.of(encodings, range(40)).search(probe)
        assert (nearest.subject, second.subject) == (39, 38)
        assert nearest.distance == 1

    def test_ties_go_to_the_lowest_key_wherever_it_lies(self) -> None:
        encodings = np.zeros((60, 128), np.float32)
        keys = np.arange(60)[::-1] + 100
        [[nearest, second]] = Gallery.of(encodings, keys, keys).search(encodings[:1])
        assert (nearest.template, second.template) == (100, 101)

    def test_one_person_with_a_thousand_photos_hides_nobody(self) -> None:
        encodings = np.concatenate([rows(1000, scale=0.001), rows(1, scale=1)])
        subjects = [1] * 1000 + [2]
        [[nearest, second]] = Gallery.of(encodings, subjects).search(np.zeros((1, 128)))
        assert (nearest.subject, second.subject) == (1, 2)

    def test_fewer_subjects_than_asked_for(self) -> None:
        [found] = Gallery.of(rows(5), [3] * 5).search(rows(1), 2)
        assert [n.subject for n in found] == [3]
        assert Gallery().search(rows(2)) == [[], []]


def test_blocks_of_the_real_size() -> None:
    encodings = rows(2 * BLOCK + 100)
    subjects = np.arange(len(encodings)) // 2
    gallery = Gallery.of(encodings, subjects)
    for count in (1, 2, 9):  # alone, a pair, a batch: products of other kinds
        probes = encodings[:count] + rows(count, seed=1, scale=0.02)
        expected = brute(probes, encodings, subjects, np.arange(len(encodings)), 2)
        assert gallery.search(probes) == expected
    assert gallery.nbytes == len(encodings) * (129 * 4 + 8 + 8)


@pytest.mark.usefixtures("small_blocks")
class TestChange:
    @settings(max_examples=30)
    @given(st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=80))
    def test_it_is_what_its_history_makes_it(self, history: list[tuple[bool, int]]) -> None:
        gallery, there = Gallery(), {}
        for step, (comes, key) in enumerate(history):
            if comes:
                row = rows(1, seed=1000 * step + key)
                gallery = gallery.changed(gone=[key], come=(row, [key % 7], [key]))
                there[key] = row[0]
            else:
                gallery = gallery.changed(gone=[key])
                there.pop(key, None)
        assert len(gallery) == len(there)
        keys = np.array(sorted(there), np.int64)
        encodings = np.array([there[key] for key in keys], np.float32).reshape(-1, 128)
        probes = rows(2, seed=5)
        assert gallery.search(probes) == brute(probes, encodings, keys % 7, keys, 2)

    def test_the_former_gallery_stays_as_it_was(self) -> None:
        encodings = rows(40)
        before = Gallery.of(encodings, range(40))
        after = before.changed(gone=[7], come=(rows(1, seed=9), [99], [99]))
        assert [n.subject for [n] in before.search(encodings[7:8], 1)] == [7]
        assert [n.subject for [n] in after.search(encodings[7:8], 1)] != [7]
        assert [n.subject for [n] in after.search(rows(1, seed=9), 1)] == [99]
        assert (len(before), len(after)) == (40, 40)

    def test_it_shares_what_did_not_change(self) -> None:
        before = Gallery.of(rows(64), range(64))
        after = before.changed(gone=[20])
        shared = set(map(id, before._blocks)) & set(map(id, after._blocks))
        assert len(shared) == 3

    def test_emptied_blocks_go(self) -> None:
        gallery = Gallery.of(rows(200), range(200)).changed(gone=range(3, 200))
        assert len(gallery) == 3
        assert gallery.nbytes == 3 * (129 * 4 + 8 + 8)
        assert len(gallery.changed(gone=[0, 1, 2])) == 0


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((2, 127)), np.zeros(128), np.full((2, 128), np.nan), np.full((2, 128), np.inf)],
)
def test_what_is_no_encoding_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="encodings"):
        Gallery.of(wrong, [0, 1])
    with pytest.raises(ValueError, match="encodings"):
        Gallery.of(rows(3), [0, 1, 2]).search(wrong)


def test_subjects_must_belong_to_the_encodings() -> None:
    with pytest.raises(ValueError, match="3 encodings, 2 subjects"):
        Gallery.of(rows(3), [0, 1])
