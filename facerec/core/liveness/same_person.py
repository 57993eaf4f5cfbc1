"""Is it one person from the first frame to the last? Encodings against the session's anchor."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from facerec.core.distance import squared_distance
from facerec.core.liveness.limits import Limits
from facerec.core.types import Encoding

FRONTAL = 0.45
"""Share of a movement below which a face counts as seen from the front."""


@dataclass
class SamePerson:
    """anchor: the mean encoding of the session's first still frames, (128,). frontal, turned: the
    distances of the later frames to it. misses: how many in a row were too far."""

    anchor: NDArray[np.float32] | None = None
    frontal: list[float] = field(default_factory=list)
    turned: list[float] = field(default_factory=list)
    misses: int = 0

    def distance(self, encoding: Encoding) -> float:
        """Squared L2 of an encoding (128,) to the anchor. Raises ValueError without one."""
        if self.anchor is None:
            raise ValueError("there is no anchor yet")
        return float(squared_distance(self.anchor, encoding))

    def add(self, encoding: Encoding, share: float, limits: Limits) -> float:
        """A frame's encoding (128,), and how far it is turned -> its distance."""
        distance = self.distance(encoding)
        from_front = share < FRONTAL
        (self.frontal if from_front else self.turned).append(distance)
        limit = limits.same_frontal if from_front else limits.same_turned
        self.misses = self.misses + 1 if distance > limit else 0
        return distance

    def is_other(self, limits: Limits) -> bool:
        """Two frames in a row that are too far: one may be blurred, or an eye closed."""
        return self.misses >= 2

    def scores(self) -> dict[str, float]:
        """The median and the largest distance, frontal and turned, of those that there are."""
        scores = {}
        for name in ("frontal", "turned"):
            if values := getattr(self, name):
                scores[f"same_{name}"] = float(np.median(values))
                scores[f"same_{name}_worst"] = max(values)
        return scores
