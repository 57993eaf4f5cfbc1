"""Page decorators: signed in and in the right role, or told so kindly."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase

from webapp.accounts.roles import Role, has_role
from webapp.errors import UserFacingError

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

WHAT = {
    Role.PAINTER: "paint pictures",
    Role.OPERATOR: "verify and identify people",
    Role.ADMINISTRATOR: "do this",
}


def role_required(role: Role) -> Callable[[View], View]:
    """Let a view be used by people in `role` only; visitors are sent to sign in."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not has_role(request.user, role):
                raise UserFacingError(
                    "not_allowed",
                    f"Your account may not {WHAT[role]}.",
                    f"Ask an administrator for the role “{role}”.",
                    status=403,
                )
            return view(request, *args, **kwargs)

        return login_required(guarded)  # type: ignore[return-value]

    return decorate
