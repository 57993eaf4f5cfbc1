"""Volumes: which filters, by what no cost asks for; seconds and memory of a step.

Small ones (32 voxels a side, 40 steps), of bone and foam, and a solid from the stained glass. For
scale: white noise of the example's values, the soft start, and how far the halves of the example
lie apart. Times are the processor's, so that a busy machine says nearly the same.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from styletransfer.core.features import build_extractor
from styletransfer.core.grams import GramObjective
from styletransfer.core.images import to_tensor
from styletransfer.core.measures import volume as measures
from styletransfer.core.media.types import Floats
from styletransfer.core.media.volume.render import threshold
from styletransfer.core.media.volume.starters import bone, foam
from styletransfer.core.optimisers import build_optimiser
from styletransfer.core.procedural import STARTERS
from styletransfer.core.slices import slice_objective, slices_across
from styletransfer.core.synthesis import solid
from styletransfer.core.synthesis import volume as synthesis

SIZE, STEPS, REACH = 32, 40, 8
Row = dict[str, Any]
Way = Callable[[Tensor, Tensor], GramObjective]
"""(example (1, C, D, H, W), start) → J."""


def rows() -> list[Row]:
    """Seeded; about a minute on one core that has nothing else to do."""
    found = textures("bone", synthesis.scaled(bone(), SIZE).values)
    found += textures("foam", synthesis.scaled(foam(), SIZE).values)
    found += solids()
    return found + [cost(ways, size) for ways, size in (("random", 48), ("lite", 48), ("lite", 96))]


def textures(name: str, example: Floats) -> list[Row]:
    style = torch.from_numpy(example)[None]
    start = synthesis.shuffled(example, SIZE, 0)
    noise = np.random.default_rng(0).permutation(example.ravel()).reshape(example.shape)
    half = SIZE // 2
    found = [
        figures(name, "(white noise)", noise, example),
        figures(name, "(the start)", start[0].numpy(), example),
        figures(name, "(its other half)", example[:, :, half:], example[:, :, :half]),
    ]
    for way, objective in WAYS.items():
        began = time.process_time()
        made = lowered(objective(style, start), start)
        row = figures(name, way, made, example)
        found.append(row | {"CPU s": round(time.process_time() - began, 1)})
    return found


def solids() -> list[Row]:
    """The same picture, its slices judged each alone and all together."""
    drawn = next(starter for starter in STARTERS if starter.slug == "glass")
    style = to_tensor(solid.scaled(drawn.render(400), SIZE))
    pixels = style[0].numpy()
    start = synthesis.shuffled(pixels, SIZE, 0)
    found = [solid_figures("(the start)", start[0].numpy(), pixels)]
    for way, each in (("lite, each slice", True), ("lite, all slices", False)):
        objective = slice_objective(build_extractor("lite"), [style] * 3, start, each=each)
        began = time.process_time()
        made = lowered(objective, start)
        row = solid_figures(way, made, pixels)
        found.append(row | {"CPU s": round(time.process_time() - began, 1)})
    return found


def figures(name: str, way: str, values: Floats, example: Floats) -> Row:
    """In brackets what the example has."""
    middle = threshold(example)
    phase, wanted = values[0] > middle, example[0] > middle
    fraction, surface = measures.volume_fraction, measures.specific_surface
    unit = (1.0, 1.0, 1.0)
    return {
        "example": name,
        "filters": way,
        "two-point": round(measures.two_point_distance(phase, wanted, reach=REACH), 3),
        "fraction": f"{fraction(phase):.3f} ({fraction(wanted):.3f})",
        "surface": f"{surface(phase, unit):.3f} ({surface(wanted, unit):.3f})",
        "values": round(measures.value_distance(values, example), 3),
    }


def solid_figures(way: str, values: Floats, pixels: Floats) -> Row:
    ours, theirs = (np.tensordot(solid.LUMA, v, 1) for v in (values, pixels))
    middle = threshold(theirs)
    phase, wanted = ours > middle, theirs > middle
    apart = [measures.slices_distance(phase, wanted, axis, reach=REACH) for axis in range(3)]
    colours = [measures.value_distance(a, b) for a, b in zip(values, pixels, strict=True)]
    fraction = measures.volume_fraction
    return {
        "example": "glass",
        "filters": way,
        "two-point": round(float(np.mean(apart)), 3),
        "fraction": f"{fraction(phase):.3f} ({fraction(wanted):.3f})",
        "values": round(float(np.mean(colours)), 3),
    }


def lowered(objective: GramObjective, start: Tensor, steps: int = STEPS) -> Floats:
    """The start after so many steps of L-BFGS: (C, D, H, W)."""
    optimiser, x = build_optimiser("lbfgs", 1.0), start
    here = objective.evaluate(x)
    for _ in range(steps):
        x, here = optimiser.step(x, here, objective.evaluate)
    values: Floats = x[0].numpy()
    return values


def random(style: Tensor, start: Tensor) -> GramObjective:
    return synthesis.random_objective(synthesis.random_filters(style, 0), style, start)


def lite(style: Tensor, start: Tensor, each: bool = False) -> GramObjective:
    across = [slices_across(style, axis) for axis in range(3)]
    return slice_objective(build_extractor("lite"), across, start, each=each)


def lite_each(style: Tensor, start: Tensor) -> GramObjective:
    return lite(style, start, each=True)


WAYS: dict[str, Way] = {
    "random": random,
    "lite, all slices": lite,
    "lite, each slice": lite_each,
}


def cost(way: str, size: int) -> Row:
    """Processor seconds of an evaluation of J and its gradient (a step is about one), the process's
    peak memory and what J added to it, in a process of its own."""
    program = (
        "import json, torch; from tests.bench.media import volume; "
        f"torch.set_num_threads({torch.get_num_threads()}); "
        f"print('\\n' + json.dumps(volume.measured({way!r}, {size})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, env=os.environ
    )
    row: Row = json.loads(done.stdout.splitlines()[-1])
    return row


def measured(way: str, size: int) -> Row:
    import resource

    def peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    example = bone().values
    style = torch.from_numpy(example)[None]
    start = synthesis.shuffled(example, size, 0)
    objective = {"random": random, "lite": lite}[way](style, start)
    before = peak()
    objective.evaluate(start)
    began = time.process_time()
    objective.evaluate(start)
    seconds = time.process_time() - began
    return {
        "example": f"bone at {size}",
        "filters": way,
        "CPU s/evaluation": round(seconds, 2),
        "MB": round(peak()),
        "MB of it for J": round(peak() - before),
    }
