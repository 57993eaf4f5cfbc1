"""Which filters suit which medium, by held-out statistics, and what tiles save.

    python -m tests.bench.bench_media [--only sound signal volume clip tiling] [--threads 1]
                                      [--out bench-results/media.json]

Each table comes from `rows()` in tests/bench/media, run in a process of its own with seeds of its
own: every run gives the same figures but for the seconds and MB.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import torch

from tests.bench.bench_style import machine

TABLES = {
    "sound": "Sound: timbre transfer and texture",
    "signal": "Signal: texture",
    "volume": "Volume: texture, and solids from a picture",
    "clip": "Clip: style transfer that does not flicker",
    "tiling": "Tiles: J and its gradient, in parts and whole",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("bench-results/media.json"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    results = {"machine": machine(), "tables": {}}
    print(results["machine"])
    for name in options.only:
        began = time.perf_counter()
        rows = child(name, options.threads)
        print(f"\n{TABLES[name]} ({time.perf_counter() - began:.0f} s)")
        print("\n\n".join("\n".join(table(alike)) for alike in blocks(rows)), flush=True)
        results["tables"][name] = rows
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    print(f"\nwritten to {options.out}")


def child(name: str, threads: int) -> list[dict]:
    """The rows of one table, from a process of its own."""
    program = (
        "import json, torch; from importlib import import_module; "
        f"torch.set_num_threads({threads}); "
        f"rows = import_module('tests.bench.media.{name}').rows(); "
        "print('\\n' + json.dumps(rows, default=float))"
    )
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)
    rows: list[dict] = json.loads(done.stdout.splitlines()[-1])
    return rows


def blocks(rows: list[dict]) -> list[list[dict]]:
    """Rows that measure other things than those above them are a table of their own."""
    found: list[list[dict]] = []
    known: set[str] = set()
    for row in rows:
        if found and (known >= set(row) or known <= set(row)):
            found[-1].append(row)
            known |= set(row)
        else:
            found.append([row])
            known = set(row)
    return found


def table(rows: list[dict]) -> list[str]:
    """The rows below their columns' names, words to the left and numbers to the right."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [[_spelled(row.get(key, "")) for key in columns] for row in rows]
    numbers = [all(not isinstance(row.get(key, 0), str) for row in rows) for key in columns]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, numbers, strict=True)
        ).rstrip()
        for line in [columns, *cells]
    ]


def _spelled(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
