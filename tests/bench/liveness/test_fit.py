from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from facerec.core.liveness.limits import Limits
from facerec.core.liveness.types import Verdict
from scripts.fit_liveness import FITTED, OPEN, between, choose, write
from tests.bench.liveness.outcomes import BONA_FIDE, Outcome
from tests.bench.liveness.tasks import Half, counts, simulated
from tests.simulator import cast


def test_the_halves_have_nobody_in_common() -> None:
    fitting, test = (set(half.seeds(500)) for half in (Half.FITTING, Half.TEST))
    assert len(fitting) == len(test) == 500
    assert not fitting & test
    assert {seed % 2 for seed in fitting} == {0}
    assert {seed % 2 for seed in test} == {1}


def test_a_limit_lies_in_the_middle_where_there_is_room() -> None:
    bona_fide = [0.020, *[0.030] * 999]
    assert between(bona_fide, [0.002, 0.01], at_least=True) == (0.03, 0.01, 0.02)
    assert between([0.1] * 50, [0.5, 0.3], at_least=False) == (0.1, 0.3, 0.2)


def test_without_room_one_bona_fide_session_in_a_hundred_is_refused() -> None:
    bona_fide = [float(i) for i in range(101)]
    assert between(bona_fide, [50.0], at_least=True) == (1, 50, 1)
    assert between(bona_fide, [50.0], at_least=False) == (99, 50, 99)


def test_a_limit_is_laid_on_the_species_that_it_is_to_stop() -> None:
    def seen(species: str, **scores: float) -> Outcome:
        return Outcome(species, "1", Verdict.LIVE, Verdict.LIVE, scores=scores)

    rule = next(it for it in FITTED if it.limit == "relief_least")
    outcomes = [
        seen(BONA_FIDE, relief=0.03),
        seen("flat_print", relief=0.004),
        seen("bent_print", relief=0.01),
        seen("flat_print"),  # it ended before there was one
        seen("phone_replay", relief=0.05),
    ]
    about = choose(rule, outcomes)
    assert (about["limit"], about["beyond"], about["n"]) == (0.02, 0, [1, 2])
    with pytest.raises(ValueError, match="no bona fide"):
        choose(rule, outcomes[1:])


def test_what_is_fitted_is_open_while_scores_are_taken() -> None:
    assert OPEN.relief_least < 0
    assert all(task.limits is OPEN for task in simulated({"a": 2}, Half.FITTING, OPEN))
    assert {rule.limit for rule in FITTED} <= set(OPEN.as_dict())


def test_so_many_of_each_species_come_in_turns() -> None:
    wanted = counts("bent_print,flat_print:3", 1)
    keys = [task.key for task in simulated(wanted, Half.TEST)]
    assert keys == ["bent_print-1", "flat_print-1", "flat_print-3", "flat_print-5"]
    assert set(counts(None, 7).values()) == {7}
    with pytest.raises(ValueError, match="no species mask"):
        counts("mask", 1)


def test_people_are_cast_for_one_half_alone() -> None:
    assert not set(cast.EVEN) & set(cast.ODD)
    assert {lot % 2 for lot in cast.EVEN} <= {0}
    assert {lot % 2 for lot in cast.ODD} <= {1}


def test_what_the_fit_writes_is_what_the_judge_reads(tmp_path: Path) -> None:
    path = tmp_path / "limits.json"
    write(path, {"passive_most": {"limit": 0.25, "n": [1, 1]}}, {BONA_FIDE: 1})
    assert Limits.load(path) == replace(Limits(), passive_most=0.25)
    assert "percentile" in json.loads(path.read_text())["fitted"]["rule"]
    for wrong in ('{"passive_mots": 0.25}', '{"turn": NaN}', '{"turn": "15"}', '{"turn": true}'):
        path.write_text(f'{{"limits": {wrong}}}')
        with pytest.raises(ValueError, match="no limit"):
            Limits.load(path)
