"""What the forms of this half have in common: what is wrong stands at its field, with a hint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django import forms

from styletransfer.core.errors import RecipeError
from webapp.errors import UserFacingError

R = TypeVar("R")


def number(label: str, **options: Any) -> forms.FloatField:
    """A number whose bounds the recipe itself checks; left out, its default holds."""
    return forms.FloatField(label=label, required=False, **options)


def whole(label: str) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False)


def choice(label: str, names: Mapping[str, str], order: tuple[str, ...]) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=[(n, names[n]) for n in order])


class RecipeForm(forms.Form):
    """A form that a recipe comes of."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.hints: dict[str, str] = {}

    def problems(self) -> list[dict[str, str]]:
        """The errors as the error summary shows them: field, message, hint."""
        return [
            {
                "field": "" if field == "__all__" else field,
                "message": str(message),
                "hint": self.hints.get(field, ""),
            }
            for field, messages in self.errors.items()
            for message in messages
        ]

    def by_field(self) -> list[tuple[str, str]]:
        """Every field that has a place for its error, with its error or nothing."""
        return [(name, " ".join(map(str, self.errors.get(name, [])))) for name in self.fields]

    def refuse(self, field: str, error: UserFacingError, *, message: str = "") -> None:
        """An input that cannot be used."""
        self.hints[field] = error.hint
        self.errors.pop(field, None)
        self.add_error(field, message or error.message)

    def cook(self, read: Callable[[dict[str, Any]], R], entries: dict[str, Any]) -> R | None:
        """The recipe that `read` makes of the entries; None where one of them is wrong."""
        try:
            return read(entries)
        except RecipeError as error:
            field = error.field if error.field in self.fields else None
            label = self.fields[field].label if field else "The recipe"
            if field not in self.errors:
                self.add_error(field, f"{label} {error.message}.")
            return None
