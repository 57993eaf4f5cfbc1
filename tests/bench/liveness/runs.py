"""Many presentations on all cores: deterministic, to be interrupted and gone on with.

Every result is a line of a file as soon as it is there. The first line names the code that made
them: results of other code are not gone on with.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Protocol

from facerec.core.liveness.limits import Limits
from tests.bench.liveness.outcomes import Outcome, Skipped

ROOT = Path(__file__).resolve().parents[3]
CODE = "facerec/core", "tests/simulator", "tests/portraits", "tests/bench/liveness"
THREADS = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"


class Task(Protocol):
    """A presentation that is yet to be judged; it can be pickled."""

    @property
    def key(self) -> str:
        """Names it among all of a run."""
        ...

    def judge(self) -> Outcome | Skipped: ...


def judged(
    tasks: Sequence[Task],
    results: Path,
    *,
    processes: int,
    code: str,
    say: Callable[[str], None] = print,
) -> list[Outcome | Skipped]:
    """What came of every task, in their order.

    results: a JSONL file that is gone on with if it was begun by the same code. code: what stands
    for that, see `fingerprint`. Raises KeyboardInterrupt, after which the file holds what
    was done.
    """
    done = _begun(results, code, say)
    todo = [task for task in tasks if task.key not in done]
    if len(todo) < len(tasks):
        say(f"{len(tasks) - len(todo)} of {len(tasks)} are in {results} already")
    for name in THREADS:  # before a process loads what reads them
        os.environ[name] = "1"
    with results.open("a", encoding="utf-8") as lines:
        for count, (task, found) in enumerate(_in_processes(todo, processes), start=1):
            done[task.key] = found
            lines.write(json.dumps({"key": task.key} | _as_json(found)) + "\n")
            lines.flush()
            step = max(1, len(todo) // 50)
            if count % step == 0 or count == len(todo):
                say(f"{count}/{len(todo)}")
    return [done[task.key] for task in tasks]


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fingerprint(limits: Limits) -> str:
    """Of all that a result depends on: the code, and the limits that are in force."""
    sha256 = hashlib.sha256(repr(limits).encode())
    for folder in CODE:
        for path in sorted((ROOT / folder).rglob("*.py")):
            sha256.update(path.relative_to(ROOT).as_posix().encode() + b"\0")
            sha256.update(path.read_bytes())
    return sha256.hexdigest()


def _in_processes(todo: Sequence[Task], processes: int) -> Iterator[tuple[Task, Outcome | Skipped]]:
    """As they are done. With one process in this one, so that it can be looked into."""
    if processes == 1 or len(todo) < 2:
        yield from ((task, _judge(task)) for task in todo)
        return
    # spawn: a fork after torch has run hangs.
    pool = ProcessPoolExecutor(
        min(processes, len(todo)), multiprocessing.get_context("spawn"), _quiet
    )
    try:
        waiting = {pool.submit(_judge, task): task for task in todo}
        for future in as_completed(waiting):
            yield waiting[future], future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _quiet() -> None:
    """Ctrl-C is the parent's to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _judge(task: Task) -> Outcome | Skipped:
    return task.judge()


def _begun(results: Path, code: str, say: Callable[[str], None]) -> dict[str, Outcome | Skipped]:
    """The results that a run of the same code left; else the file is begun anew."""
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    if lines and json.loads(lines[0]).get("code") == code:
        whole = [line for line in lines[1:] if line.endswith("}")]  # a kill may cut the last one
        results.write_text("\n".join([lines[0], *whole, ""]), encoding="utf-8")
        return {told.pop("key"): _from_json(told) for told in map(json.loads, whole)}
    if lines:
        say(f"{results} was made by other code: begun anew")
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps({"code": code}) + "\n", encoding="utf-8")
    return {}


def _as_json(found: Outcome | Skipped) -> dict[str, Any]:
    if isinstance(found, Skipped):
        return {"skipped": found.sentence, "name": found.name}
    return found.as_json()


def _from_json(told: dict[str, Any]) -> Outcome | Skipped:
    if "skipped" in told:
        return Skipped(told["name"], told["skipped"])
    return Outcome.from_json(told)
