"""The style core's vocabulary: recipes and losses. No torch: the web side reads it too."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from styletransfer.core.errors import RecipeError

EXTRACTORS = ("lite", "vgg19")
OPTIMISERS = ("lbfgs", "adam", "gd")
STARTS = ("content", "noise", "blend")

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
LAYERS: Mapping[str, tuple[str, ...]] = {
    "lite": STYLE_LAYERS,
    "vgg19": (
        *("relu1_1", "relu1_2", "relu2_1", "relu2_2"),
        *("relu3_1", "relu3_2", "relu3_3", "relu3_4"),
        *("relu4_1", "relu4_2", "relu4_3", "relu4_4", "relu5_1"),
    ),
}
"""What each extractor can give, from shallow to deep."""

BOUNDS: Mapping[str, tuple[float, float]] = {
    "size": (128, 1024),
    "steps": (1, 2000),
    "style_weight": (0, 100),
    "blend": (0, 1),
    "seed": (0, 2**31 - 1),
    "learning_rate": (1e-4, 10),
    "style_scales": (1, 3),
    "tv_weight": (0, 10),
}
"""Smallest and largest value of each number in a recipe, both allowed."""

MAX_LAYER_WEIGHT = 100.0

DEFAULT_LEARNING_RATES: Mapping[str, float] = {"lbfgs": 1.0, "adam": 0.05, "gd": 1.0}
"""What `learning_rate=None` stands for."""

_BALANCE = 400.0
"""β/α at the slider's middle, for terms normalised as `objective.py` says."""


def _default_layer_weights() -> dict[str, float]:
    return dict(zip(STYLE_LAYERS, (0.5, 1.0, 2.0, 1.0, 0.5), strict=True))


@dataclass(frozen=True)
class Recipe:
    """All that decides a painting besides the two pictures.

    size: longest side of the generated image G, pixels.
    steps: iterations of the optimiser.
    style_weight: 0 … 100, the slider between content and style; see `alpha` and `beta`.
    optimiser: `lbfgs`, `adam` or `gd` (plain gradient descent).
    start: G begins as the content image, as noise, or as a blend of the two.
    blend: share of noise in a `blend` start, 0 (content) … 1 (noise).
    seed: of the noise.
    extractor: whose features are compared, `lite` or `vgg19`.
    layer_weights: λ per style layer; a layer left out, or with 0, does not count.
    content_layer: where the content is compared.
    style_scales: at how many scales the style is compared: 1 is the course's J, 2 compares the
        pictures at half size too, which makes strokes larger, 3 at a quarter as well.
    learning_rate: None takes the optimiser's own (`DEFAULT_LEARNING_RATES`).
    keep_colours: the result takes its colours from C and only its lightness from G.
    tv_weight: weight of total variation, a smoothness term that the course does not have; it
        keeps fine noise out of the strokes, 0 leaves it out.
    """

    size: int = 512
    steps: int = 150
    style_weight: float = 50.0
    optimiser: str = "lbfgs"
    start: str = "content"
    blend: float = 0.5
    seed: int = 0
    extractor: str = "lite"
    layer_weights: Mapping[str, float] = field(default_factory=_default_layer_weights)
    content_layer: str = "relu4_1"
    style_scales: int = 2
    learning_rate: float | None = None
    keep_colours: bool = False
    tv_weight: float = 4.0

    @property
    def alpha(self) -> float:
        """α, the weight of the content term. Only β/α matters, so α is 1."""
        return 1.0

    @property
    def beta(self) -> float:
        """β, the weight of the style term: each 25 points of the slider are a factor of 10."""
        return float(_BALANCE * 10.0 ** ((self.style_weight - 50.0) / 25.0))

    @property
    def effective_learning_rate(self) -> float:
        """The learning rate that the optimiser is given."""
        if self.learning_rate is None:
            return DEFAULT_LEARNING_RATES[self.optimiser]
        return self.learning_rate

    def __post_init__(self) -> None:
        self.validate()

    def validate(self) -> None:
        """Check every field; raises RecipeError naming the first that is wrong."""
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise RecipeError(name, f"must be one of {', '.join(choices)}")
        for name in ("size", "steps", "seed", "style_scales"):
            _check_number(name, getattr(self, name), whole=True)
        for name in ("style_weight", "blend", "tv_weight"):
            _check_number(name, getattr(self, name))
        if self.learning_rate is not None:
            _check_number("learning_rate", self.learning_rate)
        if not isinstance(self.keep_colours, bool):
            raise RecipeError("keep_colours", "must be true or false")
        known = LAYERS[self.extractor]
        if self.content_layer not in known:
            raise RecipeError(
                "content_layer", f"{self.extractor} has the layers {', '.join(known)}"
            )
        _check_layer_weights(self.layer_weights, known, self.extractor)

    @classmethod
    def from_dict(cls, entries: Mapping[str, Any]) -> Recipe:
        """The recipe of a JSON object; what is left out takes its default.

        Raises RecipeError for an entry that is unknown, of the wrong type or out of bounds.
        """
        if not isinstance(entries, Mapping):
            raise RecipeError("recipe", "must be an object of names and values")
        known = {f.name for f in dataclasses.fields(cls)}
        for name in entries:
            if name not in known:
                raise RecipeError(
                    str(name), f"is not part of a recipe ({', '.join(sorted(known))})"
                )
        return cls(**entries)

    def to_dict(self) -> dict[str, Any]:
        """The recipe as JSON types; `from_dict` reads it back."""
        entries = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        entries["layer_weights"] = dict(self.layer_weights)
        return entries


_CHOICES: Mapping[str, tuple[str, ...]] = {
    "extractor": EXTRACTORS,
    "optimiser": OPTIMISERS,
    "start": STARTS,
}


def _check_number(name: str, value: object, *, whole: bool = False) -> None:
    low, high = BOUNDS[name]
    kind = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kind):
        raise RecipeError(name, "must be a whole number" if whole else "must be a number")
    if not low <= value <= high:  # also refuses NaN
        raise RecipeError(name, f"must lie between {low:g} and {high:g}")


def _check_layer_weights(weights: object, known: tuple[str, ...], extractor: str) -> None:
    name = "layer_weights"
    if not isinstance(weights, Mapping):
        raise RecipeError(name, "must be an object of layer names and weights")
    for layer, weight in weights.items():
        if layer not in known:
            raise RecipeError(name, f"{extractor} has no layer {layer!r}")
        if isinstance(weight, bool) or not isinstance(weight, (int, float)):
            raise RecipeError(name, f"the weight of {layer} must be a number")
        if not 0 <= weight <= MAX_LAYER_WEIGHT:
            raise RecipeError(
                name, f"the weight of {layer} must lie between 0 and {MAX_LAYER_WEIGHT:g}"
            )
    if not any(weights.values()):
        raise RecipeError(name, "at least one layer needs a weight above 0")


@dataclass(frozen=True)
class Losses:
    """The costs of one iterate.

    total: what the optimiser lowers, α·content + β·style (+ tv_weight·tv).
    content, style: the two terms, normalised as `objective.py` says (style is 1 for G = a
        picture with no likeness to S at all).
    style_layers: the share of each style layer in `style`, λ and all scales included.
    course_content, course_style, course_total: J_content, J_style and α·J_content + β·J_style
        exactly as the course has them (at the full scale alone).
    """

    total: float
    content: float
    style: float
    style_layers: Mapping[str, float]
    course_content: float
    course_style: float
    course_total: float

    def to_dict(self) -> dict[str, Any]:
        """The losses as JSON types."""
        return dataclasses.asdict(self)
