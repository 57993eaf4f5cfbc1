from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facerec.core.calibration import OperatingPoints, calibrate
from facerec.core.errors import CalibrationInvalid
from facerec.core.versions import ALIGNER_VERSION, ENCODER_VERSION


@pytest.fixture(scope="module")
def shipped() -> OperatingPoints:
    return OperatingPoints.load()


def made_up(people: int = 60, photos: int = 4, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(people, 128)) / 16
    encodings = centres[:, None] + rng.normal(size=(people, photos, 128)) / 40
    names = [f"person {i}" for i in range(people) for _ in range(photos)]
    return encodings.reshape(-1, 128).astype(np.float32), names


@pytest.fixture(scope="module")
def small() -> OperatingPoints:
    return calibrate("made up", *made_up(), {"no_face": 2})


def test_the_shipped_points_are_for_this_encoder(shipped: OperatingPoints) -> None:
    assert (shipped.encoder_version, shipped.aligner_version) == (ENCODER_VERSION, ALIGNER_VERSION)
    assert shipped.calibration_set.people > 2000


def test_the_shipped_thresholds_are_stricter_than_dlibs(shipped: OperatingPoints) -> None:
    verification = shipped.verification_threshold()
    assert verification.fmr == pytest.approx(1e-3)
    assert verification.supported
    assert 0.2 < verification.threshold < 0.36  # 0.36 is dlib's 0.6, squared
    assert 0.02 < verification.fnmr < 0.1


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
    lowest = shipped.impostor_fmr[0]
    point = shipped.identification_threshold(100_000)
    assert not point.supported
    assert point.fmr == lowest
    assert point.threshold == shipped.impostor_distance[0]
    assert point.fpir == pytest.approx(1 - (1 - lowest) ** 100_000)
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
        assert shipped.fnmr_at(point.threshold) == point.fnmr
    assert shipped.fnmr_at(0) == 1
    assert shipped.fnmr_at(9) == 0


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


def test_calibrate_counts(small: OperatingPoints) -> None:
    counted = small.calibration_set
    assert (counted.people, counted.images) == (60, 240)
    assert counted.genuine_pairs == 60 * 6
    assert counted.impostor_pairs == 240 * 239 // 2 - 360
    assert counted.person_pairs == 60 * 59 // 2
    assert counted.refused == {"no_face": 2}
    assert small.impostor_fmr[0] == pytest.approx(30 / 1770)


def test_a_person_with_many_photos_weighs_no_more() -> None:
    encodings, names = made_up(photos=1)
    twins = np.repeat(encodings[:1] + 0.001, 200, axis=0)  # one person, photographed 200 times
    encodings = np.concatenate([encodings, np.repeat(encodings[:1], 3, 0), twins])
    names = [*names, *[names[0]] * 3, *["copy"] * 200]
    weighted = calibrate("made up", encodings, names)
    plain = calibrate("made up", *made_up(photos=2))
    # 800 of 1,000s of photo pairs are false matches at 0, but only 1 of 1,830 pairs of people.
    assert weighted.verification_threshold(0.05).threshold > 0.5 * (
        plain.verification_threshold(0.05).threshold
    )


def test_too_few_people_cannot_calibrate() -> None:
    with pytest.raises(ValueError, match="too few"):
        calibrate("made up", *made_up(people=20))
    with pytest.raises(ValueError, match="too few"):
        calibrate("made up", *made_up(photos=1))  # no genuine pair


def test_saved_points_come_back_and_hold_no_encoding(
    small: OperatingPoints, tmp_path: Path
) -> None:
    path = tmp_path / "points.json"
    small.save(path)
    assert OperatingPoints.load(path) == small
    assert "person 1" not in path.read_text()
    assert set(json.loads(path.read_text())) == {
        "encoder_version", "aligner_version", "calibration_set", "impostor_fmr",
        "impostor_distance", "genuine_share", "genuine_distance",
    }  # fmt: skip


def test_points_of_another_version_are_refused(small: OperatingPoints, tmp_path: Path) -> None:
    path = tmp_path / "points.json"
    replace(small, encoder_version="another").save(path)
    with pytest.raises(CalibrationInvalid, match="another"):
        OperatingPoints.load(path)


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
    replace(small, impostor_distance=small.impostor_distance[::-1]).save(path)
    with pytest.raises(CalibrationInvalid, match="rise"):
        OperatingPoints.load(path)
