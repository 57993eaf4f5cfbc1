"""The forms of pieces: their inputs and a recipe. One form for each medium and goal."""

from __future__ import annotations

from typing import Any

from django import forms

from styletransfer.core.pieces import KINDS, PieceRecipe
from styletransfer.core.types import OPTIMISERS
from styletransfer.forms.pictures import OPTIMISER_NAMES
from styletransfer.forms.problems import RecipeForm, choice, number, whole
from styletransfer.models import Piece
from styletransfer.piece_files import PieceFolder
from styletransfer.services.pieces import Given, earlier_piece, take_input
from webapp.accounts.models import User
from webapp.errors import UserFacingError

LABELS = {
    "steps": "Steps",
    "style_weight": "Style weight",
    "seconds": "Length",
    "size": "Size",
    "steadiness": "Steadiness",
}
WHOLE = ("steps", "size")


def goals_of(medium: str) -> list[str]:
    """What a medium can be asked for; the first is the default."""
    return [goal for each, goal in KINDS if each == medium]


class PieceForm(RecipeForm):
    """Cleans into `inputs` and `called` (as the kind names them), `recipe` and `title`."""

    like = forms.UUIDField(label="Earlier piece", required=False)
    title = forms.CharField(label="Title", required=False, max_length=120)
    filters = forms.CharField(label="Filters", required=False)
    optimiser = choice("Optimiser", OPTIMISER_NAMES, OPTIMISERS)
    seed = whole("Seed")
    learning_rate = number("Learning rate")

    def __init__(self, *args: Any, owner: User, medium: str, goal: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner, self.medium, self.goal = owner, medium, goal
        self.kind = KINDS[medium, goal]
        self.called: dict[str, str] = {}  # what each input is called
        for name in self.kind.inputs:
            self.fields[name] = forms.FileField(
                required=False, allow_empty_file=True, max_length=None
            )
            self.fields[f"{name}_starter"] = forms.CharField(required=False)
        for name in self.kind.numbers:
            self.fields[name] = (whole if name in WHOLE else number)(LABELS[name])

    @classmethod
    def values_of(cls, medium: str, goal: str, like: Piece | None = None) -> dict[str, Any]:
        """What the form shows at first: the defaults, or an earlier piece's recipe."""
        fits = like is not None and (like.medium, like.goal) == (medium, goal)
        recipe = like.recipe if like and fits else {"medium": medium, "goal": goal}
        values = PieceRecipe.from_dict(recipe).to_dict()
        return {**values, "like": like.pk if like and fits else "", "title": ""}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        like = earlier_piece(owner=self.owner, piece_id=cleaned.get("like"))
        inputs = {name: self._input(name, like) for name in self.kind.inputs}
        names = ("filters", "optimiser", "seed", "learning_rate", *self.kind.numbers)
        entries = {n: cleaned[n] for n in names if cleaned.get(n) not in (None, "")}
        what = {"medium": self.medium, "goal": self.goal}
        recipe = self.cook(PieceRecipe.from_dict, what | entries)
        return {**cleaned, "inputs": inputs, "recipe": recipe, "called": self.called}

    def _input(self, name: str, like: Piece | None) -> Given | None:
        """The upload, else the chosen starter, else the earlier piece's."""
        medium = self.kind.inputs[name]
        upload, starter = self.files.get(name), self.data.get(f"{name}_starter", "")
        try:
            reused = like is not None and like.cooked.kind.inputs.get(name) == medium
            if like is not None and reused and upload is None and not starter:
                self.called[name] = like.called[name]
                return PieceFolder(like.pk).read_input(name)
            self.called[name], given = take_input(upload, starter, name=name, medium=medium)
            return given
        except UserFacingError as error:
            missing = f"There is no {medium} yet." if error.code == "no_file" else ""
            self.refuse(name, error, message=missing)
            return None
