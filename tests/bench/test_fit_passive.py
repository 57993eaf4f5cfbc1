"""The fit of the passive cues: which side of the limit people and attacks come to lie on."""

from __future__ import annotations

import numpy as np
import pytest

from scripts.fit_passive import BONA_FIDE, auc, fit, report


def rows(seed: int, n: int, waves: float, border: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.abs(rng.normal(0, 0.01, (n, 2))) + np.array([waves, border])


def test_the_limit_lies_between_people_and_those_whom_a_cue_tells() -> None:
    living, prints, unseen = rows(1, 200, 0, 0), rows(2, 50, 0, 0.3), rows(3, 50, 0, 0)
    weights, offset = fit(living, [prints, unseen])
    assert (weights >= 0).all()
    assert (living @ weights + offset < 0).all()
    assert (prints @ weights + offset > 0).all()
    nearest, edge = np.quantile(prints @ weights, 0.1), np.quantile(living @ weights, 0.99)
    assert -offset == pytest.approx(edge + (nearest - edge) / 3)


def test_a_cue_that_speaks_for_people_gets_no_weight() -> None:
    weights, _ = fit(rows(1, 100, 0.5, 0), [rows(2, 100, 0, 0.3)])
    assert weights[0] == 0 < weights[1]


def test_auc_counts_a_tie_as_half() -> None:
    assert auc(np.array([[1.0], [2.0]]), np.array([[1.0], [0.0]])) == 7 / 8
    assert auc(np.zeros((3, 1)), np.zeros((2, 1))) == 0.5


def test_the_report_has_every_species_apart() -> None:
    living, prints, screens = rows(1, 100, 0, 0), rows(2, 20, 0, 0.3), rows(3, 20, 0, 0)
    weights, offset = fit(living, [prints])
    table = {BONA_FIDE: living, "flat_print": prints, "monitor_replay": screens}
    head, _, *lines = report(weights, offset, table)
    assert head.startswith("BPCER at the limit: 0.0 %")
    assert [line.split()[:3] for line in lines] == [
        ["flat_print", "20", "0.0"],
        ["monitor_replay", "20", "100.0"],
    ]
