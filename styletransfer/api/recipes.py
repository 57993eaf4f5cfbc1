"""Recipes as programs send them: a JSON object in a form's field."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from styletransfer.core.errors import RecipeError
from webapp.errors import UserFacingError

R = TypeVar("R")


def read_recipe(text: str, read: Callable[[Any], R], *, example: str, docs: str) -> R:
    """The recipe that `read` makes of a JSON text.

    Raises:
        UserFacingError: `recipe_not_json`, `bad_recipe` with its field.
    """
    try:
        return read(json.loads(text or "{}"))
    except ValueError as error:
        raise UserFacingError(
            "recipe_not_json",
            "The recipe is not a JSON object.",
            f"Send one such as {example}.",
            status=422,
            field="recipe",
        ) from error
    except RecipeError as error:
        raise UserFacingError(
            "bad_recipe",
            f"The recipe’s {error.field} {error.message}.",
            f"See {docs} for what each entry means.",
            status=422,
            field=error.field,
        ) from error
