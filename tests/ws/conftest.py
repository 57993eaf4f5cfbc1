"""Sockets before the real ASGI application, and the session's real Redis."""

from __future__ import annotations

import json
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from styletransfer.models import StyleJob
from tests.pictures import make_painter, make_row
from webapp.accounts.models import User
from webapp.jobs.frames import Frame
from webapp.jobs.redis import client as redis_client

COLUMNS = ["total", "content", "style"]


@pytest.fixture
def painter(transactional_db: None, redis_url: str) -> User:
    redis_client().flushall()
    return make_painter()


@pytest.fixture
def job(painter: User) -> StyleJob:
    return make_row(painter)


def session_of(user: User) -> list[tuple[bytes, bytes]]:
    """The headers by which a signed-in browser opens a socket."""
    browser = Client()
    browser.force_login(user)
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
    return [(b"cookie", cookie.encode()), (b"origin", b"http://testserver")]


@dataclass
class Message:
    """A binary message as a browser takes it apart."""

    header: dict[str, Any]
    curve: np.ndarray
    jpeg: bytes

    @classmethod
    def parse(cls, data: bytes) -> Message:
        (length,) = struct.unpack(">I", data[:4])
        header = json.loads(data[4 : 4 + length])
        end = 4 + length + 4 * header["points"] * len(header["columns"])
        curve = np.frombuffer(data[4 + length : end], "<f4").reshape(
            header["points"], len(header["columns"])
        )
        return cls(header, curve, data[end:])


def frame(step: int, *, columns: list[str] | None = None) -> Frame:
    """A frame of a job that is at `step`: its curve has step + 1 points, of which each says where
    it stands."""
    columns = columns or COLUMNS
    curve = np.repeat(np.arange(step + 1, dtype="<f4"), len(columns))
    header = {"step": step, "steps": 99, "width": 8, "height": 8, "columns": columns}
    return Frame(header, curve.tobytes(), b"jpeg %d" % step)


Open = Callable[..., Any]


@pytest.fixture
async def open_socket(painter: User) -> AsyncIterator[Open]:
    """`await open_socket(job, headers)`: a socket to a job's watchers' address."""
    from webapp.asgi import application

    opened: list[WebsocketCommunicator] = []

    async def open_socket(
        job_id: object, headers: list[tuple[bytes, bytes]]
    ) -> WebsocketCommunicator:
        socket = WebsocketCommunicator(application, f"/ws/jobs/{job_id}/", headers)
        opened.append(socket)
        return socket

    yield open_socket
    for socket in opened:
        await socket.disconnect()
