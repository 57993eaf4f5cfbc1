"""Searching the gallery: memory, time to load, time to answer, beside the time to read the memory.

    python -m tests.bench.bench_gallery [--sizes 10000 100000 1000000] [--threads 1 2]
                                        [--postgres 20000] [--out FILE.json]

Templates are synthetic: as long as faces' encodings and as far apart, two a person. They are
loaded from a database as a worker loads them. "Stream" is the time in which one core reads the
same matrix from memory once: no exact search over all of it can be quicker. Half of the probes are
of enrolled people, half of strangers. All ratios are of one run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SIZES = (10_000, 100_000, 1_000_000)
BATCH = 32
ROOT = Path(__file__).parents[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--postgres", type=int, default=20_000, help="templates; 0: leave it out")
    parser.add_argument("--out", type=Path, default=Path("bench-results/gallery.json"))
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    result = {"machine": machine(), "batch": BATCH, "rows": [], "postgres": None}
    print(result["machine"])
    print(HEADINGS)
    for size in options.sizes:
        for threads in sorted({min(n, cores) for n in options.threads}):
            row = child(threads, "memory", size)
            result["rows"].append(row)
            print(line(row), flush=True)
    if options.postgres:
        result["postgres"] = child(1, "postgres", options.postgres)
        print(postgres_lines(result["postgres"]))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written to {options.out}")


HEADINGS = """
           threads  memory    load  follow  stream |  one probe, ms         |  32 at once, ms
templates               MB       s      ms      ms |  p50    p95   x stream |   p50    p95  each"""


def line(row: dict) -> str:
    one, many = row["one"], row["batch"]
    return (
        f"{row['templates']:9,d}  {row['threads']:7d}{row['megabytes']:8.1f}"
        f"{row['load_s']:8.2f}{row['follow_ms']:8.2f}{row['stream_ms']:8.2f} |"
        f"{one['p50_ms']:6.2f}{one['p95_ms']:7.2f}{one['p50_ms'] / row['stream_ms']:10.1f}  |"
        f"{many['p50_ms']:7.1f}{many['p95_ms']:7.1f}{many['p50_ms'] / BATCH:6.2f}"
    )


def postgres_lines(row: dict | None) -> str:
    if row is None or "skipped" in row:
        return f"\nPostgreSQL left out: {row and row['skipped']}"
    lines = [f"\nPostgreSQL with pgvector, {row['templates']:,} templates, one probe"]
    for kind in ("memory", "pgvector", "pgvector-hnsw"):
        told = row[kind]
        lines.append(
            f"{kind:>14}: p50 {told['p50_ms']:7.2f} ms, p95 {told['p95_ms']:7.2f} ms, ready after "
            f"{told['ready_s']:6.1f} s, right nearest subject {100 * told['recall']:.1f} %"
        )
    return "\n".join(lines)


def child(threads: int, kind: str, size: int) -> dict:
    """Measure in a process of its own: its memory and its threads are nobody else's."""
    told = os.environ | {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
    told |= {"OMP_WAIT_POLICY": "PASSIVE", "LOG_LEVEL": "ERROR"}
    command = [sys.executable, "-m", "tests.bench.gallery", kind, str(size)]
    with tempfile.TemporaryDirectory() as folder:
        told |= {"DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "webapp.settings"}
        told.pop("DATABASE_URL", None)
        done = subprocess.run(command, cwd=ROOT, env=told, stdout=subprocess.PIPE, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def machine() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [text.split(":", 1)[1].strip() for text in lines if text.startswith("model name")]
    return f"{names[0] if names else 'unknown processor'}, {os.cpu_count()} cores"


def timings(work: Callable[[int], object], times: int) -> dict[str, float]:
    """Milliseconds of work(0), work(1), ...: the median and the 95th percentile."""
    taken = []
    for turn in range(times):
        start = time.perf_counter()
        work(turn)
        taken.append(1e3 * (time.perf_counter() - start))
    taken.sort()
    return {"p50_ms": taken[len(taken) // 2], "p95_ms": taken[int(0.95 * len(taken))]}


if __name__ == "__main__":
    main()
