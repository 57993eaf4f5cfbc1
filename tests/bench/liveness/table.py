"""The results as people read them, and as the application shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tests.bench.liveness.outcomes import Outcome, Row, percentiles

HEADING = (
    f"{'species':22s} {'n':>5s} {'live':>5s} {'not':>5s} {'incon.':>6s}  "
    f"{'error [95 %]':22s} {'with passive cues':22s} {'inconclusive':20s} {'seconds p50/p95'}"
)


def lines(table: Sequence[Row], outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Error: BPCER of bona fide, APCER of each attack."""
    yield HEADING
    for row in table:
        yield _line(row)
    yield ""
    yield "error: BPCER of bona fide, APCER of an attack (accepted / presented); one presentation"
    yield "is one session; inconclusive is not accepted. Grounds, sessions that had each:"
    for row in table:
        told = ", ".join(f"{name} {count}" for name, count in row.grounds.items()) or "none"
        yield f"  {row.species:22s} {told}"
    if worst := worst_attack(table):
        yield f"worst species: {worst.species}, APCER {worst.error(worst.without)}"
    p50, p95 = judge_milliseconds(outcomes)
    yield f"the judge, a frame: p50 {p50} ms, p95 {p95} ms"


def _line(row: Row) -> str:
    it = row.without
    return (
        f"{row.species:22s} {row.n:5d} {it.live.count:5d} {it.not_live.count:5d} "
        f"{it.inconclusive.count:6d}  {row.error(it)!s:22s} "
        f"{row.error(row.with_passive)!s:22s} {it.inconclusive!s:20s} "
        f"{row.seconds[0]:.1f} / {row.seconds[1]:.1f}"
    )


def worst_attack(table: Sequence[Row]) -> Row | None:
    """The species that is accepted most often; of equals the least often presented."""
    attacks = [(row.error(row.without), row) for row in table if row.is_attack]
    return max(attacks, key=lambda it: (it[0].value, it[0].interval), default=(None, None))[1]


def judge_milliseconds(outcomes: Sequence[Outcome]) -> tuple[float, float]:
    return percentiles([value for outcome in outcomes for value in outcome.milliseconds])


def published(
    table: Sequence[Row], *, judged_by: str, limits: dict[str, Any], command: str
) -> dict[str, Any]:
    """What `facerec/core/liveness/figures.json` holds."""
    bona_fide = [row.as_json() for row in table if not row.is_attack]
    return {
        "judged_by": judged_by,
        "simulated": True,
        "command": command,
        "limits": limits,
        "species": [row.as_json() for row in table if row.is_attack],
        "bona_fide": bona_fide[0] if bona_fide else None,
    }


def markdown(table: Sequence[Row]) -> Iterator[str]:
    """The same as the documentation has it."""
    yield "| species | n | accepted | error [95 %] | with passive cues | inconclusive | grounds |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for row in table:
        it, grounds = row.without, ", ".join(f"{k} {n}" for k, n in row.grounds.items())
        cells = f"`{row.species}`", str(row.n), str(it.live.count), str(row.error(it))
        rest = str(row.error(row.with_passive)), str(it.inconclusive), grounds
        yield f"| {' | '.join([*cells, *rest])} |"
