"""Signs of a screen or a print in single frames, gathered over a session into one number.

They judge what a camera makes of a picture, so they depend on the camera, and they were fitted to
simulated screens and prints: something to log, not proof. docs/liveness.md has the figures.

waves     moiré and the dots of a print, in the spectrum of the face
borders   the rim of a sheet or a screen that is moved
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache
from math import exp
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from facerec.core.liveness.borders import Borders
from facerec.core.liveness.waves import excess
from facerec.core.types import DetectedFace

WEIGHTS = Path(__file__).with_name("passive.json")
"""The logistic regression over `Cues`, by `python -m scripts.fit_passive`."""


@dataclass(frozen=True, slots=True)
class Cues:
    """What the frames of a session show.

    waves: the mean of `waves.excess` over frames. border: `borders.Borders.carried`, in [0, 1].
    """

    waves: float
    border: float

    def score(self) -> float:
        """How much speaks for a screen or a print, in [0, 1]; 0.5 is the limit where it is to
        decide."""
        weights, offset = _weights()
        odds = offset + sum(weights[name] * value for name, value in asdict(self).items())
        return 1 / (1 + exp(-max(-700.0, odds)))


class PassiveEvidence:
    """The cues, frame by frame."""

    def __init__(self) -> None:
        self._waves: list[float] = []
        self._borders = Borders()

    def add(self, image: NDArray[np.uint8], face: DetectedFace) -> None:
        """One frame more. image: uint8 RGB (H, W, 3), as it came from the camera; one smaller than
        `waves.WINDOW` is passed over."""
        if (waves := excess(image, face)) is not None:
            self._waves.append(waves)
            self._borders.add(image, face)

    def cues(self) -> Cues | None:
        """What was seen so far; None before the first frame."""
        if not self._waves:
            return None
        return Cues(float(np.mean(self._waves)), self._borders.carried())

    def score(self) -> float:
        """See `Cues.score`; 0 before the first frame."""
        cues = self.cues()
        return 0.0 if cues is None else cues.score()

    def as_json(self) -> dict[str, Any]:
        return {"waves": self._waves, "borders": self._borders.as_json()}

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Self:
        evidence = cls()
        evidence._waves = list(state["waves"])
        evidence._borders = Borders.from_json(state["borders"])
        return evidence


@cache
def _weights() -> tuple[dict[str, float], float]:
    fitted = json.loads(WEIGHTS.read_text("utf-8"))
    return fitted["weights"], fitted["offset"]
