"""What tiles save and cost: peak memory and seconds an iteration, tiled against whole.

An iteration is J and its gradient. Each case runs in a process of its own, since a process never
gives back its peak. What a small input needs is taken off: it is torch itself, most of all.

    python -m tests.bench.media.tiling NAME SIDE    one case, as JSON (SIDE 0: whole)
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from styletransfer.core.features import Extractor, build_extractor
from styletransfer.core.filters import Bank, RandomFilters
from styletransfer.core.texture import TextureObjective

ROUNDS = 2


@dataclass(frozen=True)
class Case:
    """shape: of x. side: of a tile. extractor: made when it is needed."""

    what: str
    shape: tuple[int, ...]
    side: int
    extractor: Callable[[], Extractor]


CASES: Mapping[str, Case] = {
    "signal": Case(
        "1 axis: 1,000,000 samples, 2 × 64 filters of 25",
        (1, 1, 1_000_000),
        65_536,
        lambda: RandomFilters(1, 1, [Bank("fine", 25, 64), Bank("coarse", 25, 64, shrink=4)]),
    ),
    "picture": Case(
        "2 axes: 1280 × 1280 px, lite", (1, 3, 1280, 1280), 256, lambda: build_extractor("lite")
    ),
    "volume": Case(
        "3 axes: 96 × 96 × 96 voxels, 64 filters of 5³",
        (1, 1, 96, 96, 96),
        16,
        lambda: RandomFilters(1, 3, [Bank("fine", 5, 64)]),
    ),
}


def measure(case: Case, side: int) -> dict[str, float]:
    """Seconds an iteration, and MB at the peak."""
    extractor = case.extractor()
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(case.shape, generator=generator)
    style = torch.rand(
        *case.shape[:2],
        *[min(n, 24 if len(case.shape) == 5 else 128) for n in case.shape[2:]],
        generator=generator,
    )
    warm = torch.rand(
        *case.shape[:2], *[min(n, 24 if len(case.shape) == 5 else 112) for n in case.shape[2:]]
    )
    _timed(TextureObjective(extractor, style, warm), warm)  # what torch itself needs, once
    before = _peak()
    objective = TextureObjective(extractor, style, x, tile=side or None)
    taken = [_timed(objective, x) for _ in range(ROUNDS)]
    return {"seconds": min(taken), "mb": _peak() - before}


def _timed(objective: TextureObjective, x: Tensor) -> float:
    began = time.perf_counter()
    objective.evaluate(x)
    return time.perf_counter() - began


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def rows() -> list[dict]:
    """A row for each case, whole beside tiled."""
    return [_row(name, case) for name, case in CASES.items()]


def _row(name: str, case: Case) -> dict:
    whole, tiled = (_child(name, side) for side in (0, case.side))
    return {
        "what": case.what,
        "tile": case.side,
        "MB whole": round(whole["mb"]),
        "MB tiled": round(tiled["mb"]),
        "memory": round(tiled["mb"] / whole["mb"], 2),
        "s whole": round(whole["seconds"], 2),
        "s tiled": round(tiled["seconds"], 2),
        "time": round(tiled["seconds"] / whole["seconds"], 2),
    }


def _child(name: str, side: int) -> dict[str, float]:
    command = [sys.executable, "-m", __name__, name, str(side)]
    if __name__ == "__main__":
        command[2] = "tests.bench.media.tiling"
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps(measure(CASES[sys.argv[1]], int(sys.argv[2]))))
