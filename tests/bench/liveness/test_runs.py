from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from facerec.core.liveness.types import Ground, Verdict
from tests.bench.liveness import outcomes, runs, table
from tests.bench.liveness.outcomes import BONA_FIDE, Outcome, Skipped


@dataclass(frozen=True)
class Drawn:
    """A task whose verdict its number decides."""

    species: str
    number: int

    @property
    def key(self) -> str:
        return f"{self.species}-{self.number}"

    def judge(self) -> Outcome | Skipped:
        if self.number < 0:
            return Skipped(self.key, "it is broken")
        if self.number == 99:
            raise KeyboardInterrupt
        verdict = [Verdict.LIVE, Verdict.NOT_LIVE, Verdict.INCONCLUSIVE][self.number % 3]
        grounds = () if verdict is Verdict.LIVE else (Ground.FLAT,)
        times = (float(self.number), 2.0)
        return Outcome(self.species, self.key, verdict, Verdict.NOT_LIVE, grounds, 5.0, 2, times)


def run(path: Path, tasks: list[Drawn], **options: object) -> list[Outcome | Skipped]:
    return runs.judged(tasks, path, code="a", say=lambda line: None, **options)  # type: ignore


def test_results_come_in_the_tasks_order_from_several_processes(tmp_path: Path) -> None:
    tasks = [Drawn("flat_print", n) for n in (3, 1, 2, -1)]
    found = run(tmp_path / "r.jsonl", tasks, processes=2)
    assert [it.name for it in found] == [task.key for task in tasks]
    assert found[3] == Skipped("flat_print--1", "it is broken")
    assert found == run(tmp_path / "other.jsonl", tasks, processes=1)


def test_an_interrupted_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.jsonl"
    with pytest.raises(KeyboardInterrupt):
        run(path, [Drawn("a", 1), Drawn("a", 2), Drawn("a", 99), Drawn("a", 3)], processes=1)
    with path.open("a") as file:
        file.write('{"key": "a-4", "cut o')
    monkeypatch.setattr(Drawn, "judge", lambda task: Skipped(task.key, "judged again"))
    found = run(path, [Drawn("a", n) for n in (1, 2, 3, 4)], processes=1)
    assert [isinstance(it, Skipped) for it in found] == [False, False, True, True]
    assert found[0] == Outcome(
        "a", "a-1", Verdict.NOT_LIVE, Verdict.NOT_LIVE, (Ground.FLAT,), 5.0, 2, (1.0, 2.0)
    )
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_results_of_other_code_are_not_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    run(path, [Drawn("a", 1)], processes=1)
    said: list[str] = []
    runs.judged([Drawn("b", 1)], path, code="b", processes=1, say=said.append)
    assert "other code" in said[0]
    assert len(path.read_text().splitlines()) == 2


def outcome(species: str, verdict: Verdict, passive: Verdict | None = None) -> Outcome:
    return Outcome(species, "1", verdict, passive or verdict, seconds=4.0, milliseconds=(10, 30))


def test_rates_are_counted_as_the_norm_says() -> None:
    found = [
        *[outcome("flat_print", Verdict.LIVE, Verdict.NOT_LIVE)] * 2,
        *[outcome("flat_print", Verdict.NOT_LIVE)] * 17,
        outcome("flat_print", Verdict.INCONCLUSIVE),
        *[outcome(BONA_FIDE, Verdict.LIVE)] * 6,
        *[outcome(BONA_FIDE, Verdict.NOT_LIVE)] * 1,
        *[outcome(BONA_FIDE, Verdict.INCONCLUSIVE)] * 3,
    ]
    bona_fide, flat = outcomes.rows(found)
    assert (bona_fide.species, flat.species) == (BONA_FIDE, "flat_print")
    assert bona_fide.error(bona_fide.without).value == 0.1  # inconclusive is no error
    assert bona_fide.without.inconclusive.value == 0.3
    assert flat.error(flat.without).value == 0.1
    assert flat.error(flat.with_passive).value == 0
    assert table.judge_milliseconds(found) == (20, 30)
    told = table.published([bona_fide, flat], judged_by="v", limits={"a": 1}, command="make")
    assert told["bona_fide"]["bpcer"] == 0.1
    [species] = told["species"]
    assert (species["species"], species["n"], species["accepted"]) == ("flat_print", 20, 2)
    assert species["low"] < species["apcer"] == 0.1 < species["high"]


def test_the_worst_species_is_named_and_none_is_pooled() -> None:
    found = [
        *[outcome("bent_print", Verdict.NOT_LIVE)] * 10,
        *[outcome("cut_out", Verdict.NOT_LIVE)] * 5,
        outcome("swapped", Verdict.LIVE),
    ]
    by_species = outcomes.rows(found)
    assert table.worst_attack(by_species).species == "swapped"  # type: ignore[union-attr]
    assert table.worst_attack(by_species[:2]).species == "cut_out"  # type: ignore[union-attr]
    assert table.worst_attack([]) is None
    lines = list(table.lines(by_species, found))
    assert any(line.startswith("worst species: swapped, APCER 100.0 %") for line in lines)
