"""How often a picture of a person passes for the person, and a person for a picture.

    python -m tests.bench.bench_liveness [--n 100] [--species a,b:300] [--recordings FOLDER]
        [--faces FOLDER]

Simulated presentations of people, rooms and cameras that no limit was fitted to; with --recordings
the sessions that a site recorded, judged again, with --faces simulated ones of photographed people.
One table each, one row a species: nothing is pooled. What was done is kept, so that a run may be
interrupted and gone on with by the same command. Written is bench-results/liveness.json.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path
from typing import Any, NoReturn

from facerec.core.liveness.challenge import STEPS
from facerec.core.liveness.judge import JUDGE_VERSION
from facerec.core.liveness.limits import SHIPPED
from tests.bench.bench_faces import machine
from tests.bench.liveness import runs, table
from tests.bench.liveness.outcomes import Outcome, Skipped, rows
from tests.bench.liveness.runs import Task
from tests.bench.liveness.tasks import Half, Recorded, counts, heads, simulated

N = 100
FIGURES = Path(__file__).resolve().parents[2] / "facerec/core/liveness/figures.json"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--n", type=int, help=f"presentations of each species, by default {N}")
    parser.add_argument("--species", help="only these, by commas; a:300 for 300 of a")
    parser.add_argument("--steps", type=int, default=STEPS, help="movements in a challenge")
    parser.add_argument("--recordings", type=Path, help="a folder of recorded sessions (ZIP)")
    parser.add_argument("--faces", type=Path, help="a folder of photos of faces")
    parser.add_argument("--processes", type=int, default=runs.cores())
    parser.add_argument("--publish", action="store_true", help=f"write {FIGURES.name} too")
    parser.add_argument("--out", type=Path, default=Path("bench-results/liveness.json"))
    return parser.parse_args()


def presented(options: argparse.Namespace) -> dict[str, list[Task]]:
    """What is to be judged, table by table. Recordings or faces alone, unless --n says more."""
    tables: dict[str, list[Task]] = {}
    try:
        wanted = counts(options.species, options.n or N)
    except ValueError as error:
        give_up(str(error))
    if options.n or not (options.recordings or options.faces):
        tables["simulated"] = simulated(wanted, Half.TEST, steps=options.steps)
    if options.recordings:
        if not (paths := sorted(options.recordings.rglob("*.zip"))):
            give_up(f"There is no recording (ZIP) in {options.recordings}.")
        tables["recorded"] = [Recorded(path) for path in paths]
    if options.faces:
        made, refused = heads(options.faces)
        print("".join(f"left out: {sentence}\n" for sentence in refused), end="")
        if len(made) < 2:
            give_up(f"{options.faces} has no two photos that show one face from the front.")
        print(f"{len(made)} people of {options.faces}")
        tables["photographed"] = simulated(
            wanted, Half.TEST, faces=options.faces, steps=options.steps
        )
    return tables


def give_up(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr)
    sys.exit(2)


def main() -> None:
    options = arguments()
    processes = options.processes
    print(f"{machine()}; judge {JUDGE_VERSION}; {processes} process(es)", flush=True)
    result: dict[str, Any] = {"machine": machine(), **judged_by()}
    code, broken = f"{options.steps} {runs.fingerprint(SHIPPED)}", False
    for title, tasks in presented(options).items():
        print(f"\n{title}: {len(tasks)} presentations", flush=True)
        partial = options.out.with_name(f"{options.out.stem}-{title}.jsonl")
        try:
            found = runs.judged(tasks, partial, processes=processes, code=code, say=say)
        except KeyboardInterrupt:
            print(f"\ninterrupted; the same command goes on from {partial}", file=sys.stderr)
            sys.exit(130)
        outcomes = [it for it in found if isinstance(it, Outcome)]
        skipped = [it.sentence for it in found if isinstance(it, Skipped)]
        by_species = rows(outcomes)
        print("\n".join(["", *table.lines(by_species, outcomes)]))
        print("".join(f"skipped: {sentence}\n" for sentence in skipped), end="", flush=True)
        result[title] = {
            "species": [row.as_json() for row in by_species],
            "judge_milliseconds": dict(
                zip(("p50", "p95"), table.judge_milliseconds(outcomes), strict=True)
            ),
            "skipped": skipped,
        }
        if title == "simulated":
            broken = bool(skipped)
            if options.publish:
                write(FIGURES, table.published(by_species, **judged_by()))
                print("\n".join(table.markdown(by_species)))
    write(options.out, result)
    sys.exit(broken)


def judged_by() -> dict[str, Any]:
    command = " ".join(["python -m tests.bench.bench_liveness", *map(shlex.quote, sys.argv[1:])])
    return {"judged_by": JUDGE_VERSION, "limits": SHIPPED.as_dict(), "command": command}


def write(path: Path, result: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"written to {path}")


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
