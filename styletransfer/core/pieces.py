"""What can be made besides pictures: media, goals, recipes, losses. No torch: the web reads it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from styletransfer.core.errors import RecipeError
from styletransfer.core.types import DEFAULT_LEARNING_RATES, OPTIMISERS

MEDIA: Final = ("sound", "signal", "volume", "clip")


@dataclass(frozen=True)
class Kind:
    """What one medium can be asked for.

    inputs: name → medium of each input; `picture` is a picture.
    filters: whose features are compared; the first is the default, chosen by evidence
        (docs/decisions.md).
    numbers: name → (smallest, largest, default) of each number that counts.
    optimiser: the default.
    """

    inputs: Mapping[str, str]
    filters: tuple[str, ...]
    numbers: Mapping[str, tuple[float, float, float]]
    optimiser: str = "lbfgs"


KINDS: Mapping[tuple[str, str], Kind] = {
    ("sound", "transfer"): Kind(
        {"content": "sound", "style": "sound"},
        ("random", "lite"),
        {"steps": (1, 1000, 150), "style_weight": (0, 100, 50), "seconds": (1, 60, 10)},
    ),
    ("sound", "texture"): Kind(
        {"style": "sound"},
        ("random", "lite"),
        {"steps": (1, 1000, 250), "seconds": (1, 60, 10)},
    ),
    ("signal", "texture"): Kind(
        {"style": "signal"},
        ("random",),
        {"steps": (1, 1000, 200), "seconds": (0.1, 3600, 10)},
    ),
    ("volume", "texture"): Kind(
        {"style": "volume"},
        ("lite", "random"),
        {"steps": (1, 1000, 100), "size": (16, 96, 48)},
    ),
    ("volume", "solid"): Kind(
        {"style": "picture"},
        ("lite",),
        {"steps": (1, 1000, 100), "size": (16, 96, 48)},
    ),
    ("clip", "transfer"): Kind(
        {"content": "clip", "style": "picture"},
        ("lite", "vgg19"),
        {
            "steps": (1, 500, 60),
            "style_weight": (0, 100, 50),
            "size": (64, 512, 256),
            "steadiness": (0, 100, 50),
        },
    ),
}
"""(medium, goal) → what it takes. Goals: `transfer` (content in the manner of a style), `texture`
(more of the same), `solid` (a volume whose slices look like a picture)."""

NUMBERS: Final = ("steps", "style_weight", "seconds", "size", "steadiness", "learning_rate")
_WHOLE: Final = ("steps", "seed", "size")


@dataclass(frozen=True)
class PieceRecipe:
    """All that decides a piece besides its inputs. What does not count for a kind is None.

    steps: iterations of the optimiser. style_weight: 0 … 100 between content and style, as for
    pictures. seconds: how long the sound or signal shall be. size: longest side, voxels or pixels.
    steadiness: 0 … 100, how much a clip's frames are held to their predecessors.
    filters: `random` (untrained convolutions of the seed) or an extractor's name, on slices.
    """

    medium: str
    goal: str
    steps: int = 0
    style_weight: float | None = None
    seconds: float | None = None
    size: int | None = None
    steadiness: float | None = None
    filters: str = ""
    optimiser: str = ""
    seed: int = 0
    learning_rate: float | None = None

    @property
    def kind(self) -> Kind:
        """What this medium and goal take."""
        return KINDS[self.medium, self.goal]

    @property
    def effective_learning_rate(self) -> float:
        """The learning rate that the optimiser is given."""
        if self.learning_rate is None:
            return DEFAULT_LEARNING_RATES[self.optimiser]
        return self.learning_rate

    @classmethod
    def from_dict(cls, entries: Mapping[str, Any]) -> PieceRecipe:
        """The recipe of a JSON object with at least `medium` and `goal`; what is left out takes
        its kind's default.

        Raises RecipeError for an entry that is unknown, does not count for this kind, is of the
        wrong type or out of bounds.
        """
        if not isinstance(entries, Mapping):
            raise RecipeError("recipe", "must be an object of names and values")
        medium, goal = entries.get("medium"), entries.get("goal")
        if medium not in MEDIA:
            raise RecipeError("medium", f"must be one of {', '.join(MEDIA)}")
        goals = [g for m, g in KINDS if m == medium]
        if goal not in goals:
            raise RecipeError("goal", f"must be one of {', '.join(goals)} for a {medium}")
        kind = KINDS[str(medium), str(goal)]
        given = {name: value for name, value in entries.items() if value is not None}
        counting = {"medium", "goal", "filters", "optimiser", "seed", "learning_rate"}
        for name in given:
            if name not in counting | set(kind.numbers):
                known = ", ".join(sorted(counting | set(kind.numbers)))
                raise RecipeError(str(name), f"is not part of this recipe ({known})")
        defaults = {
            name: int(default) if name in _WHOLE else default
            for name, (_, _, default) in kind.numbers.items()
        }
        chosen = {"filters": kind.filters[0], "optimiser": kind.optimiser}
        recipe = cls(**{**defaults, **chosen, **given})
        recipe.validate()
        return recipe

    def validate(self) -> None:
        """Check every field; raises RecipeError naming the first that is wrong."""
        kind = self.kind
        if self.filters not in kind.filters:
            raise RecipeError("filters", f"must be one of {', '.join(kind.filters)}")
        if self.optimiser not in OPTIMISERS:
            raise RecipeError("optimiser", f"must be one of {', '.join(OPTIMISERS)}")
        bounds: dict[str, tuple[float, float]] = {n: (b[0], b[1]) for n, b in kind.numbers.items()}
        bounds |= {"seed": (0, 2**31 - 1)}
        if self.learning_rate is not None:
            bounds |= {"learning_rate": (1e-4, 10)}
        for name, (low, high) in bounds.items():
            _check_number(name, getattr(self, name), low, high)

    def to_dict(self) -> dict[str, Any]:
        """The recipe as JSON types; `from_dict` reads it back."""
        return {k: v for k, v in dataclasses.asdict(self).items() if v is not None}


def _check_number(name: str, value: object, low: float, high: float) -> None:
    whole = name in _WHOLE
    kind = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kind):
        raise RecipeError(name, "must be a whole number" if whole else "must be a number")
    if not low <= value <= high:  # also refuses NaN
        raise RecipeError(name, f"must lie between {low:g} and {high:g}")


@dataclass(frozen=True)
class PieceLosses:
    """The costs of one iterate.

    total: what the optimiser lowers. content, style: the two terms, each on a scale of its own (as
    `objective.py` has it; content is 0 where there is none). layers: the share of each layer, or
    of each other term by its name, in the style term.
    """

    total: float
    content: float
    style: float
    layers: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """The losses as JSON types."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class Figure:
    """A held-out statistic: something that no cost asked for, of the result and of its example.

    name: as the field calls it. result, example: the two values (example is None where there is
    nothing to compare with). unit: "" for a ratio. meaning: one short sentence for the page.
    """

    name: str
    result: float
    example: float | None
    unit: str
    meaning: str

    def to_dict(self) -> dict[str, Any]:
        """The figure as JSON types."""
        return dataclasses.asdict(self)
