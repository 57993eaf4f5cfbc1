"""What a training run is told, and what it tells. Free of torch, so that a form can offer it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from facerec.core.losses import MARGIN


class TrainingKind(StrEnum):
    """ADAPTER: a linear function over the frozen backbone's 128 numbers; seconds, and it can be
    put in use or back at once. LAST_BLOCKS: the backbone's last residual blocks; minutes, and a
    backbone of its own, so that all templates have to be made anew."""

    ADAPTER = "adapter"
    LAST_BLOCKS = "last-blocks"


class MinerName(StrEnum):
    """Which triplets of a batch to learn from, see `miners`."""

    RANDOM = "random"
    SEMI_HARD = "semi-hard"
    BATCH_HARD = "batch-hard"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """How to train.

    margin: alpha of the triplet loss, squared L2. people_per_batch, photos_per_person: P and K.
    learning_rate: Adam's. weight_decay: how strongly weights are drawn back to where they began,
    per unit of learning rate. eval_every: steps between two looks at people not trained on.
    held_out_fraction: share of the people that only the report sees. validation_fraction: share
    of the others that only chooses the best step. far: the FMR at which TAR is told.
    blocks: how many last residual blocks are trained (LAST_BLOCKS), 1 to 4.
    Raises ValueError for a value out of range.
    """

    kind: TrainingKind = TrainingKind.ADAPTER
    miner: MinerName = MinerName.BATCH_HARD
    margin: float = MARGIN
    people_per_batch: int = 32
    photos_per_person: int = 4
    steps: int = 300
    learning_rate: float = 1e-4
    weight_decay: float = 0.1
    eval_every: int = 50
    held_out_fraction: float = 0.25
    validation_fraction: float = 0.2
    far: float = 1e-3
    blocks: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for name, lowest, highest in (
            ("margin", 1e-3, 10),
            ("people_per_batch", 2, 1024),
            ("photos_per_person", 2, 64),
            ("steps", 1, 1_000_000),
            ("learning_rate", 1e-8, 1),
            ("weight_decay", 0, 100),
            ("eval_every", 1, 1_000_000),
            ("held_out_fraction", 0.05, 0.9),
            ("validation_fraction", 0.05, 0.9),
            ("far", 1e-6, 0.5),
            ("blocks", 1, 4),
            ("seed", 0, 2**31 - 1),
        ):
            value = getattr(self, name)
            if not lowest <= value <= highest:
                raise ValueError(f"{name} lies between {lowest:g} and {highest:g}, not {value}")

    def as_dict(self) -> dict[str, Any]:
        """For JSON; `from_dict` reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Raises ValueError or TypeError for what is not a configuration."""
        kind = TrainingKind(values.get("kind", TrainingKind.ADAPTER))
        miner = MinerName(values.get("miner", MinerName.BATCH_HARD))
        return cls(**{**values, "kind": kind, "miner": miner})


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """One step done, `step` of `steps`, from 1.

    loss: the batch's mean triplet loss. active_fraction: share of its triplets that taught
    anything. spread: mean squared distance of the batch's encodings from their mean, 1 at the
    start. held_out_tar, validation_tar: TAR at `Trainer.far` of people not trained on, each
    `eval_every` steps and at the last, else None. best: whether the weights after this step are
    the ones kept so far. collapsed: the alarm; all faces are becoming one point.
    """

    step: int
    steps: int
    loss: float
    active_fraction: float
    spread: float
    held_out_tar: float | None = None
    validation_tar: float | None = None
    best: bool = False
    collapsed: bool = False

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
