"""The on-policy stage: the student's own paintings in the making, as training images.

Pictures that lower the student's J drift to where its features are wrong, which no photo shows.
A pool of paintings is advanced by a few Adam steps at a time, and the iterates go to a buffer.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from scripts.lite.pictures import Sampler
from styletransfer.core.lite import ThinVGG
from styletransfer.core.losses import gram_matrix
from styletransfer.core.types import STYLE_LAYERS

_RESTART = 0.12
_EASY = ("relu1_1", "relu2_1")  # large and soon learnt: half of the batch is enough there


class Policy:
    """A pool of paintings by the student and a ring buffer of their iterates."""

    def __init__(self, sampler: Sampler, pool: int, capacity: int) -> None:
        self._sampler = sampler
        self._capacity = capacity
        self._content = sampler.batch(pool)
        self._style = sampler.batch(pool)
        self._generated = self._content.clone()
        self._beta = self._draw_beta(pool)
        self._buffer = self._content[:0].clone()

    def sample(self, n: int) -> Tensor:
        """n iterates from the buffer."""
        return self._buffer[torch.from_numpy(self._rng.integers(len(self._buffer), size=n))]

    def advance(self, student: ThinVGG, n: int, steps: int, *, bf16: bool) -> None:
        """Advance n of the pool's paintings by some steps and keep two iterates of each."""
        rows = torch.from_numpy(self._rng.permutation(len(self._content))[:n])
        for row in rows.tolist():
            if self._rng.random() < _RESTART:
                self._restart(row)
        content, style, beta = self._content[rows], self._style[rows], self._beta[rows]
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            style_features = student(style, STYLE_LAYERS)
            content_target = student(content, ("relu4_1",))["relu4_1"].float()
        targets = {k: gram_matrix(v) for k, v in style_features.items()}
        generated = self._generated[rows].clone().requires_grad_()
        optimiser = torch.optim.Adam([generated], lr=float(self._rng.choice([0.02, 0.05, 0.1])))
        kept = []
        for step in range(1, steps + 1):
            optimiser.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                features = student(generated, STYLE_LAYERS)
            _cost(features, content_target, targets, beta).backward()
            optimiser.step()
            with torch.no_grad():
                generated.clamp_(-0.15, 1.15)
            if step in (steps // 2, steps):
                kept.append(generated.detach().clone())
        student.zero_grad(set_to_none=True)
        self._generated[rows] = generated.detach()
        self._buffer = torch.cat([self._buffer, *kept])[-self._capacity :]

    def state(self) -> dict[str, Tensor]:
        """All of it, for resuming."""
        names = ("content", "style", "generated", "beta", "buffer")
        return {name: getattr(self, f"_{name}") for name in names}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take up a state."""
        for name, value in state.items():
            setattr(self, f"_{name}", value)

    @property
    def _rng(self) -> np.random.Generator:
        return self._sampler.rng

    def _draw_beta(self, n: int) -> Tensor:
        return torch.from_numpy(10 ** self._rng.uniform(-0.5, 2.0, n)).float()

    def _restart(self, row: int) -> None:
        content, style = self._sampler.batch(1, group=0)[0], self._sampler.batch(1)[0]
        noise = torch.from_numpy(self._rng.uniform(0, 1, content.shape)).float()
        share = float(self._rng.choice([0.0, 0.0, 0.0, 0.3, 1.0]))
        self._content[row], self._style[row] = content, style
        self._generated[row] = (1 - share) * content + share * noise
        self._beta[row] = self._draw_beta(1)[0]


def _cost(
    features: dict[str, Tensor], content: Tensor, targets: dict[str, Tensor], beta: Tensor
) -> Tensor:
    """Σ over the batch of α·content + β·style, each relative to its target's energy."""
    content_term = (features["relu4_1"].float() - content).pow(2).sum((1, 2, 3))
    content_term = content_term / (content.pow(2).sum((1, 2, 3)) + 1e-6)
    style_term = torch.zeros_like(content_term)
    for name, target in targets.items():
        gap = (gram_matrix(features[name]) - target).pow(2).sum((1, 2))
        style_term = style_term + gap / (target.pow(2).sum((1, 2)) + 1e-6)
    return (content_term + beta * style_term).sum()


def distillation_losses(
    student: dict[str, Tensor],
    teacher: dict[str, Tensor],
    scale: dict[str, Tensor],
    *,
    wake: float,
) -> tuple[Tensor, Tensor]:
    """(feature loss, Gram loss) of pre-activations, each a mean over images and taps.

    Feature loss: squared error after the ReLU, per channel over its inverse variance `scale`
    (C,); a share `wake` of the same before the ReLU keeps silent channels trainable. The border,
    where the student pads with zeros and the teacher by reflection, is left out. Both losses go
    through log1p, so that the strangest images do not rule.
    """
    feature_terms, gram_terms = [], []
    for name, z in student.items():
        every = 2 if name in _EASY else 1
        z, target_z, weight = z[::every], teacher[name][::every], scale[name].view(1, -1, 1, 1)
        z, target_z = z.float()[..., 1:-1, 1:-1], target_z.float()[..., 1:-1, 1:-1]
        active, target = functional.relu(z), functional.relu(target_z)
        error = (weight * (active - target).pow(2)).mean((1, 2, 3))
        if wake:
            error = error + wake * (weight * (z - target_z).pow(2)).mean((1, 2, 3)).log1p()
        feature_terms.append(error.log1p().mean())
        target_gram = gram_matrix(target)
        gap = (gram_matrix(active) - target_gram).pow(2).sum((1, 2))
        gram_terms.append((gap / target_gram.pow(2).sum((1, 2))).log1p().mean())
    return torch.stack(feature_terms).mean(), torch.stack(gram_terms).mean()
