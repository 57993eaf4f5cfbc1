from __future__ import annotations

import json

import numpy as np
import pytest

from facerec.core.comparison import Candidate, Comparison, compare, rule_scores
from facerec.core.distance import squared_distance
from facerec.core.heads import RuleName
from facerec.core.metrics import det_curve, equal_error_rate, genuine_impostor, tar_at_far
from facerec.core.splits import first_people


def people(count: int, seed: int, noise: float) -> tuple[np.ndarray, list[str]]:
    """Four photos each; the first 12 numbers tell people apart, the others are noise."""
    rng = np.random.default_rng(seed)
    centres = np.zeros((count, 1, 128))
    centres[..., :12] = rng.normal(size=(count, 1, 12)) * 0.2
    photos = centres + rng.normal(size=(count, 4, 128)) * noise
    return photos.reshape(-1, 128).astype(np.float32), [
        f"p{i}" for i in range(count) for _ in range(4)
    ]


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    taught, taught_people = people(60, 1, 0.13)
    held_out, held_out_people = people(50, 2, 0.13)
    better = np.diag((np.arange(128) < 12).astype(np.float32))
    return compare(
        [
            Candidate("old", taught, held_out),
            Candidate("same", taught.copy(), held_out.copy()),
            Candidate("better", taught @ better, held_out @ better),
        ],
        taught_people,
        held_out_people,
        rounds=60,
    )


def test_every_encoder_with_every_rule(comparison: Comparison) -> None:
    assert [(row.encoder, row.rule) for row in comparison.rows] == [
        (encoder, rule) for encoder in ("old", "same", "better") for rule in RuleName
    ]
    assert (comparison.people, comparison.photos) == (50, 200)
    assert (comparison.genuine, comparison.impostor) == (50 * 6, 200 * 199 // 2 - 50 * 6)
    assert set(comparison.heads) == {
        (encoder, rule)
        for encoder in ("old", "same", "better")
        for rule in (RuleName.ABSOLUTE, RuleName.CHI_SQUARE)
    }


def test_its_figures_are_those_of_the_metrics(comparison: Comparison) -> None:
    scores = genuine_impostor(*people(50, 2, 0.13))
    first = comparison.rows[0]
    for far in (1e-2, 1e-3):
        expected = tar_at_far(scores.genuine, scores.impostor, far)
        assert first.tar[f"{far:g}"].value == pytest.approx(expected)
        assert first.tar[f"{far:g}"].low <= expected <= first.tar[f"{far:g}"].high
    curve = det_curve(scores.genuine, scores.impostor, points=4000)
    assert first.eer.value == pytest.approx(equal_error_rate(curve), abs=2e-3)


def test_the_same_encoder_gains_exactly_nothing_and_a_better_one_surely(
    comparison: Comparison,
) -> None:
    rows = {(row.encoder, row.rule): row for row in comparison.rows}
    same = rows["same", RuleName.DISTANCE].gain["0.001"]
    assert (same.value, same.low, same.high) == (0, 0, 0)
    better = rows["better", RuleName.DISTANCE]
    assert better.gain["0.001"].low > 0
    assert better.accuracy.value > rows["old", RuleName.DISTANCE].accuracy.value
    # Here a head finds by itself what the better encoder leaves out.
    assert rows["old", RuleName.ABSOLUTE].gain["0.001"].low > 0


def test_an_fmr_that_too_few_pairs_support_is_left_out() -> None:
    taught, held_out = people(12, 1, 0.1), people(12, 2, 0.1)
    found = compare([Candidate("old", taught[0], held_out[0])], taught[1], held_out[1], rounds=20)
    assert found.rows[0].tar["0.001"] is None  # 1,056 impostor pairs: one false match
    assert found.rows[0].tar["0.01"] is not None
    json.dumps(found.as_dict(), allow_nan=False)


def test_rule_scores_by_distance_are_the_metrics_own() -> None:
    encodings, names = people(7, 3, 0.1)
    ours, theirs = (
        rule_scores(squared_distance, encodings, names),
        genuine_impostor(encodings, names),
    )
    np.testing.assert_allclose(ours.genuine, theirs.genuine, rtol=1e-6)
    np.testing.assert_allclose(ours.impostor, theirs.impostor, rtol=1e-6)
    np.testing.assert_array_equal(ours.genuine_person, theirs.genuine_person)
    np.testing.assert_array_equal(ours.impostor_people, theirs.impostor_people)


def test_first_people_takes_whole_people_with_several_photos_first() -> None:
    names = ["a", *"bbb", *"cc", *"dddd"]
    assert [names[i] for i in first_people(names, 5)] == list("bbbcc")
    assert len(first_people(names, 10)) == 10
