"""What can go wrong in the style core, for a caller to map to its own replies."""

from __future__ import annotations


class StyleError(Exception):
    """Base of every error that this package raises on purpose."""


class RecipeError(StyleError):
    """A recipe is out of bounds; `field` names the entry at fault."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class WeightsError(StyleError):
    """An extractor's weights are missing, damaged, or could not be downloaded."""


class PictureError(StyleError):
    """A picture cannot be painted or painted from: it is too narrow for the network."""


class DivergedError(StyleError):
    """The optimisation left the finite numbers; `step` is the step at which it did."""

    def __init__(self, step: int) -> None:
        super().__init__(f"the optimisation diverged at step {step}; try a smaller learning rate")
        self.step = step


class CheckpointError(StyleError):
    """A checkpoint cannot be read, or belongs to another recipe, picture or extractor."""
