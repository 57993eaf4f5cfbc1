"""What the network sees: how fast pictures are mined and in how much memory, what made pictures
reach, and how long a heat map takes.

    python -m tests.bench.bench_visualise [--pictures 200 2000] [--units 4] [--skip-mining]

Mining is compared with two plain ways: `keeps all` remembers every view and every maximum and
sorts at the end; `a layer a pass` reads the corpus anew for each layer. Each runs in a process of
its own, whose peak memory is told. The pictures are pieces of drawn ones, 128 × 96 for the memory
and 256 × 192 for the speed. A made picture is compared with the best patch that the house's own
pictures have for its unit. All times are those of one thread's CPU: neighbours hardly count.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from styletransfer.core.features import build_extractor
from styletransfer.core.procedural import STARTERS
from styletransfer.core.visualise.findings import TOP, Findings
from styletransfer.core.visualise.heat import heat, strongest
from styletransfer.core.visualise.house import house_pictures
from styletransfer.core.visualise.mining import BATCH, mine
from styletransfer.core.visualise.networks import ExtractorNetwork, SeenNetwork, build_network
from styletransfer.core.visualise.synthesis import excite
from tests.bench.bench_style import machine

WAYS = ("ours", "keeps all", "a layer a pass")


def pieces(count: int, side: int) -> Iterator[tuple[str, Image.Image]]:
    """So many different pieces, side × ¾ side, of a few drawn pictures."""
    drawn = [STARTERS[index].draw(3, 512) for index in (2, 5, 7, 8)]
    random = np.random.default_rng(0)
    for number in range(count):
        picture = drawn[number % len(drawn)]
        width = random.integers(side, 400)
        left = random.integers(0, picture.width - width)
        top = random.integers(0, picture.height - width * 3 // 4)
        piece = picture.crop((left, top, left + width, top + width * 3 // 4))
        yield str(number), piece.resize((side, side * 3 // 4))


def keep_all(network: SeenNetwork, pictures: list[tuple[str, Image.Image]], layers: list[str]):
    """Every view and every unit's maximum in it; sorted at the end."""
    views, maxima = {}, {layer: [] for layer in layers}
    for start in range(0, len(pictures), BATCH):
        step = pictures[start : start + BATCH]
        views |= {key: network.views(picture)[0] for key, picture in step}
        batch = torch.cat([network.prepare(views[key]) for key, _ in step])
        with torch.inference_mode():
            for layer, features in network(batch, layers).items():
                value, at = features.flatten(2).max(2)
                maxima[layer] += list(zip(value.numpy(), at.numpy(), strict=True))
    return views, {
        layer: np.argsort(-np.stack([value for value, _ in found]), 0, "stable")[:TOP]
        for layer, found in maxima.items()
    }


def one(way: str, count: int, side: int) -> dict[str, float]:
    """One way in this process: pictures a second, peak memory, and that before it began."""
    network = ExtractorNetwork(build_extractor("lite", bf16=False))
    names = [info.name for info in network.layers]
    for _ in mine(network, pieces(BATCH, side)):
        pass  # warm-up
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started = time.process_time()
    if way == "ours":
        for _ in mine(network, pieces(count, side)):
            pass
    elif way == "keeps all":
        keep_all(network, list(pieces(count, side)), names)
    else:
        for name in names:
            keep_all(network, list(pieces(count, side)), [name])
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"pictures_a_second": count / seconds, "peak_mb": peak, "before_mb": before}


def apart(way: str, count: int, side: int) -> dict[str, float]:
    """`one` in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.bench_visualise", "--one", way]
    done = subprocess.run(
        [*command, str(count), str(side)], check=True, capture_output=True, text=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def made(network: SeenNetwork, found: Findings, units: int) -> list[dict[str, float | str]]:
    """In the last layer of each group, over some units that fire: what a made picture reaches, as a
    share of the best patch's activation."""
    rows: list[dict[str, float | str]] = []
    for info in {info.group: info for info in network.layers}.values():
        firing = [unit for unit, hits in enumerate(found.best(info.name)) if len(hits) == TOP]
        if not firing:
            continue
        chosen = [firing[i * len(firing) // units] for i in range(min(units, len(firing)))]
        shares, seconds = [], []
        for unit in chosen:
            started = time.process_time()
            *_, last = excite(network, info.name, unit)
            seconds.append(time.process_time() - started)
            shares.append(last.activation / found.best(info.name)[unit][0].activation)
        row = {"layer": info.name, "firing": len(firing), "units": info.units}
        row |= {"share": statistics.median(shares), "least": min(shares)}
        rows.append(row | {"cpu_seconds": statistics.median(seconds)})
        told = "{layer:8s} {firing:4d} of {units:4d} fire   made / best patch {share:5.2f} "
        print(
            ("  " + told + "(least {least:.2f})   {cpu_seconds:5.1f} s a unit").format(**rows[-1])
        )
    return rows


def milliseconds(network: SeenNetwork, view: Image.Image, layer: str) -> float:
    """A heat map and the layer's strongest units, as a try in the page asks for them."""
    taken = []
    for _ in range(7):
        started = time.process_time()
        heat(network, view, layer, strongest(network, view, layer)[0][0])
        taken.append(time.process_time() - started)
    return 1000 * statistics.median(taken)


def look_into(network: SeenNetwork, units: int) -> dict[str, object]:
    """The house's own pictures, made pictures and heat in one network."""
    started = time.process_time()
    pictures = [(p.title, p.draw()) for p in house_pictures(network.name)]
    drawing = time.process_time() - started
    *_, progress = mine(network, pictures)
    print(f"{network.name}: {len(pictures)} house pictures, drawn in {drawing:.0f} s")
    [view, *_] = network.views(pictures[0][1])
    deepest = network.layers[-1].name
    took = milliseconds(network, view, deepest)
    print(f"  heat map and strongest units, {deepest}: {took:.0f} ms")
    return {"heat_ms": took, "made": made(network, progress.findings, units)}


def face_network() -> SeenNetwork:
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from facerec.core.encoder import Encoder
    from facerec.core.pipeline import FacePipeline
    from facerec.seam import FaceSight

    return build_network(FaceSight(FacePipeline.build(), Encoder()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pictures", type=int, nargs="+", default=[200, 2000])
    parser.add_argument("--units", type=int, default=4)
    parser.add_argument("--skip-mining", action="store_true")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, default=Path("bench-results/visualise.json"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.one:
        way, count, side = options.one
        print(json.dumps(one(way, int(count), int(side))))
        return
    report: dict[str, object] = {"machine": machine()}
    print(machine())
    if not options.skip_mining:
        runs = [(way, count, 128) for way in WAYS[:2] for count in options.pictures]
        runs += [(way, min(64, *options.pictures), 256) for way in WAYS]
        mined = []
        for way, count, side in runs:
            row = {"way": way, "pictures": count, "side": side} | apart(way, count, side)
            mined.append(row)
            told = "  {way:15s} {pictures:5d} × {side} px  {pictures_a_second:6.1f} pictures/s"
            print((told + "   peak {peak_mb:5.0f} MB (before {before_mb:.0f})").format(**row))
        report["mining"] = mined
    for network in (build_network(build_extractor("lite", bf16=False)), face_network()):
        report[network.name] = look_into(network, options.units)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
