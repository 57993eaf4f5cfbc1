"""Large uploads: from the socket straight to a private file, once Django has let the sender in.

Everything else that is sent stays in memory (`webapp.uploads`). An archive of photos does not fit
there, and Django under ASGI reads a whole body before it asks who sent it. So Django is asked
first, with an empty body: sessions, CSRF, roles, keys and rates decide as everywhere. Only where
the view answers 201 and names a file (`NAMES_FILE`) is the body read, as it came: no multipart.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import structlog
from django.conf import settings

from webapp.errors import UserFacingError
from webapp.uploads import Message, Receive, Scope, Send

log = structlog.get_logger(__name__)

PATHS = frozenset(("/archives/", "/api/v1/archives"))
NAMES_FILE = b"x-staged-as"  # between the view and us; never sent out
SUFFIX, PARTIAL = ".zip", ".part"
PIECE = 1024**2
KEEP_FREE = 512 * 1024**2  # bytes of the disk that an upload must leave for everything else


def path_of(staged: UUID) -> Path:
    """Where a staged upload lies, if it is whole."""
    return settings.STAGING_DIR / f"{staged}{SUFFIX}"


def private(path: str, flags: int) -> int:
    """An opener: for this user alone."""
    return os.open(path, flags, 0o600)


@dataclass
class Answer:
    """What Django said."""

    start: dict[str, Any] = field(default_factory=dict)
    body: list[dict[str, Any]] = field(default_factory=list)

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = dict(message)
        else:
            self.body.append(dict(message))

    def name_file(self) -> UUID | None:
        """The file that the view named, if it let the sender in."""
        headers = [(name.lower(), value) for name, value in self.start["headers"]]
        named = dict(headers).get(NAMES_FILE)
        self.start["headers"] = [header for header in headers if header[0] != NAMES_FILE]
        return UUID(named.decode()) if named and self.start["status"] == 201 else None

    async def forward(self, send: Send) -> None:
        for message in (self.start, *self.body):
            await send(message)


class Body:
    """A request's body, piece by piece.

    more: it is not at its end. gone: the sender hung up.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        self.declared = int(length) if length.isdigit() else 0
        self._asks_first = b"expect" in headers
        self._receive = receive
        self.more, self.gone = True, False

    async def read(self) -> bytes:
        message = await self._receive()
        self.gone = message["type"] == "http.disconnect"
        self.more = bool(message.get("more_body")) and not self.gone
        return bytes(message.get("body", b""))

    async def drain(self) -> None:
        """Read a refused body to its end, else the browser sees a reset instead of the answer. Who
        asked first (`Expect: 100-continue`) is told without sending it."""
        left = 0 if self._asks_first else 2 * settings.ARCHIVE_MAX_MB * 1024**2
        while self.more and left > 0:
            left -= len(await self.read()) or 1


class StagedUploads:
    """ASGI: `PATHS` take a body of up to `settings.ARCHIVE_MAX_MB` to `settings.STAGING_DIR`."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wanted = scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in PATHS
        if not wanted:
            await self.app(scope, receive, send)
            return
        answer = await self._ask(scope)
        staged = answer.name_file()
        body = Body(scope, receive)
        try:
            if staged is not None:
                await _write(staged, body)
        except UserFacingError as error:
            await body.drain()
            await _refuse(error, send)
        else:
            await body.drain()  # of one who was not let in
            if not body.gone:
                await answer.forward(send)

    async def _ask(self, scope: Scope) -> Answer:
        """Django's answer to the request without its body."""
        headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
        asked = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Message:
            if asked:
                return asked.pop()
            await asyncio.Event().wait()  # it listens for a disconnect until it has answered
            raise AssertionError

        answer = Answer()
        await self.app({**scope, "headers": headers}, receive, answer.take)
        return answer


async def _write(staged: UUID, body: Body) -> None:
    """The body into its file; no file where the sender hung up.

    Raises:
        UserFacingError: `archive_too_large`, `disk_full`, `empty_file`.
    """
    _check(body.declared, body.declared)
    path = path_of(staged)
    partial = path.with_suffix(PARTIAL)
    try:
        with open(partial, "xb", opener=private) as target:
            await _copy(body, target)
        if not body.gone:
            partial.rename(path)
    except OSError as error:
        log.warning("an upload could not be written", error=type(error).__name__)
        raise _disk_full() from error
    finally:
        partial.unlink(missing_ok=True)


async def _copy(body: Body, target: BinaryIO) -> None:
    piece, seen = bytearray(), 0
    while body.more:
        piece += await body.read()
        if len(piece) >= PIECE or not body.more:
            seen += len(piece)
            _check(seen, len(piece))
            await asyncio.to_thread(target.write, bytes(piece))
            piece.clear()
    if not seen and not body.gone:
        raise UserFacingError(
            "empty_file", "This file is empty.", "Choose another.", status=422, field="archive"
        )


def _check(size: int, to_come: int) -> None:
    """Raise if `size` is too much, or if the disk has no room for `to_come` more bytes."""
    if size > settings.ARCHIVE_MAX_MB * 1024**2:
        raise UserFacingError(
            "archive_too_large",
            f"This archive has more than {settings.ARCHIVE_MAX_MB:,} MB.",
            "Send it in several parts.",
            status=413,
            field="archive",
        )
    if shutil.disk_usage(settings.STAGING_DIR).free < KEEP_FREE + to_come:
        raise _disk_full()


def _disk_full() -> UserFacingError:
    return UserFacingError(
        "disk_full",
        "There is not enough room on the server's disk for this archive.",
        "Tell an administrator of the machine, or send a smaller one.",
        status=507,
        field="archive",
    )


async def _refuse(error: UserFacingError, send: Send) -> None:
    body = json.dumps(error.as_dict()).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
