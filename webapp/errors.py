"""Errors that a person is meant to read. Imports nothing, so that every layer may use it."""

from __future__ import annotations

from typing import Any


class UserFacingError(Exception):
    """Something the user can mend: what happened, and what to do now.

    Args:
        code: short and stable, for programs (`image_too_large`).
        message: one sentence, for people.
        hint: what to do; may be empty.
        status: the HTTP status that fits.
        field: the form field to which the focus goes, where there is one.
        details: further machine-readable facts (a list of refused photos, say).
    """

    def __init__(
        self,
        code: str,
        message: str,
        hint: str = "",
        *,
        status: int = 400,
        field: str = "",
        details: Any = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.status = status
        self.field = field
        self.details = details

    def as_dict(self) -> dict[str, Any]:
        """What an API client or a socket gets."""
        body: dict[str, Any] = {"code": self.code, "message": self.message, "hint": self.hint}
        if self.field:
            body["field"] = self.field
        if self.details is not None:
            body["details"] = self.details
        return body
