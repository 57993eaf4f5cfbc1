"""The loop that pictures and pieces share: step by step down J, watched, able to be resumed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from torch import Tensor

from styletransfer.core.checkpoint import State
from styletransfer.core.errors import CheckpointError, DivergedError
from styletransfer.core.optimisers import Evaluation, Optimiser

LossesT = TypeVar("LossesT")

_RUNAWAY, _PATIENCE = 5.0, 10
"""J has diverged when it is this many times over its natural size for so many steps on end, or at
the last one. A short leap is none: it comes back."""

_OPTIMISER = "optimiser."


class Objective(Protocol[LossesT]):
    """J, for whatever is changed."""

    def evaluate(self, x: Tensor, /) -> Evaluation[LossesT]:
        """J and ∂J/∂x at x."""


class Descent(Generic[LossesT]):
    """x, and what changes it.

    natural: J's natural size; its value at the start counts where that is larger.
    """

    def __init__(
        self,
        start: Tensor,
        objective: Objective[LossesT],
        optimiser: Optimiser,
        *,
        steps: int,
        natural: float,
        fingerprint: str,
    ) -> None:
        self.x = start
        self.steps = steps
        self._objective, self._optimiser = objective, optimiser
        self._natural, self._fingerprint = natural, fingerprint
        self._strikes = 0

    def run(self, state: State[LossesT] | None = None) -> Iterator[tuple[int, LossesT]]:
        """Each step and J there, from the start, or from the state (which comes again first).

        Raises DivergedError when J leaves all bounds, CheckpointError when the state belongs to
        something else.
        """
        step = 0 if state is None else self._restore(state)
        here = self._objective.evaluate(self.x)
        if step == 0:
            self._natural = max(self._natural, here.value)
        self._check(here.value, step)
        yield step, here.losses
        while step < self.steps:
            step += 1
            self.x, here = self._optimiser.step(self.x, here, self._objective.evaluate)
            self._check(here.value, step)
            yield step, here.losses

    def state(self, step: int, losses: LossesT) -> State[LossesT]:
        """A copy of all that matters."""
        memory = {_OPTIMISER + k: v for k, v in self._optimiser.state_dict().items()}
        tensors = {k: v.detach().clone() for k, v in ({"x": self.x} | memory).items()}
        return State(step, tensors, losses, self._fingerprint)

    def _restore(self, state: State[LossesT]) -> int:
        if state.fingerprint != self._fingerprint:
            raise CheckpointError("the checkpoint belongs to another recipe, input or extractor")
        tensors = {k: v.to(self.x.device) for k, v in state.tensors.items()}
        self.x = tensors.pop("x")
        memory = {k.removeprefix(_OPTIMISER): v for k, v in tensors.items()}
        self._optimiser.load_state_dict(memory)
        return state.step

    def _check(self, value: float, step: int) -> None:
        self._strikes = self._strikes + 1 if value > _RUNAWAY * self._natural else 0
        out_of_bounds = self._strikes >= _PATIENCE or (self._strikes and step == self.steps)
        if not math.isfinite(value) or out_of_bounds:
            raise DivergedError(step)
