"""Three ways to lower J by changing G: plain gradient descent, Adam, L-BFGS.

Each holds its whole state in tensors, so that a checkpoint needs no pickle. G is kept within its
bounds by projection after every step: a pixel has no values but [0, 1]. None leaves G free, as a
signal in units of its own standard deviation is; the steps' sizes suit values of that order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor

Bounds = tuple[float, float] | None
LossesT = TypeVar("LossesT")
State = dict[str, Tensor]

HISTORY = 10
"""Pairs of changes that L-BFGS remembers unless told otherwise."""


@dataclass
class Evaluation(Generic[LossesT]):
    """J, its gradient and its parts at one G."""

    value: float
    gradient: Tensor
    losses: LossesT


Evaluate = Callable[[Tensor], Evaluation[Any]]


class Optimiser(Protocol):
    """One step after another; all memory between them is in `state_dict`."""

    def step(
        self, image: Tensor, here: Evaluation[Any], evaluate: Evaluate
    ) -> tuple[Tensor, Evaluation[Any]]:
        """The next G and J there; `here` is J at image."""

    def state_dict(self) -> State:
        """All that a resumed run needs; empty at the start."""

    def load_state_dict(self, state: State) -> None:
        """Go on from a `state_dict`."""


class GradientDescent:
    """G := G − rate · ∂J/∂G, the course's own rule.

    The rate is learning_rate over the mean size of the first gradient, in hundredths: with 1 the
    first step changes a value by 0.01 on average. So one setting suits every size of picture and
    every β. It stays what it is from then on.
    """

    FIRST_CHANGE = 0.01

    def __init__(self, learning_rate: float, bounds: Bounds = (0.0, 1.0)) -> None:
        self._rate = learning_rate
        self._bounds = bounds
        self._unit: Tensor | None = None

    def step(
        self, image: Tensor, here: Evaluation[Any], evaluate: Evaluate
    ) -> tuple[Tensor, Evaluation[Any]]:
        """See Optimiser."""
        if self._unit is None:
            self._unit = self.FIRST_CHANGE / (here.gradient.abs().mean() + 1e-30)
        moved = _project(image - self._rate * self._unit * here.gradient, self._bounds)
        return moved, evaluate(moved)

    def state_dict(self) -> State:
        """See Optimiser."""
        return {} if self._unit is None else {"unit": self._unit}

    def load_state_dict(self, state: State) -> None:
        """See Optimiser."""
        self._unit = state.get("unit")


class Adam:
    """Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), algorithm 1."""

    BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8

    def __init__(self, learning_rate: float, bounds: Bounds = (0.0, 1.0)) -> None:
        self._rate = learning_rate
        self._bounds = bounds
        self._t = 0
        self._m: Tensor | None = None
        self._v: Tensor | None = None

    def step(
        self, image: Tensor, here: Evaluation[Any], evaluate: Evaluate
    ) -> tuple[Tensor, Evaluation[Any]]:
        """See Optimiser."""
        gradient = here.gradient * image.numel()  # else EPSILON would count in large pictures
        if self._m is None or self._v is None:
            self._m, self._v = torch.zeros_like(gradient), torch.zeros_like(gradient)
        self._t += 1
        self._m.lerp_(gradient, 1 - self.BETA1)
        self._v.mul_(self.BETA2).addcmul_(gradient, gradient, value=1 - self.BETA2)
        scale = (self._v / (1 - self.BETA2**self._t)).sqrt_().add_(self.EPSILON)
        moved = image.addcdiv(self._m, scale, value=-self._rate / (1 - self.BETA1**self._t))
        _project(moved, self._bounds)
        return moved, evaluate(moved)

    def state_dict(self) -> State:
        """See Optimiser."""
        if self._m is None or self._v is None:
            return {}
        return {"t": torch.tensor(self._t), "m": self._m, "v": self._v}

    def load_state_dict(self, state: State) -> None:
        """See Optimiser."""
        if state:
            self._t, self._m, self._v = int(state["t"]), state["m"].clone(), state["v"].clone()


class LBFGS:
    """Limited-memory BFGS: Nocedal and Wright, "Numerical Optimization", algorithm 7.4.

    Departures: no Wolfe search, only backtracking until J falls enough (Armijo), so that a step
    usually costs one evaluation and J never rises; pairs without positive curvature are dropped;
    the first step is short (a mean change of 0.01 per value) because nothing is known yet.
    Projection happens inside the search, so a pair holds the change that was made.
    """

    ARMIJO = 1e-4
    BACKTRACKS = 8
    FIRST_CHANGE = 0.01

    def __init__(
        self, learning_rate: float, bounds: Bounds = (0.0, 1.0), history: int = HISTORY
    ) -> None:
        """history: how many pairs are kept, each as large as two of G."""
        self._rate = learning_rate
        self._bounds = bounds
        self._pairs: deque[tuple[Tensor, Tensor]] = deque(maxlen=history)

    def step(
        self, image: Tensor, here: Evaluation[Any], evaluate: Evaluate
    ) -> tuple[Tensor, Evaluation[Any]]:
        """See Optimiser. At a minimum G stays as it is."""
        if not here.gradient.any():
            return image, here
        moved, there, found = self._search(image, here, evaluate, self._direction(here.gradient))
        if not found and self._pairs:
            self._pairs.clear()  # the curvature misled: begin again downhill
            downhill = self._direction(here.gradient)
            moved, there, found = self._search(image, here, evaluate, downhill)
        if not found:
            return image, here
        self._remember(moved - image, there.gradient - here.gradient)
        return moved, there

    def _direction(self, gradient: Tensor) -> Tensor:
        """−H · gradient by the two-loop recursion."""
        if not self._pairs:
            return gradient * (-self.FIRST_CHANGE / gradient.abs().mean())
        q, factors = gradient.clone(), []
        for s, y in reversed(self._pairs):
            rho = 1 / _dot(s, y)
            alpha = rho * _dot(s, q)
            q.sub_(y * alpha)
            factors.append((s, y, rho, alpha))
        s, y = self._pairs[-1]
        q.mul_(_dot(s, y) / _dot(y, y))
        for s, y, rho, alpha in reversed(factors):
            q.add_(s * (alpha - rho * _dot(y, q)))
        return q.neg_()

    def _search(
        self, image: Tensor, here: Evaluation[Any], evaluate: Evaluate, direction: Tensor
    ) -> tuple[Tensor, Evaluation[Any], bool]:
        """The first of rate, rate/2.5, … along the direction where J falls enough."""
        length = self._rate
        for _ in range(self.BACKTRACKS):
            moved = _project(torch.add(image, direction, alpha=length), self._bounds)
            expected = float(_dot(here.gradient, moved - image))
            if expected < 0:
                there = evaluate(moved)
                if there.value <= here.value + self.ARMIJO * expected:
                    return moved, there, True
            length /= 2.5
        return image, here, False

    def _remember(self, s: Tensor, y: Tensor) -> None:
        if _dot(s, y) > 1e-10 * _dot(y, y):
            self._pairs.append((s, y))

    def state_dict(self) -> State:
        """See Optimiser."""
        if not self._pairs:
            return {}
        s, y = zip(*self._pairs, strict=True)
        return {"s": torch.stack(s), "y": torch.stack(y)}

    def load_state_dict(self, state: State) -> None:
        """See Optimiser."""
        self._pairs.clear()
        if state:
            self._pairs.extend(zip(state["s"].unbind(), state["y"].unbind(), strict=True))


def build_optimiser(
    name: str, learning_rate: float, bounds: Bounds = (0.0, 1.0), history: int = HISTORY
) -> Optimiser:
    """`gd`, `adam` or `lbfgs`.

    bounds: smallest and largest value of G; None: it has none. history: what L-BFGS remembers.
    """
    if name == "lbfgs":
        return LBFGS(learning_rate, bounds, history)
    makers: dict[str, Callable[[float, Bounds], Optimiser]] = {"gd": GradientDescent, "adam": Adam}
    return makers[name](learning_rate, bounds)


def _project(x: Tensor, bounds: Bounds) -> Tensor:
    """x, in place, at the nearest point within the bounds."""
    return x if bounds is None else x.clamp_(*bounds)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return torch.sum(a * b)
