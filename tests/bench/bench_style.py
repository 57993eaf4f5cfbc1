"""Seconds per iteration of our path against a plain implementation of the same costs.

    python -m tests.bench.bench_style [--size 512] [--steps 20] [--threads 2] [--json FILE]

Plain: the loop that tutorials show, on the same network. float32, contiguous memory,
torch.optim.LBFGS (history 10, one iteration per step, no line search), and the features of C and
S computed anew for every evaluation. Both are timed in one run, in turns, per evaluation of J,
since either may need more than one per step.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from styletransfer.core.features import NetworkExtractor, build_extractor, has_fast_bf16
from styletransfer.core.images import resize, to_tensor
from styletransfer.core.losses import content_loss, style_loss, total_cost
from styletransfer.core.objective import Objective
from styletransfer.core.optimisers import build_optimiser
from styletransfer.core.procedural import STARTERS
from styletransfer.core.types import STYLE_LAYERS, Recipe


def plain(extractor: NetworkExtractor, content: Tensor, style: Tensor, recipe: Recipe) -> Iterator:
    """One evaluation per item, nothing kept between them."""
    image = content.clone().requires_grad_()
    optimiser = torch.optim.LBFGS([image], lr=1.0, max_iter=1, history_size=10)

    def closure() -> Tensor:
        optimiser.zero_grad()
        of_c, of_s = (extractor(x, STYLE_LAYERS) for x in (content, style))
        of_g = extractor(image, STYLE_LAYERS)
        layer = recipe.content_layer
        cost_c = content_loss(of_c[layer], of_g[layer])
        cost_s = torch.stack([style_loss(of_s[k], of_g[k]) for k in STYLE_LAYERS]).sum()
        cost = total_cost(1e-6, cost_c, 1e-3, cost_s)
        cost.backward()
        return cost

    while True:
        optimiser.step(closure)
        with torch.no_grad():
            image.clamp_(0, 1)
        yield 1


def ours(extractor: NetworkExtractor, content: Tensor, style: Tensor, recipe: Recipe) -> Iterator:
    """The same with the product's parts; the number of evaluations of each step."""
    objective = Objective(extractor, content, style, recipe)
    optimiser = build_optimiser("lbfgs", 1.0)
    here, image, count = objective.evaluate(content), content, 0

    def evaluate(x: Tensor):
        nonlocal count
        count += 1
        return objective.evaluate(x)

    while True:
        count = 0
        image, here = optimiser.step(image, here, evaluate)
        yield count


def seconds_per_evaluation(run: Iterator, steps: int) -> Callable[[], float]:
    """Each call times so many steps of the run."""

    def measure() -> float:
        started, evaluations = time.perf_counter(), 0
        for _ in range(steps):
            evaluations += next(run)
        return (time.perf_counter() - started) / evaluations

    return measure


def machine() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {torch.get_num_threads()} thread(s), torch {torch.__version__}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, default=Path("bench-results/style.json"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    starters = {s.slug: s for s in STARTERS}
    content, style = (
        to_tensor(resize(starters[slug].render(options.size), options.size))
        for slug in ("harbour", "currents")
    )
    recipe = Recipe(size=options.size, style_scales=1, tv_weight=0)  # the plain loop's own J
    exact = build_extractor("lite", bf16=False)
    exact._network.to(memory_format=torch.contiguous_format)
    runs = {"plain loop, float32": plain(exact, content, style, recipe)}
    runs["ours, float32"] = ours(build_extractor("lite", bf16=False), content, style, recipe)
    if has_fast_bf16(torch.device("cpu")):
        runs["ours, bfloat16"] = ours(build_extractor("lite", bf16=True), content, style, recipe)
    timers = {name: seconds_per_evaluation(run, options.steps) for name, run in runs.items()}
    for timer in timers.values():
        timer()  # warm-up
    results = {n: statistics.median(rounds) for n, rounds in _in_turns(timers, 3).items()}
    print(f"{machine()}; lite, {content.shape[3]}×{content.shape[2]} px")
    base = results["plain loop, float32"]
    for name, seconds in results.items():
        print(f"  {name:22s} {seconds * 1000:8.1f} ms/evaluation   {base / seconds:5.2f}×")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    report = {"machine": machine(), "size": options.size, "seconds_per_evaluation": results}
    options.json.write_text(json.dumps(report, indent=2) + "\n")


def _in_turns(timers: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Neighbours' noise falls on all alike."""
    taken: dict[str, list[float]] = {name: [] for name in timers}
    for _ in range(rounds):
        for name, timer in timers.items():
            taken[name].append(timer())
    return taken


if __name__ == "__main__":
    main()
