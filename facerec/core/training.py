"""Training by triplets: P x K batches, mined triplets, the loss, a look at people held out.

The trainer yields its steps, so to cancel is to stop iterating; `save` between two steps and a
new Trainer with `resume` go on to the same numbers as without the break.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from copy import copy
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from facerec.core.adapter import IDENTITY, Adapter
from facerec.core.errors import CheckpointMismatch, TrainingDiverged, WeightsCorrupt
from facerec.core.fine_tuned import FineTunedBlocks
from facerec.core.learners import AdapterLearner, BlocksLearner, Learner
from facerec.core.losses import active_fraction, triplet_loss
from facerec.core.metrics import Scores, genuine_impostor, tar_at_far
from facerec.core.miners import MINERS
from facerec.core.samplers import PKSampler
from facerec.core.splits import check_people, first_people, split_people
from facerec.core.tensor_file import Arrays, read_tensors, write_tensors
from facerec.core.training_config import TrainingConfig, TrainingKind, TrainingStep
from facerec.core.types import Encoding

_FORMAT = "likeness-training-1"

MOST_LOOKED_AT = 1500
"""Photos of held-out people that a look during training takes: a million pairs, half a second."""

FEWEST_FALSE_MATCHES = 10
"""Impostor pairs above an FMR's bound without which it is noise: the bound is raised to them."""

_STUCK_STEPS = 25
_NEAR_MARGIN = 0.05  # of the margin
_POINT = 0.01  # of the spread at the start


class LabelledFaces(NamedTuple):
    """Faces and whose they are. faces: the backbone's encodings, float32 (N, 128), for an
    adapter; aligned chips, uint8 (N, 150, 150, 3), for the last blocks. people: N names."""

    faces: NDArray[Any]
    people: Sequence[str]


class Trainer:
    """One training run. Iterate `prepare()`, then `steps()`; take `adapter()` or `blocks()`.

    The people are parted three ways: most are trained on; some choose which step's weights are
    kept; the held-out ones are looked at for the curve and the report and choose nothing, so that
    the report stays honest.
    """

    def __init__(
        self,
        labelled: LabelledFaces,
        config: TrainingConfig,
        *,
        resume: Path | None = None,
        device: str = "cpu",
        start: Adapter = IDENTITY,
        weights_path: Path | None = None,
    ) -> None:
        """start: the adapter that an adapter's training begins at; that of blocks goes through it
        and leaves it as it is. resume: a file of `save`.

        Raises TrainingSetTooSmall; CheckpointMismatch where resume is of another run;
        WeightsNotFound, WeightsCorrupt.
        """
        check_people(labelled.people, config)
        self.config, self._labelled, self._start = config, labelled, start
        self.device = torch.device(device)
        kept, self.held_out = split_people(labelled.people, config.held_out_fraction, config.seed)
        taught, chosen_by = split_people(
            self._people(kept), config.validation_fraction, config.seed
        )
        self.taught, self.validation = kept[taught], kept[chosen_by]
        self._learner: Learner = (
            AdapterLearner(self.device, start)
            if config.kind == TrainingKind.ADAPTER
            else BlocksLearner(self.device, config.blocks, weights_path, through=start)
        )
        self._sampler = PKSampler(
            self._people(self.taught),
            p=config.people_per_batch,
            k=config.photos_per_person,
            seed=config.seed,
        )
        self._looks = {
            "held_out": self._looked_at(self.held_out),
            "validation": self._looked_at(self.validation),
        }
        self._person = np.unique(np.asarray(labelled.people), return_inverse=True)[1]
        self._begun = {name: t.detach().clone() for name, t in self._learner.trainable.items()}
        self._optimiser = torch.optim.Adam(
            self._learner.trainable.values(), lr=config.learning_rate
        )
        self.step = 0
        self.best_step = 0
        self._best = _copies(self._learner.trainable)
        self._best_tar = self.tar_at_start = -1.0
        self._spread_at_start = 0.0
        self._stuck = 0
        self._prepared = False
        if resume is not None:
            self._load(resume)

    @property
    def far(self) -> float:
        """The FMR that held-out TAR is told at: the configuration's, or the lowest for which the
        held-out people give 10 false matches."""
        return self._supported_far(self._looks["held_out"])

    def prepare(self) -> Iterator[tuple[int, int]]:
        """(done, total) photos while the frozen part is computed; instant for an adapter."""
        yield from self._learner.prepare(self._labelled.faces)
        self._prepared = True

    def steps(self) -> Iterator[TrainingStep]:
        """Trains from where it stands to the last step; `tar_at_start` is then the held-out TAR
        before the first. Raises TrainingDiverged."""
        if not self._prepared:
            for _ in self.prepare():
                pass
        if self.step == 0:
            self._best_tar, self.tar_at_start = self._tar("validation"), self._tar("held_out")
        while self.step < self.config.steps:
            loss, active, spread = self._teach()
            self.step += 1
            self._watch(loss, spread)
            held_out_tar = validation_tar = None
            if self.step % self.config.eval_every == 0 or self.step == self.config.steps:
                validation_tar, held_out_tar = self._tar("validation"), self._tar("held_out")
                if validation_tar > self._best_tar:
                    self._best, self._best_tar = _copies(self._learner.trainable), validation_tar
                    self.best_step = self.step
            yield TrainingStep(
                step=self.step,
                steps=self.config.steps,
                loss=loss,
                active_fraction=active,
                spread=spread / self._spread_at_start,
                held_out_tar=held_out_tar,
                validation_tar=validation_tar,
                best=self.best_step == self.step,
                collapsed=self._stuck >= _STUCK_STEPS,
            )

    def adapter(self, version: str) -> Adapter:
        """The best step's adapter; the one it began at, where no step was better on the people
        who choose. Raises ValueError where blocks were trained."""
        if not isinstance(self._learner, AdapterLearner):
            raise ValueError("this run trains blocks, not an adapter")
        return self._learner.adapter(self._best, version)

    def blocks(self, version: str) -> FineTunedBlocks:
        """The best step's blocks, for `Encoder`, as the backbone of that version; what it makes is
        to be compared through `through(version)`. Raises ValueError where an adapter was trained.
        """
        if not isinstance(self._learner, BlocksLearner):
            raise ValueError("this run trains an adapter, not blocks")
        return FineTunedBlocks(version, dict(self._best))

    def through(self, version: str) -> Adapter:
        """The adapter that blocks were trained through, for the backbone of that version."""
        adapter = copy(self._start)
        adapter.backbone = version
        return adapter

    def encode(self, indices: NDArray[np.int64], *, best: bool = True) -> Encoding:
        """Encodings (n, 128) of the given photos by the best step's weights, or the latest's."""
        now = _copies(self._learner.trainable)
        try:
            if best:
                self._put(self._best)
            with torch.no_grad():
                parts = [
                    self._learner.forward(indices[start:][:256]).cpu().numpy()
                    for start in range(0, len(indices), 256)
                ]
        finally:
            self._put(now)
        return np.concatenate([np.empty((0, 128), np.float32), *parts])

    def save(self, path: Path) -> None:
        """Writes all that `resume` takes to go on."""
        arrays: Arrays = {f"best.{name}": values for name, values in self._best.items()}
        for name, tensor in self._learner.trainable.items():
            arrays[f"now.{name}"] = tensor.detach().cpu().numpy()
            for moment, values in self._optimiser.state[tensor].items():
                arrays[f"{moment}.{name}"] = values.cpu().numpy()
        where = {name: getattr(self, name) for name in _WHERE}
        write_tensors(path, arrays, format=_FORMAT, run=self._run(), where=json.dumps(where))

    def _load(self, path: Path) -> None:
        arrays, about = read_tensors(path, format=_FORMAT)
        try:
            if about["run"] != self._run():
                raise CheckpointMismatch("the checkpoint is of another configuration or set")
            where = json.loads(about["where"])
            for name in _WHERE:
                setattr(self, name, where[name])
            trainable = self._learner.trainable
            self._best = {name: arrays[f"best.{name}"] for name in trainable}
            self._put({name: arrays[f"now.{name}"] for name in trainable})
            for name, tensor in trainable.items():
                if f"step.{name}" in arrays:
                    self._optimiser.state[tensor] = {
                        moment: torch.from_numpy(arrays[f"{moment}.{name}"].copy()).to(
                            "cpu" if moment == "step" else self.device
                        )
                        for moment in ("step", "exp_avg", "exp_avg_sq")
                    }
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise WeightsCorrupt(path, f"not a checkpoint of this version: {error!r}") from error

    def _run(self) -> str:
        """What a checkpoint must agree with."""
        return json.dumps([self.config.as_dict(), list(self._labelled.people)], sort_keys=True)

    def _teach(self) -> tuple[float, float, float]:
        """One step: (mean loss, active fraction, spread of the encodings)."""
        batch = self.taught[self._sampler.batch(self.step)]
        people = torch.from_numpy(self._person[batch]).to(self.device)
        encodings = self._learner.forward(batch)
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + self.step)
        triplets = MINERS[self.config.miner](encodings, people, generator)
        anchor, positive, negative = (encodings[side] for side in triplets)
        losses = triplet_loss(anchor, positive, negative, self.config.margin)
        cost = losses.mean()
        if not torch.isfinite(cost):
            raise TrainingDiverged(self.step + 1)
        self._optimiser.zero_grad()
        cost.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        self._draw_back()
        points = encodings.detach()
        spread = float((points - points.mean(dim=0)).square().sum(dim=1).mean())
        return float(cost.detach()), active_fraction(losses.detach()), spread

    def _draw_back(self) -> None:
        """Weight decay towards the weights at the start, not towards zero, decoupled from Adam's
        moments. Sources: Li et al. 2018, L2-SP; Loshchilov and Hutter 2019, AdamW."""
        share = min(self.config.learning_rate * self.config.weight_decay, 1.0)
        with torch.no_grad():
            for name, tensor in self._learner.trainable.items():
                tensor.lerp_(self._begun[name], share)

    def _watch(self, loss: float, spread: float) -> None:
        """Collapse: all faces in one point cost exactly alpha, whatever the triplet, and have no
        gradient to leave by. It counts when it lasts."""
        self._spread_at_start = self._spread_at_start or max(spread, 1e-12)
        margin = self.config.margin
        stuck = abs(loss - margin) <= _NEAR_MARGIN * margin
        point = spread <= _POINT * self._spread_at_start
        self._stuck = self._stuck + 1 if stuck or point else 0

    def _tar(self, part: str) -> float:
        """TAR of the latest weights on the people of a part."""
        indices = self._looks[part]
        scores = self._scores(indices)
        return tar_at_far(scores.genuine, scores.impostor, self._supported_far(indices))

    def _scores(self, indices: NDArray[np.int64]) -> Scores:
        return genuine_impostor(self.encode(indices, best=False), self._people(indices))

    def _supported_far(self, indices: NDArray[np.int64]) -> float:
        _, photos = np.unique(self._people(indices), return_counts=True)
        pairs = (len(indices) ** 2 - int((photos**2).sum())) / 2
        return min(max(self.config.far, FEWEST_FALSE_MATCHES / pairs), 0.5)

    def _looked_at(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        return indices[first_people(self._people(indices), MOST_LOOKED_AT)]

    def _people(self, indices: NDArray[np.int64]) -> list[str]:
        return [self._labelled.people[i] for i in indices]

    def _put(self, arrays: Arrays) -> None:
        with torch.no_grad():
            for name, tensor in self._learner.trainable.items():
                tensor.copy_(torch.from_numpy(np.asarray(arrays[name])))


_WHERE = ("step", "best_step", "tar_at_start", "_best_tar", "_spread_at_start", "_stuck")


def _copies(tensors: dict[str, Tensor]) -> Arrays:
    return {name: t.detach().cpu().numpy().copy() for name, t in tensors.items()}
