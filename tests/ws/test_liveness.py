"""/ws/liveness/{id}/: who may show frames, how many, how fast, and what becomes of the session.

A judge that follows a script stands in where only the protocol is looked at; the true one has tests
of its own.
"""

from __future__ import annotations

import contextlib
import json
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from types import SimpleNamespace
from typing import Any, Self
from uuid import UUID

import numpy as np
import pytest
from asgiref.sync import sync_to_async
from celery.contrib.testing.worker import start_worker
from channels.testing import WebsocketCommunicator
from PIL import Image

from facerec.core.liveness.challenge import Challenge, Step
from facerec.core.liveness.types import Frame, Ground, Phase, Progress, Verdict
from facerec.models import LivenessSession, LivenessState, Purpose
from facerec.services import liveness_store, work_liveness
from facerec.services.liveness import CREDITS, Opened, open_session
from tests.people import as_jpeg
from tests.ws.conftest import session_of
from webapp.accounts.models import User
from webapp.accounts.roles import Role
from webapp.accounts.services import create_user
from webapp.celery import app
from webapp.jobs.redis import client as redis_client

WAIT = 5.0
FINDS, TELLS = 2, 3  # the scripted judge looks at two frames, and tells a movement with the third


class ScriptedJudge:
    """Tells the first movement with the third frame and gives `outcome` with the one at `end`."""

    outcome: tuple[Verdict, list[Ground]] = (Verdict.LIVE, [])
    end = 6
    seen_by_all: list[int] = []
    breaks = False

    def __init__(self, challenge: Challenge, eyes: Any, **options: Any) -> None:
        self.steps = list(challenge.steps)
        self.seen, self.done = 0, 0
        self.breaks_seen: list[int] = []
        self.verdict: Verdict | None = None
        self.grounds: list[Ground] = []
        self.face_image: np.ndarray | None = None

    @property
    def scores(self) -> dict[str, float]:
        return {"seen": np.float32(self.seen), "odd": float("nan"), "losses": len(self.breaks_seen)}

    def to_bytes(self) -> bytes:
        steps = Challenge(tuple(self.steps)).as_json()
        return json.dumps([steps, self.seen, self.done, self.breaks_seen]).encode()

    @classmethod
    def from_bytes(cls, data: bytes, eyes: Any, **options: Any) -> Self:
        steps, seen, done, breaks_seen = json.loads(data)
        judge = cls(Challenge.from_json(steps), eyes)
        judge.seen, judge.done, judge.breaks_seen = seen, done, breaks_seen
        return judge

    def see(self, frame: Frame) -> Progress:
        if self.breaks:
            raise RuntimeError("a bug")
        self.seen += 1
        type(self).seen_by_all.append(self.seen)
        assert frame.image.shape == (360, 480, 3)
        assert abs(frame.judged - frame.arrived) < 5
        if self.seen > TELLS:
            self.done = 1
        if self.seen >= self.end:
            self.verdict, self.grounds = self.outcome
            self.face_image = frame.image if self.verdict is Verdict.LIVE else None
        return self.progress

    @property
    def progress(self) -> Progress:
        told = self.steps[self.done].movement if self.seen >= TELLS else None
        phase = Phase.MOVE if told else Phase.FIND
        return Progress(phase, self.done, len(self.steps), told, 0.5, None, self.verdict)

    def time_out(self, now: float) -> Progress:
        return self.progress

    def interrupted(self, steps: list[Step]) -> None:
        self.breaks_seen.append(self.seen)
        self.steps[self.done :] = steps


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> type[ScriptedJudge]:
    class Judge(ScriptedJudge):
        seen_by_all: list[int] = []

    @contextlib.contextmanager
    def runtime() -> Iterator[Any]:
        yield SimpleNamespace(eyes_of=lambda encoder: None, liveness_network=None)

    monkeypatch.setattr(work_liveness, "LivenessJudge", Judge)
    monkeypatch.setattr(work_liveness, "ready_runtime", runtime)
    return Judge


@pytest.fixture(scope="module")
def worker(redis_url: str) -> Iterator[None]:
    with start_worker(
        app, pool="threads", concurrency=2, perform_ping_check=False, queues=["faces"]
    ):
        yield


@pytest.fixture
def olive(transactional_db: None, redis_url: str) -> User:
    redis_client().flushall()
    return create_user(username="olive", password="x", role=Role.OPERATOR)


@pytest.fixture
def opened(olive: User) -> Opened:
    return open_session(purpose=Purpose.VERIFICATION, by=olive)


JPEG = as_jpeg(Image.new("RGB", (480, 360), "grey"))


def frame(taken: float = 0.0, jpeg: bytes = JPEG) -> bytes:
    return struct.pack(">d", taken) + jpeg


Connect = Callable[..., Any]


@pytest.fixture
async def connect(olive: User) -> AsyncIterator[Connect]:
    """`await connect(session_id, user=…)`: an accepted socket."""
    from webapp.asgi import application

    sockets: list[WebsocketCommunicator] = []

    async def connect(
        session_id: UUID, user: User | None = olive, headers: list[Any] | None = None
    ) -> WebsocketCommunicator:
        if headers is None:
            headers = await sync_to_async(session_of)(user) if user else ORIGIN
        socket = WebsocketCommunicator(application, f"/ws/liveness/{session_id}/", headers)
        sockets.append(socket)
        connected, _ = await socket.connect(WAIT)
        assert connected
        return socket

    yield connect
    for socket in sockets:
        if not socket.future.done():
            await socket.disconnect()


ORIGIN = [(b"origin", b"http://testserver")]


async def begun(connect: Connect, opened: Opened, **options: Any) -> WebsocketCommunicator:
    socket = await connect(opened.session.pk, **options)
    await socket.send_json_to({"type": "begin", "nonce": opened.nonce})
    said = await socket.receive_json_from(WAIT)
    assert said["type"] == "session"
    return socket


async def closing_code(socket: WebsocketCommunicator) -> int:
    """Whatever else comes before, the code with which the server closes."""
    while True:
        output = await socket.receive_output(WAIT)
        if output["type"] == "websocket.close":
            return int(output["code"])


async def show(socket: WebsocketCommunicator, count: int, first: int = 1) -> list[dict[str, Any]]:
    """Send frames one by one; what was said to each."""
    said = []
    for number in range(first, first + count):
        await socket.send_to(bytes_data=frame(number * 100))
        said.append(await socket.receive_json_from(WAIT))
    return said


@sync_to_async
def row(opened: Opened) -> LivenessSession:
    opened.session.refresh_from_db()
    return opened.session


@pytest.mark.usefixtures("worker")
class TestASession:
    async def test_from_begin_to_verdict(
        self, connect: Connect, opened: Opened, judge: type[ScriptedJudge]
    ) -> None:
        socket = await connect(opened.session.pk)
        await socket.send_json_to({"type": "begin", "nonce": opened.nonce})
        said = await socket.receive_json_from(WAIT)
        assert 55 < said.pop("expires_in") <= 60
        assert said == {
            "type": "session",
            "state": "running",
            "done": 0,
            "steps": 4,
            "credits": CREDITS,
            "resumed": False,
        }
        first, *_, told = await show(socket, 3)
        asked = opened.session.challenge[0]["movement"]
        assert first == {
            "type": "progress",
            "frame": 1,
            "phase": "find",
            "done": 0,
            "steps": 4,
            "movement": None,
            "share": 0.5,
            "hint": None,
        }
        assert (told["frame"], told["phase"], told["movement"]) == (3, "move", asked)
        *_, verdict = await show(socket, 3, first=4)
        assert verdict == {
            "type": "verdict",
            "outcome": "passed",
            "title": "Live check passed",
            "advice": "",
        }
        assert await closing_code(socket) == 1000
        session = await row(opened)
        assert (session.state, session.frames) == (LivenessState.PASSED, 6)
        assert session.begun < session.finished
        assert session.scores == {"seen": 6.0, "odd": None, "losses": 0.0}
        assert session.judge_version == work_liveness.JUDGE_VERSION

    async def test_what_is_left_is_the_face_for_two_minutes(
        self, connect: Connect, opened: Opened, judge: type[ScriptedJudge]
    ) -> None:
        socket = await begun(connect, opened)
        await show(socket, 6)
        await closing_code(socket)
        await socket.disconnect()
        face = liveness_store.key_of(opened.session.pk, "face")
        assert 100 < await sync_to_async(redis_client().ttl)(face) <= 120
        keys = {key.decode() for key in redis_client().scan_iter("liveness:*")}
        endings = {key.rpartition(":")[2] for key in keys}
        assert not endings & {"frames", "judge", "turn", "holder", "last"}

    async def test_a_failure_says_nothing_of_why(
        self, connect: Connect, opened: Opened, judge: type[ScriptedJudge]
    ) -> None:
        judge.outcome = (Verdict.NOT_LIVE, [Ground.FLAT])
        socket = await begun(connect, opened)
        *_, verdict = await show(socket, 6)
        assert verdict["outcome"] == "failed"
        assert "flat" not in json.dumps(verdict).lower()
        session = await row(opened)
        assert (session.state, session.grounds) == (LivenessState.FAILED, ["flat"])
        assert not redis_client().exists(liveness_store.key_of(opened.session.pk, "face"))
