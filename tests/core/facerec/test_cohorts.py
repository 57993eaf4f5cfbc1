"""Error rates by group of people."""

from __future__ import annotations

import numpy as np
import pytest

from facerec.core.calibration import OperatingPoints, calibrate
from facerec.core.cohorts import Cohort, cohort_tables, measure_cohorts
from facerec.core.error_rates import LabelledSet
from tests.core.facerec.test_error_rates import made_up

LABELS = {f"person {i}": {"camera": "old" if i < 40 else "new"} for i in range(120)}


@pytest.fixture(scope="module")
def labelled() -> LabelledSet:
    """120 people; those before the old camera are alike, and their photos blur."""
    encodings, names = made_up(people=120, photos=2)
    rng = np.random.default_rng(1)
    encodings[:80] = 0.75 * encodings[:80] + rng.normal(size=(80, 128)).astype(np.float32) / 60
    return LabelledSet.of(encodings, names)


@pytest.fixture(scope="module")
def points(labelled: LabelledSet) -> OperatingPoints:
    return calibrate("made up", labelled)


def test_a_cohort_is_measured_among_its_own_people(
    labelled: LabelledSet, points: OperatingPoints
) -> None:
    new, old = measure_cohorts(labelled, LABELS, points)
    assert (old.value, old.people, old.images, old.person_pairs) == ("old", 40, 80, 780)
    assert (new.value, new.people, new.person_pairs) == ("new", 80, 3160)
    alone = calibrate("made up", labelled.only([f"person {i}" for i in range(40)]))
    at = old.fmr[-1]
    assert alone.fmr_at(points.threshold[-1]) == pytest.approx(min(at, 0.1), rel=0.05)


def test_the_table_names_worst_and_best(labelled: LabelledSet, points: OperatingPoints) -> None:
    cohorts = list(measure_cohorts(labelled, LABELS, points))
    [table] = cohort_tables(cohorts, points, 0.1)
    assert table.column == "camera"
    new, old = table.rows
    assert old.fmr is not None
    assert new.fmr is not None
    assert old.fmr.rate > 2 * new.fmr.rate
    assert old.fmr.interval.low <= old.fmr.rate <= old.fmr.interval.high
    assert table.fmr is not None
    assert (table.fmr.worst, table.fmr.best) == ("old", "new")
    assert table.fmr.ratio == pytest.approx(old.fmr.rate / new.fmr.rate)


def test_a_cohort_that_is_too_small_is_no_ground_for_a_comparison(
    labelled: LabelledSet, points: OperatingPoints
) -> None:
    labels = {name: {"desk": "A" if name in ("person 1", "person 2") else "B"} for name in LABELS}
    cohorts = list(measure_cohorts(labelled, labels, points))
    [table] = cohort_tables(cohorts, points, 0.05)
    small, large = table.rows
    assert small.fmr is not None
    assert small.fnmr is not None
    assert not small.fmr.enough
    assert not small.fnmr.enough
    assert large.fmr is not None
    assert large.fmr.enough  # 3 / 0.05 = 60 pairs
    assert table.fmr is table.fnmr is None


def test_columns_that_group_nobody_are_left_out(
    labelled: LabelledSet, points: OperatingPoints
) -> None:
    labels = {name: {"name": name, "city": "Delft", "empty": " "} for name in LABELS}
    assert list(measure_cohorts(labelled, labels, points)) == []
    assert list(measure_cohorts(labelled, {}, points)) == []


def test_a_cohort_of_one_has_no_false_matches_to_count(
    labelled: LabelledSet, points: OperatingPoints
) -> None:
    labels = {"person 1": {"desk": "A"}, "person 2": {"desk": "B"}, "person 3": {"desk": "B"}}
    one, two = measure_cohorts(labelled, labels, points)
    assert one.fmr == one.fmr_high == ()
    assert len(one.fnmr) == len(two.fmr) == len(points.fmr)
    assert cohort_tables([one, two], points, 0.05)[0].rows[0].fmr is None


def test_a_cohort_comes_back_from_json(labelled: LabelledSet, points: OperatingPoints) -> None:
    import json

    cohort = next(measure_cohorts(labelled, LABELS, points))
    assert Cohort.from_dict(json.loads(json.dumps(cohort.as_dict()))) == cohort
