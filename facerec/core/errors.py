"""What can go wrong in the face core. Services map these to what a person is told."""

from __future__ import annotations

from pathlib import Path

from facerec.core.types import Reason


class FaceCoreError(Exception):
    """The base of every error that the face core raises on purpose."""


class WeightsNotFound(FaceCoreError):  # noqa: N818
    """A model file is not where it was looked for."""

    def __init__(self, name: str, looked_in: str) -> None:
        super().__init__(f"{name} was not found in {looked_in}")
        self.name = name
        self.looked_in = looked_in


class WeightsCorrupt(FaceCoreError):  # noqa: N818
    """A model file is there, but it is not the published one, whole and unchanged."""

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(f"{path}: {detail}")
        self.path = path
        self.detail = detail


class EncoderUnusable(FaceCoreError):  # noqa: N818
    """An encoder needs a backbone or an aligner that this release does not have."""


class CalibrationInvalid(FaceCoreError):  # noqa: N818
    """The operating points cannot be read, or were made for another encoder or aligner."""


class FaceRefused(FaceCoreError):  # noqa: N818
    """The photo does not show one face that can be decided on."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class TrainingSetTooSmall(FaceCoreError):  # noqa: N818
    """Too few people with two photos or more to train on, to choose by and to judge by."""

    def __init__(self, people: int, needed: int) -> None:
        super().__init__(f"{people} people with two photos; {needed} are needed")
        self.people = people
        self.needed = needed


class TrainingDiverged(FaceCoreError):  # noqa: N818
    """The loss is no number any more: the learning rate is too high."""

    def __init__(self, step: int) -> None:
        super().__init__(f"the loss is not finite at step {step}")
        self.step = step


class CheckpointMismatch(FaceCoreError):  # noqa: N818
    """A checkpoint belongs to another configuration or to other photos."""
