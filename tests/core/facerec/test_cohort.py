from __future__ import annotations

import numpy as np
import pytest

from facerec.core import cohort, metrics
from facerec.core.cohort import cross_fitted, fit_adapter


def made_up(people: int = 240, photos: int = 3, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    """People on a sphere who crowd on one side of it, seen in photos of different lengths whose
    errors all lie in sixteen directions."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(people, 128))
    crowd = np.arange(people) % 2 == 0
    centres[crowd] = centres[0] * 1.5 + 0.55 * centres[crowd]
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    errors = np.zeros((people, photos, 128))
    errors[..., :16] = rng.normal(size=(people, photos, 16)) / 14
    lengths = rng.uniform(0.7, 1.4, size=(people, photos, 1))
    encodings = (centres[:, None] + errors) * lengths
    names = [f"person {i:03}" for i in range(people) for _ in range(photos)]
    return encodings.reshape(-1, 128).astype(np.float32), names


def tar(encodings: np.ndarray, people: list[str]) -> float:
    scores = metrics.genuine_impostor(encodings, people)
    return metrics.tar_at_far(scores.genuine, scores.impostor, 1e-3)


def test_people_whom_it_has_not_seen_are_told_apart_better() -> None:
    encodings, people = made_up()
    fold = np.repeat(np.arange(240) % 2, 3)
    before, after = [], []
    for inside, adapter in cross_fitted(encodings, people, fold):
        held_out = [person for person, kept in zip(people, inside, strict=True) if kept]
        before.append(tar(encodings[inside], held_out))
        after.append(tar(adapter(encodings[inside]), held_out))
    assert np.mean(after) > np.mean(before) + 0.1


def test_a_crowd_is_spread() -> None:
    encodings, people = made_up()
    adapted = fit_adapter(encodings, people, version="x")(encodings)
    lengths = np.linalg.norm(adapted, axis=1).reshape(240, 3).mean(axis=1)
    assert lengths[0::2].min() > lengths[1::2].max()


def test_it_comes_out_the_same_each_time() -> None:
    encodings, people = made_up(120)
    first, second = (fit_adapter(encodings, people, version="x") for _ in range(2))
    np.testing.assert_array_equal(first(encodings), second(encodings))


def test_directions_that_vary_within_people_count_less() -> None:
    encodings, people = made_up()
    weight = cohort.whitening(encodings.astype(float), np.unique(people, return_inverse=True)[1])
    gain = np.linalg.norm(weight, axis=0)
    assert gain[:16].max() < gain[16:].min()
    np.testing.assert_allclose(weight, weight.T, atol=1e-12)


def test_the_nearest_strangers_leave_oneself_out() -> None:
    units = np.eye(128)[np.r_[0, 0, 1:12]]
    near = cohort.nearness_of_strangers(units, np.r_[0, 0, 1:12])
    np.testing.assert_array_equal(near, 0)  # orthogonal to all, though 1 to one's own


def test_too_few_people_are_no_cohort() -> None:
    encodings, people = made_up(40)
    with pytest.raises(ValueError, match="100"):
        fit_adapter(encodings, people, version="x")
    encodings, _ = made_up(150, 1)
    with pytest.raises(ValueError, match="two photos"):
        fit_adapter(encodings, [str(i) for i in range(150)], version="x")


def test_the_shipped_adapter_is_this_recipes() -> None:
    from facerec.core.adapter import shipped
    from facerec.core.versions import BACKBONE_VERSION, ENCODER_VERSION

    adapter = shipped()
    assert adapter.encoder_version == ENCODER_VERSION
    assert adapter.backbone == BACKBONE_VERSION
    assert adapter.unit
    assert adapter.scale is not None
