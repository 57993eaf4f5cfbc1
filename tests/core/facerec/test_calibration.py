from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facerec.core.calibration import OperatingPoints, calibrate, pairs_needed, people_needed
from facerec.core.error_rates import LabelledSet
from facerec.core.errors import CalibrationInvalid
from facerec.core.versions import ALIGNER_VERSION, ENCODER_VERSION
from tests.core.facerec.test_error_rates import made_up


@pytest.fixture(scope="module")
def shipped() -> OperatingPoints:
    return OperatingPoints.load()


@pytest.fixture(scope="module")
def small() -> OperatingPoints:
    return calibrate("made up", LabelledSet.of(*made_up()), {"no_face": 2})


def test_the_shipped_points_are_for_this_encoder(shipped: OperatingPoints) -> None:
    assert (shipped.encoder_version, shipped.aligner_version) == (ENCODER_VERSION, ALIGNER_VERSION)
    assert shipped.calibration_set.people > 2000


def test_the_shipped_thresholds_are_what_was_measured(shipped: OperatingPoints) -> None:
    verification = shipped.verification_threshold()
    assert verification.fmr == pytest.approx(1e-3)
    assert verification.supported
    assert 0.11 < verification.threshold < 0.14  # of encodings about one long: 2 - 2 cos
    assert 0.01 < verification.fnmr < 0.06


def test_identification_tightens_as_the_gallery_grows(shipped: OperatingPoints) -> None:
    points = [shipped.identification_threshold(size) for size in (11, 20, 50, 100, 500)]
    thresholds = [point.threshold for point in points]
    assert thresholds == sorted(thresholds, reverse=True)
    assert len(set(thresholds)) == len(thresholds)
    assert all(point.fpir == pytest.approx(1e-2) for point in points if point.supported)
    assert points[1].fmr == pytest.approx(1 - 0.99 ** (1 / 20))
    misses = [point.fnmr for point in points]
    assert misses == sorted(misses)  # and more people are missed


@pytest.mark.parametrize("size", [0, 1, 2, 10])
def test_a_small_gallery_is_searched_no_more_laxly_than_one_person_verified(
    shipped: OperatingPoints, size: int
) -> None:
    point = shipped.identification_threshold(size)
    assert point.threshold == pytest.approx(shipped.verification_threshold().threshold)
    assert point.fpir == pytest.approx(1 - 0.999 ** max(size, 1))


def test_beyond_what_the_set_supports_it_says_so(shipped: OperatingPoints) -> None:
    lowest = shipped.lowest_fmr
    point = shipped.identification_threshold(1_000_000)
    assert not point.supported
    assert point.fmr == lowest
    assert point.threshold == shipped.threshold[0]
    assert point.fpir == pytest.approx(1 - (1 - lowest) ** 1_000_000)
    assert shipped.verification_threshold(lowest).supported
    assert not shipped.verification_threshold(lowest * 0.99).supported


def test_more_templates_share_one_false_match_rate(shipped: OperatingPoints) -> None:
    one, five = (shipped.verification_threshold(templates=count) for count in (1, 5))
    assert five.threshold < one.threshold
    assert five.fpir == pytest.approx(one.fmr)
    assert shipped.verification_threshold(templates=0) == one


def test_an_empty_gallery_has_the_threshold_of_one(shipped: OperatingPoints) -> None:
    assert shipped.identification_threshold(0) == shipped.identification_threshold(1)


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, 2.0, float("nan")])
def test_an_error_rate_that_is_none_is_refused(shipped: OperatingPoints, rate: float) -> None:
    with pytest.raises(ValueError, match="error rate"):
        shipped.verification_threshold(rate)


def test_rates_at_a_threshold_invert_the_threshold(shipped: OperatingPoints) -> None:
    for fmr in (1e-1, 1e-2, 3e-4, 2e-5):
        point = shipped.verification_threshold(fmr)
        assert shipped.fmr_at(point.threshold) == pytest.approx(fmr, rel=0.02)
        assert shipped.fnmr_at(point.threshold) == pytest.approx(point.fnmr, rel=0.02)
    assert shipped.fmr_at(-9) == pytest.approx(shipped.lowest_fmr)


def test_calibrate_meets_the_rates_on_its_own_set(small: OperatingPoints) -> None:
    encodings, names = made_up()
    person = np.array(names)
    distances = ((encodings[:, None] - encodings[None]) ** 2).sum(-1)
    upper = np.triu_indices(len(names), 1)
    same = (person[:, None] == person[None])[upper]
    genuine, impostor = distances[upper][same], distances[upper][~same]
    for fmr in (0.1, 0.05, 0.02):
        point = small.verification_threshold(fmr)
        assert (impostor <= point.threshold).mean() == pytest.approx(fmr, rel=0.1)
        assert (genuine > point.threshold).mean() == pytest.approx(point.fnmr, abs=0.01)
        assert point.fpir_interval.low <= fmr <= point.fpir_interval.high
        assert point.fnmr_interval.low <= point.fnmr <= point.fnmr_interval.high


def test_calibrate_counts(small: OperatingPoints) -> None:
    counted = small.calibration_set
    assert (counted.people, counted.genuine_people, counted.images) == (60, 60, 240)
    assert counted.genuine_pairs == 60 * 6
    assert counted.impostor_pairs == 240 * 239 // 2 - 360
    assert counted.person_pairs == 60 * 59 // 2
    assert counted.refused == {"no_face": 2}
    assert small.lowest_fmr == pytest.approx(3 / 1770, rel=1e-5)


def test_a_person_with_many_photos_weighs_no_more() -> None:
    encodings, names = made_up(photos=1)
    twins = np.repeat(encodings[:1] + 0.001, 200, axis=0)  # one person, photographed 200 times
    encodings = np.concatenate([encodings, np.repeat(encodings[:1], 3, 0), twins])
    names = [*names, *[names[0]] * 3, *["copy"] * 200]
    weighted = calibrate("made up", LabelledSet.of(encodings, names))
    plain = calibrate("made up", LabelledSet.of(*made_up(photos=2)))
    # 800 of 1,000s of photo pairs are false matches at 0, but only 1 of 1,830 pairs of people.
    assert weighted.verification_threshold(0.05).threshold > 0.5 * (
        plain.verification_threshold(0.05).threshold
    )


def test_too_few_people_cannot_calibrate() -> None:
    with pytest.raises(ValueError, match="too few"):
        calibrate("made up", LabelledSet.of(*made_up(people=8)))
    with pytest.raises(ValueError, match="too few"):
        calibrate("made up", LabelledSet.of(*made_up(photos=1)))  # no genuine pair


def test_saved_points_come_back_and_hold_no_encoding(
    small: OperatingPoints, tmp_path: Path
) -> None:
    path = tmp_path / "points.json"
    small.save(path)
    assert OperatingPoints.load(path) == small
    assert "person 1" not in path.read_text()
    assert set(json.loads(path.read_text())) == {
        "encoder_version", "aligner_version", "decision_rule", "calibration_set", "threshold",
        "fmr", "fmr_low", "fmr_high", "fnmr", "fnmr_low", "fnmr_high",
    }  # fmt: skip


def test_points_fit_their_encoder_aligner_and_rule_alone(small: OperatingPoints) -> None:
    assert small.fits(ENCODER_VERSION)
    assert not small.fits("another")
    assert not small.fits(ENCODER_VERSION, aligner="another")
    assert not small.fits(ENCODER_VERSION, rule="chi2")
    named = replace(small, encoder_version="club-3", decision_rule="chi2")
    assert named.fits("club-3", ALIGNER_VERSION, "chi2")


@pytest.mark.parametrize(
    ("fmr", "pairs", "people"), [(0.1, 30, 9), (1e-3, 3000, 78), (3e-6, 1_000_000, 1415)]
)
def test_what_a_rate_takes(fmr: float, pairs: int, people: int) -> None:
    assert pairs_needed(fmr) == pairs
    assert people_needed(fmr) == people
    assert people * (people - 1) // 2 >= pairs > (people - 1) * (people - 2) // 2


def test_a_set_says_how_much_it_lacks(small: OperatingPoints) -> None:
    assert small.shortfall(3 / 1770) is None
    assert small.shortfall(0.01) is None
    lack = small.shortfall(1e-3)
    assert lack is not None
    assert (lack.pairs, lack.more_pairs) == (3000, 3000 - 1770)
    assert (lack.people, lack.more_people) == (78, 18)


@pytest.mark.parametrize("content", ["", "{}", "[1]", "null", '{"encoder_version": 1}'])
def test_a_broken_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "points.json"
    path.write_text(content)
    with pytest.raises(CalibrationInvalid):
        OperatingPoints.load(path)
    with pytest.raises(CalibrationInvalid):
        OperatingPoints.load(tmp_path / "nowhere.json")


def test_a_curve_that_does_not_rise_is_refused(small: OperatingPoints, tmp_path: Path) -> None:
    path = tmp_path / "points.json"
    replace(small, threshold=small.threshold[::-1]).save(path)
    with pytest.raises(CalibrationInvalid, match="rise"):
        OperatingPoints.load(path)
