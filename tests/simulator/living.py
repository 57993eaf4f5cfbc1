"""A living person before the camera."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facerec.core.liveness.challenge import Challenge
from facerec.core.liveness.types import Progress
from tests.simulator.actor import Actor
from tests.simulator.people import Head, head
from tests.simulator.scene import Person, Scene


class Living:
    """A willing person in a room of their own. someone: by default the seed's person."""

    def __init__(self, seed: int, someone: Head | None = None) -> None:
        self.scene = Scene(seed)
        self.head = someone or head(seed)
        self.actor = Actor(seed, head=self.head)

    def begin(self, challenge: Challenge) -> None:
        pass

    def picture(self, t: float, told: Progress | None) -> NDArray[np.uint8]:
        self.actor.hear(t, told)
        pose, face = self.actor.at(t)
        later, _ = self.actor.at(t + self.scene.camera.settings.shutter)
        return self.scene.picture([Person(self.head, pose, later, face)], t)
