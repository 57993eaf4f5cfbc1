"""Install trained weights as `lite` and write its model card with the figures.

    python -m scripts.ship_lite --run DIR --teacher PATH --photos DIR --paintings DIR

DIR is what `scripts/train_lite.py` wrote. The figures are measured here, on the weights as they
are shipped.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
from pathlib import Path

import torch
from safetensors import safe_open

from scripts.lite.judge import RECIPE, Verdict, judge
from scripts.lite.pictures import split
from styletransfer.core.download import sha256_of
from styletransfer.core.features import LITE_SHA256, LITE_WEIGHTS, build_extractor
from styletransfer.core.types import STYLE_LAYERS

CARD = Path("docs/lite-model-card.md")

TEXT = """\
# Model card: lite

The extractor that Likeness carries with it, so that a picture can be painted without a download.
Written by `python -m scripts.ship_lite`; the figures are measured on the shipped file.

| | |
| --- | --- |
| file | `styletransfer/core/lite.safetensors`, {size:.2f} MB, fp16 |
| SHA-256 | `{sha256}` |
| architecture | thin VGG: 3×3 convolutions 2-2-2-2-1 at widths 16/32/64/128/128, ReLU, average \
pooling, replicate padding; {parameters:,} parameters |
| input | RGB in [0, 1]; it normalises itself |
| gives | relu1_1, relu2_1, relu3_1, relu4_1, relu5_1 |
| licence | the project's own |

## How it was made
By distillation (`scripts/train_lite.py`, {steps} steps of {batch} crops of 128 px, seed 0). The
teacher is an ImageNet VGG-19 compressed 16 times (Wang et al., "Collaborative Distillation for
Ultra-Resolution Universal Style Transfer", CVPR 2020; MIT); no weight of it is copied. Three
stages: the teacher's features, per channel over their variance; then its Gram matrices too, as a
relative error; then, from two fifths of the steps on, half of each batch are the student's own
paintings in the making, so that it learns where its own optimisation leads it astray.

Images: {photos} natural photos (BSDS500), two paintings out of copyright, drawn patterns and this
project's own starter pictures, by random crops with changed scale, colours and noise. {held_out}
photos and one painting were held out.

## Figures
Held-out R² per layer (1 − squared error / variance, {held_out} photos, 256 px):

| {layers} |
| {rule} |
| {r2} |

J as the teacher judges it (its heads of VGG-19's width; α = 1, β = 10, terms normalised; 256 px,
L-BFGS, {judge_steps} steps from C), over J of the picture that the teacher makes itself (1 would
be as good; the photo left as it is stands for doing nothing):

| photo | painting | lite | untrained lite | photo as it is |
| --- | --- | --- | --- | --- |
{verdicts}

Geometric mean for lite: **{mean:.2f}**.

## What it is not for
It knows textures, not things: do not classify with it. Its deep layers follow the teacher less
well than its shallow ones, so its largest strokes are weaker than VGG-19's; `vgg19` is one
setting away.
"""


def _row(v: Verdict) -> str:
    painting = v.painting + (" (held out)" if v.held_out else "")
    return f"| {v.photo} | {painting} | {v.lite:.2f} | {v.untrained:.2f} | {v.unchanged:.2f} |"


def main() -> None:
    """Judge, install, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("run", "teacher", "photos", "paintings"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    weights: Path = options.run / "lite.safetensors"
    trained, held_out, _ = split(options.photos, options.paintings)
    lite = build_extractor("lite", weights_path=weights, bf16=False)
    verdicts = judge(lite, options.teacher, held_out[:3], options.paintings)
    with safe_open(weights, "pt") as file:
        steps = int(file.metadata()["steps"])
        parameters = sum(file.get_tensor(k).numel() for k in file.keys())  # noqa: SIM118
    entries = [json.loads(line) for line in (options.run / "log.jsonl").read_text().splitlines()]
    r2 = [e["held_out_r2"] for e in entries if e["step"] == steps and "held_out_r2" in e][-1]
    CARD.write_text(
        TEXT.format(
            size=weights.stat().st_size / 1e6,
            sha256=sha256_of(weights),
            parameters=parameters,
            steps=steps,
            batch=16,
            photos=len(trained),
            held_out=len(held_out),
            layers=" | ".join(STYLE_LAYERS),
            rule=" | ".join("---" for _ in STYLE_LAYERS),
            r2=" | ".join(f"{r2[name]:.3f}" for name in STYLE_LAYERS),
            judge_steps=RECIPE.steps,
            verdicts="\n".join(_row(v) for v in verdicts),
            mean=math.exp(sum(math.log(v.lite) for v in verdicts) / len(verdicts)),
        )
    )
    shutil.copyfile(weights, LITE_WEIGHTS)
    LITE_SHA256.write_text(sha256_of(LITE_WEIGHTS) + "\n")
    print(CARD.read_text())


if __name__ == "__main__":
    main()
