"""Train `lite`, the embedded extractor, by distillation from a compressed VGG-19.

    python -m scripts.train_lite --teacher PATH --photos DIR --paintings DIR --out DIR

Three stages: the teacher's features; then its Gram matrices too; then on the student's own
paintings in the making. Run again with the same --out to go on from the last save. Writes
lite.safetensors (fp16, averaged weights), state.pt and log.jsonl to --out.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from scripts.lite.pictures import Sampler, draw_patterns, draw_starters, read_picture, split
from scripts.lite.policy import Policy, distillation_losses
from scripts.lite.teacher import Teacher
from styletransfer.core.lite import ThinVGG, initialise
from styletransfer.core.types import STYLE_LAYERS

SIDE, BATCH = 128, 16
GRAM_FROM, POLICY_FROM = 0.2, 0.4  # shares of the steps
POLICY_EVERY, POLICY_STEPS = 20, 10
WAKE = 0.05  # weight of the error before the ReLU, until the on-policy stage
SAVE_EVERY = 250


class Training:
    """The student, its teacher, and all that a resumed run needs."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        torch.set_num_threads(options.threads)
        self.rng = np.random.default_rng(options.seed)
        photos, held_out, paintings = split(options.photos, options.paintings)
        patterns = draw_patterns(120, np.random.default_rng(options.seed)) + draw_starters(4)
        styles = [read_picture(path) for path in paintings]
        self.sampler = Sampler(
            [(0.6, [read_picture(p) for p in photos]), (0.15, styles), (0.25, patterns)],
            SIDE,
            self.rng,
        )
        self.held_out = torch.stack([_centre(read_picture(p), 256) for p in held_out])
        self.teacher = Teacher(options.teacher)
        self.unit = self._layer_units()
        self.scale = self._channel_scales()
        self.student = ThinVGG()
        initialise(self.student, torch.Generator().manual_seed(options.seed))
        self.student = self.student.to(memory_format=torch.channels_last)
        self.average = {k: v.detach().clone() for k, v in self.student.named_parameters()}
        self.optimiser = torch.optim.Adam(self.student.parameters(), lr=options.lr)
        self.policy = Policy(self.sampler, pool=96, capacity=640)
        self.step = 0
        self._resume()

    def run(self) -> None:
        """Train to the last step, saving as it goes."""
        started = time.monotonic()
        while self.step < self.options.steps:
            losses = self._train_step()
            self.step += 1
            if self.step % 50 == 0:
                self._log({"step": self.step, "s": round(time.monotonic() - started), **losses})
            if self.step % SAVE_EVERY == 0 or self.step == self.options.steps:
                self._save()

    def _train_step(self) -> dict[str, float]:
        progress = self.step / self.options.steps
        on_policy = progress >= POLICY_FROM
        if on_policy and (self.step % POLICY_EVERY == 0 or len(self.policy.state()["buffer"]) < 64):
            self.policy.advance(self.student, BATCH, POLICY_STEPS, bf16=True)
        images = self.sampler.batch(BATCH // 2 if on_policy else BATCH)
        if on_policy:
            images = torch.cat([images, self.policy.sample(BATCH // 2)])
        images = images.contiguous(memory_format=torch.channels_last)
        for group in self.optimiser.param_groups:
            group["lr"] = self._learning_rate(progress)
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                target = self._targets(images)
            given = self.student.pre_activations(images, STYLE_LAYERS)
        features, grams = distillation_losses(
            given, target, self.scale, wake=0.0 if on_policy else WAKE
        )
        loss = features + (grams if progress >= GRAM_FROM else 0.0)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.student.parameters(), 1.0)
        self.optimiser.step()
        decay = min(0.998, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for name, parameter in self.student.named_parameters():
                self.average[name].lerp_(parameter, 1 - decay)
        return {"features": round(features.item(), 4), "grams": round(grams.item(), 4)}

    def _learning_rate(self, progress: float) -> float:
        """Linear warm-up over 100 steps, then half a cosine down to a hundredth."""
        warm = min(1.0, (self.step + 1) / 100)
        return float(
            self.options.lr * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))
        )

    def _targets(self, images: Tensor) -> dict[str, Tensor]:
        """The teacher's pre-activations, each tap over its unit: what the student learns.

        One constant per tap changes no normalised cost, and spares the student the climb to
        activations of 20 and more.
        """
        taps = self.teacher.pre_activations(images)
        return {name: z / self.unit[name] for name, z in taps.items()}

    @torch.no_grad()
    def _layer_units(self) -> dict[str, Tensor]:
        """Root mean square of each tap of the teacher, after the ReLU."""
        taps = self.teacher(self.held_out, STYLE_LAYERS)
        return {name: x.pow(2).mean().sqrt() for name, x in taps.items()}

    @torch.no_grad()
    def _channel_scales(self) -> dict[str, Tensor]:
        """1 / variance per channel; a tenth of the mean variance keeps dead channels small."""
        images = self.sampler.batch(64)
        scales = {}
        for name, z in self._targets(images).items():
            variance = z.relu().var((0, 2, 3))
            scales[name] = 1 / (variance + 0.1 * variance.mean())
        return scales

    @torch.no_grad()
    def held_out_r2(self, student: ThinVGG) -> dict[str, float]:
        """Per tap: 1 − squared error / variance, over the held-out photos, whole crops."""
        given = student(self.held_out, STYLE_LAYERS)
        target = {name: z.relu() for name, z in self._targets(self.held_out).items()}
        return {
            name: round(
                1
                - (
                    (given[name] - target[name]).pow(2).sum()
                    / (target[name] - target[name].mean((0, 2, 3), keepdim=True)).pow(2).sum()
                ).item(),
                4,
            )
            for name in STYLE_LAYERS
        }

    def averaged_student(self) -> ThinVGG:
        """The student with its averaged weights, rounded to fp16 as they are shipped."""
        student = ThinVGG()
        student.load_state_dict({k: v.half().float() for k, v in self.average.items()})
        return student.to(memory_format=torch.channels_last)

    def _save(self) -> None:
        out: Path = self.options.out
        student = self.averaged_student()
        self._log({"step": self.step, "held_out_r2": self.held_out_r2(student)})
        weights = {k: v.half().contiguous() for k, v in self.average.items()}
        save_file(weights, out / "lite.tmp", metadata={"steps": str(self.step)})
        (out / "lite.tmp").replace(out / "lite.safetensors")
        state: dict[str, Any] = {
            "step": self.step,
            "student": self.student.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "policy": self.policy.state(),
            "rng": json.dumps(self.rng.bit_generator.state),
        }
        torch.save(state, out / "state.tmp")
        (out / "state.tmp").replace(out / "state.pt")

    def _resume(self) -> None:
        path: Path = self.options.out / "state.pt"
        if not path.exists():
            return
        state = torch.load(path, weights_only=True)
        self.step = state["step"]
        self.student.load_state_dict(state["student"])
        self.average = state["average"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.policy.restore(state["policy"])
        self.rng.bit_generator.state = json.loads(state["rng"])

    def _log(self, entry: dict[str, Any]) -> None:
        line = json.dumps(entry)
        print(line, flush=True)
        with (self.options.out / "log.jsonl").open("a") as file:
            file.write(line + "\n")


def _centre(picture: Tensor, side: int) -> Tensor:
    """The middle square of a uint8 picture, (3, side, side) in [0, 1]."""
    top, left = ((extent - side) // 2 for extent in picture.shape[1:])
    return picture[:, top : top + side, left : left + side].float().div(255)


def main() -> None:
    """Parse the options and train."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("teacher", "photos", "paintings", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    Training(options).run()


if __name__ == "__main__":
    main()
