"""Chooses the limits of liveness that data must choose, and writes them as JSON.

    python -m scripts.fit_liveness [--n 60] [--species a,b:300] [--out FILE]

Presentations of the fitting half (people, rooms and cameras of even seeds) are run with these
limits open, so that none of them ends a session; the raw scores stay in bench-results. The bench
measures on the other half alone. The rule, for each limit:

    Between the 1st percentile of bona fide sessions and the worst attack of the species that the
    limit is there to stop, in the middle, if there is room between them; else at the bona fide
    percentile, and the attacks beyond it are left to the other rules.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

import facerec.core.liveness
from facerec.core.liveness.judge import JUDGE_VERSION
from facerec.core.liveness.limits import SHIPPED
from tests.bench.liveness import runs
from tests.bench.liveness.outcomes import BONA_FIDE, Outcome
from tests.bench.liveness.tasks import Half, counts, simulated

REFUSED = 0.01
"""Of bona fide sessions, that a limit may cost at most."""

DEFAULT_OUT = Path(facerec.core.liveness.__file__).with_name("limits.json")


@dataclass(frozen=True, slots=True)
class Fitted:
    """A limit, the score that it is laid on, which side of it is good, and whom it is to stop."""

    limit: str
    score: str
    at_least: bool
    stops: tuple[str, ...]


PRINTS = "flat_print", "bent_print"
FITTED = (
    Fitted("relief_least", "relief", True, (*PRINTS, "cut_out")),
    Fitted("relief_each", "relief_least", True, PRINTS),
)
# The other limits are not fitted here: `same_*` is where verification has its threshold (FMR 1e-3),
# `shape_least` and `parallax_least` only keep noise from passing for depth, and `passive_most` is
# the even odds of the regression that scripts/fit_passive.py makes.
OPEN = replace(
    SHIPPED,
    relief_least=-9,
    relief_each=-9,
    shape_least=-9,
    parallax_least=0,
    same_frontal=9,
    same_turned=9,
    passive_most=1,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--n", type=int, default=60, help="presentations of each species")
    parser.add_argument("--species", help="only these, by commas; a:300 for 300 of a")
    parser.add_argument("--processes", type=int, default=runs.cores())
    parser.add_argument("--scores", type=Path, default=Path("bench-results/liveness-fit.jsonl"))
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    options = parser.parse_args()
    tasks = simulated(counts(options.species, options.n), Half.FITTING, OPEN)
    code = runs.fingerprint(OPEN)
    try:
        found = runs.judged(tasks, options.scores, processes=options.processes, code=code)
    except KeyboardInterrupt:
        sys.exit(f"\ninterrupted; the same command goes on from {options.scores}")
    outcomes = [it for it in found if isinstance(it, Outcome)]
    chosen = {rule.limit: choose(rule, outcomes) for rule in FITTED}
    for limit, about in chosen.items():
        print(limit, about)
    write(options.out, chosen, Counter(it.species for it in outcomes))
    print(f"written to {options.out}")


def write(out: Path, chosen: Mapping[str, Mapping[str, Any]], n: Mapping[str, int]) -> None:
    """The limits, and how they were chosen. n: presentations of each species."""
    told = {
        "limits": {limit: about["limit"] for limit, about in chosen.items()},
        "fitted": {
            "rule": " ".join((__doc__ or "").split("each limit:")[1].split()),
            "on": date.today().isoformat(),
            "judged_by": JUDGE_VERSION,
            "presentations": dict(n),
            "scores": chosen,
        },
    }
    out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def choose(rule: Fitted, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The limit, and the two values that it lies between. Raises ValueError where bona fide
    sessions have no such score."""
    bona_fide = scores_of(outcomes, rule.score, (BONA_FIDE,))
    attacks = scores_of(outcomes, rule.score, rule.stops)
    if not bona_fide:
        raise ValueError(f"no bona fide session has a score {rule.score}")
    percentile, worst, limit = between(bona_fide, attacks, at_least=rule.at_least)
    return {
        "limit": limit,
        "bona_fide_1_percent": percentile,
        "worst_attack": worst,
        "beyond": sum(value >= limit if rule.at_least else value <= limit for value in attacks),
        "n": [len(bona_fide), len(attacks)],
    }


def scores_of(outcomes: Sequence[Outcome], score: str, species: Sequence[str]) -> list[float]:
    return [it.scores[score] for it in outcomes if it.species in species and score in it.scores]


def between(
    bona_fide: Sequence[float], attacks: Sequence[float], *, at_least: bool
) -> tuple[float, float | None, float]:
    """(the bona fide percentile, the worst attack, the limit), to four digits.

    at_least: bona fide scores are the larger ones.
    """
    percentile = float(np.quantile(bona_fide, REFUSED if at_least else 1 - REFUSED))
    worst = (max if at_least else min)(attacks, default=None)
    room = worst is not None and (worst < percentile if at_least else worst > percentile)
    limit = (percentile + worst) / 2 if room and worst is not None else percentile
    return _rounded(percentile), None if worst is None else _rounded(worst), _rounded(limit)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


if __name__ == "__main__":
    main()
