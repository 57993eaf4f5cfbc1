"""Bearer keys for the API's operations."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from ninja import Schema
from ninja.security import HttpBearer

from webapp.accounts.models import ApiKey, Scope
from webapp.accounts.services import api_key_for
from webapp.errors import UserFacingError


class ErrorBody(Schema):
    """What every refused request gets."""

    code: str
    message: str
    hint: str = ""


class KeyAuth(HttpBearer):
    """Lets a key with one of `scopes` in; `request.auth` is the key and `request.user` its user."""

    def __init__(self, *scopes: Scope) -> None:
        super().__init__()
        self.scopes = scopes

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        key = api_key_for(secret=token)
        if key is None:
            return None
        if not any(key.allows(scope) for scope in self.scopes):
            wanted = self.scopes[-1]
            raise UserFacingError(
                "key_not_allowed",
                f"This key may not {wanted.label}.",
                f"Use one with the scope “{wanted}”, of a user whose role allows it.",
                status=403,
            )
        request.user = key.user
        return key


class AsyncKeyAuth(KeyAuth):
    """`KeyAuth` for async operations."""

    async def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:  # type: ignore[override]
        return await sync_to_async(super().authenticate)(request, token)
