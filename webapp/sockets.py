"""Who opens a websocket: a browser by its session and origin, or a program by its key."""

from __future__ import annotations

from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.db import database_sync_to_async
from channels.security.websocket import AllowedHostsOriginValidator, WebsocketDenier

from webapp.accounts.services import api_key_for


class SocketAuth:
    """A bearer key needs no origin check (a browser cannot be tricked into sending one);
    a session cookie does, since browsers send it from any page."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.by_session = AllowedHostsOriginValidator(AuthMiddlewareStack(app))

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        header = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        scheme, _, secret = header.partition(" ")
        if scheme.lower() != "bearer":
            return await self.by_session(scope, receive, send)
        key = await database_sync_to_async(api_key_for)(secret=secret.strip())
        if key is None:
            return await WebsocketDenier()(scope, receive, send)
        return await self.app({**scope, "user": key.user, "api_key": key}, receive, send)
