"""/ws/liveness/{id}/: who may show frames, how many, how fast, and what becomes of the session.

A judge that follows a script stands in where only the protocol is looked at; the true one has tests
of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Self
from uuid import UUID

import numpy as np
import pytest
from asgiref.sync import sync_to_async
from celery.contrib.testing.worker import start_worker
from channels.testing import WebsocketCommunicator
from django.utils import timezone
from PIL import Image

from facerec.core.errors import WeightsNotFound
from facerec.core.liveness.challenge import STEPS, Challenge, Step
from facerec.core.liveness.types import Frame, Ground, Phase, Progress, Verdict
from facerec.encoders import SHIPPED
from facerec.models import LivenessSession, LivenessState, Purpose
from facerec.runtime import runtime
from facerec.services import liveness, liveness_store, work_liveness
from facerec.services.liveness import CREDITS, MAX_BYTES, Opened, open_session
from tests.people import as_jpeg
from tests.simulator.camera import jpeg
from tests.simulator.living import Living
from tests.web.facerec.test_privacy import on_disk
from tests.ws.conftest import session_of
from webapp.accounts.models import Scope, User
from webapp.accounts.roles import Role
from webapp.accounts.services import create_api_key, create_user
from webapp.celery import app
from webapp.jobs.redis import client as redis_client

WAIT = 5.0
FINDS, TELLS = 2, 3  # the scripted judge looks at two frames, and tells a movement with the third


class ScriptedJudge:
    """Tells the first movement with the third frame and gives `outcome` with the one at `end`."""

    outcome: tuple[Verdict, list[Ground]] = (Verdict.LIVE, [])
    end = 6
    seen_by_all: list[int] = []
    read = 0
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
        cls.read += 1
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
def nobody_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no credit comes back, and nothing is said."""
    monkeypatch.setattr("facerec.consumers.wake_worker", lambda session_id, token: None)


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
            "steps": STEPS,
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
            "steps": STEPS,
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

    async def test_of_a_trial_nothing_is_left(
        self, connect: Connect, opened: Opened, judge: type[ScriptedJudge]
    ) -> None:
        await LivenessSession.objects.aupdate(purpose=Purpose.TRIAL)
        *_, verdict = await show(await begun(connect, opened), 6)
        assert verdict["outcome"] == "passed"
        assert not redis_client().exists(liveness_store.key_of(opened.session.pk, "face"))

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


class TestWhoMayShowFrames:
    async def test_a_visitor_is_told_to_sign_in(self, connect: Connect, opened: Opened) -> None:
        assert await closing_code(await connect(opened.session.pk, user=None)) == 4401

    async def test_somebody_elses_is_not_there(self, connect: Connect, opened: Opened) -> None:
        other = await sync_to_async(create_user)(username="o", password="x", role=Role.OPERATOR)
        assert await closing_code(await connect(opened.session.pk, user=other)) == 4404
        nowhere = UUID("00000000-0000-0000-0000-000000000000")
        assert await closing_code(await connect(nowhere, user=other)) == 4404

    async def test_who_is_no_operator_any_more(
        self, connect: Connect, opened: Opened, olive: User
    ) -> None:
        await sync_to_async(olive.groups.clear)()
        assert await closing_code(await connect(opened.session.pk)) == 4404

    async def test_another_sites_page_is_refused(self, opened: Opened, olive: User) -> None:
        from webapp.asgi import application

        headers = await sync_to_async(session_of)(olive)
        stolen = [(n, b"http://evil.example" if n == b"origin" else v) for n, v in headers]
        path = f"/ws/liveness/{opened.session.pk}/"
        connected, _ = await WebsocketCommunicator(application, path, stolen).connect(WAIT)
        assert not connected

    @pytest.mark.parametrize(("scope", "code"), [(Scope.RECOGNISE, None), (Scope.PAINT, 4404)])
    async def test_a_key_by_its_scope(
        self, connect: Connect, opened: Opened, olive: User, scope: Scope, code: int | None
    ) -> None:
        _, secret = await sync_to_async(create_api_key)(user=olive, scopes=[scope])
        headers = [(b"authorization", f"Bearer {secret}".encode())]
        socket = await connect(opened.session.pk, headers=headers)
        if code is not None:
            assert await closing_code(socket) == code
            return
        await socket.send_json_to({"type": "begin", "nonce": opened.nonce})
        assert (await socket.receive_json_from(WAIT))["type"] == "session"


async def begin_refused(connect: Connect, opened: Opened, nonce: Any) -> int:
    socket = await connect(opened.session.pk)
    await socket.send_json_to({"type": "begin", "nonce": nonce})
    return await closing_code(socket)


class TestBegin:
    @pytest.mark.parametrize("nonce", ["", "wrong", "\ud800", "x" * 10_000])
    async def test_a_wrong_nonce(self, connect: Connect, opened: Opened, nonce: str) -> None:
        assert await begin_refused(connect, opened, nonce) == 4403
        assert (await row(opened)).state == LivenessState.WAITING

    async def test_the_fifth_ends_the_session(self, connect: Connect, opened: Opened) -> None:
        codes = [await begin_refused(connect, opened, "wrong") for _ in range(5)]
        assert codes == [4403] * 5
        assert (await row(opened)).state == LivenessState.ABANDONED
        assert await begin_refused(connect, opened, opened.nonce) == 4410

    async def test_the_nonce_of_another_session(
        self, connect: Connect, opened: Opened, olive: User
    ) -> None:
        key = (await sync_to_async(create_api_key)(user=olive))[0]
        other = await sync_to_async(open_session)(
            purpose=Purpose.VERIFICATION, by=olive, api_key=key
        )
        assert await begin_refused(connect, opened, other.nonce) == 4403

    async def test_too_late(self, connect: Connect, opened: Opened) -> None:
        past = timezone.now() - timedelta(seconds=1)
        await LivenessSession.objects.aupdate(expires=past)
        assert await begin_refused(connect, opened, opened.nonce) == 4410
        assert (await row(opened)).state == LivenessState.ABANDONED

    @pytest.mark.parametrize("state", ["passed", "failed", "inconclusive"])
    async def test_a_verdict_that_was_lost_with_the_connection_is_told_again(
        self, connect: Connect, opened: Opened, state: str
    ) -> None:
        await LivenessSession.objects.aupdate(state=state)
        socket = await connect(opened.session.pk)
        await socket.send_json_to({"type": "begin", "nonce": opened.nonce})
        said = await socket.receive_json_from(WAIT)
        assert (said["type"], said["outcome"]) == ("verdict", state)
        assert await closing_code(socket) == 1000

    @pytest.mark.parametrize(
        "nonsense", ["begin", "[]", "{}", '{"type": "begin", "nonce": 7}', '{"type": "frame"}']
    )
    async def test_nonsense(self, connect: Connect, opened: Opened, nonsense: str) -> None:
        socket = await connect(opened.session.pk)
        await socket.send_to(text_data=nonsense)
        assert await closing_code(socket) == 4400

    async def test_a_frame_before_it(self, connect: Connect, opened: Opened) -> None:
        socket = await connect(opened.session.pk)
        await socket.send_to(bytes_data=frame())
        assert await closing_code(socket) == 4400
        assert not redis_client().exists(liveness_store.key_of(opened.session.pk, "frames"))

    async def test_who_never_does_is_not_waited_for(
        self, connect: Connect, opened: Opened, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("facerec.consumers.BEGIN_WITHIN", 0.1)
        socket = await connect(opened.session.pk)
        assert await closing_code(socket) == 4400
        assert (await row(opened)).state == LivenessState.WAITING

    async def test_twice(self, connect: Connect, opened: Opened) -> None:
        socket = await begun(connect, opened)
        await socket.send_json_to({"type": "begin", "nonce": opened.nonce})
        assert await closing_code(socket) == 4400


@pytest.mark.usefixtures("nobody_judges")
class TestASecondSocket:
    async def test_cannot_take_over(self, connect: Connect, opened: Opened) -> None:
        first = await begun(connect, opened)
        assert await begin_refused(connect, opened, opened.nonce) == 4409
        assert (await row(opened)).state == LivenessState.RUNNING
        await first.send_to(bytes_data=frame())
        assert await first.receive_nothing(0.2)

    async def test_one_that_fell_silent_is_told_that_it_was_replaced(
        self, connect: Connect, opened: Opened
    ) -> None:
        first = await begun(connect, opened)
        redis_client().delete(liveness_store.key_of(opened.session.pk, "holder"))  # it ran out
        second = await begun(connect, opened)
        await first.send_to(bytes_data=frame())
        assert await closing_code(first) == 4409
        await first.disconnect()
        assert redis_client().exists(liveness_store.key_of(opened.session.pk, "holder"))
        assert await second.receive_nothing(0.1)

    async def test_a_slow_one_goes_on(self, connect: Connect, opened: Opened) -> None:
        socket = await begun(connect, opened)
        holder = liveness_store.key_of(opened.session.pk, "holder")
        redis_client().delete(holder)  # no frame for three seconds
        await socket.send_to(bytes_data=frame())
        assert await socket.receive_nothing(0.1)
        assert redis_client().exists(holder)


class TestFrames:
    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (frame(jpeg=JPEG + bytes(MAX_BYTES)), 4413),
            (frame(jpeg=b"\x89PNG" + bytes(100)), 4400),
            (frame(float("nan")), 4400),
            (frame(float("inf")), 4400),
            (b"\0" * 5, 4400),
        ],
        ids=["large", "no JPEG", "no number", "no end", "cut off"],
    )
    async def test_refused_at_the_door(
        self, connect: Connect, opened: Opened, data: bytes, code: int
    ) -> None:
        socket = await begun(connect, opened)
        await socket.send_to(bytes_data=data)
        assert await closing_code(socket) == code
        assert not redis_client().exists(liveness_store.key_of(opened.session.pk, "frames"))

    @pytest.mark.usefixtures("nobody_judges")
    async def test_more_than_there_is_credit_for(self, connect: Connect, opened: Opened) -> None:
        socket = await begun(connect, opened)
        for _ in range(CREDITS + 2):
            await socket.send_to(bytes_data=frame())
        assert await closing_code(socket) == 4429
        waiting = liveness_store.key_of(opened.session.pk, "frames")
        assert redis_client().llen(waiting) == CREDITS + 1

    @pytest.mark.usefixtures("worker")
    async def test_too_many_a_second(
        self, connect: Connect, opened: Opened, judge: type[ScriptedJudge]
    ) -> None:
        judge.end = 1000
        socket = await begun(connect, opened)
        for _ in range(60):
            await socket.send_to(bytes_data=frame())
            output = await socket.receive_output(WAIT)
            if output["type"] == "websocket.close":
                break
        assert output["code"] == 4429

    @pytest.mark.usefixtures("worker")
    @pytest.mark.parametrize(
        "jpeg",
        [
            JPEG[: len(JPEG) // 2],
            JPEG[:3] + bytes(500),
            as_jpeg(Image.new("RGB", (480, 480))),
            as_jpeg(Image.new("RGB", (240, 180))),
        ],
        ids=["cut off", "hardly one", "square", "small"],
    )
    async def test_what_is_no_frame_of_a_camera(
        self, connect: Connect, opened: Opened, judge: type[ScriptedJudge], jpeg: bytes
    ) -> None:
        socket = await begun(connect, opened)
        await show(socket, 1)
        await socket.send_to(bytes_data=frame(jpeg=jpeg))
        assert await closing_code(socket) == 4400
        assert judge.seen_by_all == [1]
        assert (await row(opened)).state == LivenessState.RUNNING  # it may come again

    @pytest.mark.usefixtures("worker")
    @pytest.mark.parametrize("version", [None, "of another worker"])
    async def test_any_worker_goes_on_with_them(
        self, connect: Connect, opened: Opened, judge: type[ScriptedJudge], version: str | None
    ) -> None:
        socket = await begun(connect, opened)
        await show(socket, 2)
        while redis_client().exists(liveness_store.key_of(opened.session.pk, "turn")):
            await asyncio.sleep(0.01)
        if version is None:
            work_liveness.at_hand.take(opened.session.pk, None)  # this worker has it no more
        else:  # or what it has is not the latest
            redis_client().set(liveness_store.key_of(opened.session.pk, "version"), version)
        assert (await show(socket, 1, first=3))[0]["movement"] is not None
        assert judge.seen_by_all == [1, 2, 3]
        assert judge.read == 1

    @pytest.mark.usefixtures("worker")
    async def test_they_are_judged_in_order_each_once(
        self, connect: Connect, opened: Opened, judge: type[ScriptedJudge]
    ) -> None:
        judge.end = 12
        socket = await begun(connect, opened)
        judged, sent = 0, 0
        while judged < 11:
            while sent - judged < CREDITS and sent < 11:
                sent += 1
                await socket.send_to(bytes_data=frame(sent * 100))
                await asyncio.sleep(0.07)
            judged = (await socket.receive_json_from(WAIT))["frame"]
        assert judge.seen_by_all == list(range(1, 12))


@pytest.mark.usefixtures("worker")
class TestALostConnection:
    async def test_goes_on_with_other_movements(
        self, connect: Connect, opened: Opened, judge: type[ScriptedJudge]
    ) -> None:
        judge.end = 8
        first = await begun(connect, opened)
        await show(first, 4)
        before = (await row(opened)).asked
        await first.disconnect()
        second = await connect(opened.session.pk)
        await second.send_json_to({"type": "begin", "nonce": opened.nonce})
        said = await second.receive_json_from(WAIT)
        assert (said["resumed"], said["done"], said["steps"]) == (True, 1, STEPS)
        [told] = await show(second, 1)
        assert told["frame"] == 1  # of this connection
        after = (await row(opened)).asked
        assert after.steps[0] == before.steps[0]
        assert after.steps[1:] != before.steps[1:]
        assert told["movement"] == after.steps[1].movement
        *_, verdict = await show(second, 3, first=2)
        assert verdict["outcome"] == "passed"
        session = await row(opened)
        assert (session.resumes, session.frames, session.scores["losses"]) == (1, 8, 1.0)

    async def test_a_silent_one_is_as_good_as_lost(
        self,
        connect: Connect,
        opened: Opened,
        judge: type[ScriptedJudge],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Else whoever was told a movement could take their time over it."""
        monkeypatch.setattr("facerec.consumers.BEAT", 0.1)
        monkeypatch.setattr("facerec.consumers.SILENCE", 0.3)
        socket = await begun(connect, opened)
        await show(socket, 4)
        assert await closing_code(socket) == 1012
        assert (await row(opened)).state == LivenessState.RUNNING
        await socket.disconnect()
        again = await connect(opened.session.pk)
        await again.send_json_to({"type": "begin", "nonce": opened.nonce})
        assert (await again.receive_json_from(WAIT))["resumed"]
        assert await again.receive_nothing(0.6)  # before its first frame nothing is told

    async def test_twice_and_no_third_time(
        self, connect: Connect, opened: Opened, judge: type[ScriptedJudge]
    ) -> None:
        for _ in range(3):
            socket = await begun(connect, opened)
            await show(socket, 1)
            await socket.disconnect()
        assert await begin_refused(connect, opened, opened.nonce) == 4410
        assert (await row(opened)).state == LivenessState.ABANDONED

    async def test_after_ten_seconds_it_is_over(
        self, connect: Connect, opened: Opened, judge: type[ScriptedJudge]
    ) -> None:
        socket = await begun(connect, opened)
        await show(socket, 4)
        await socket.disconnect()
        seen = liveness_store.key_of(opened.session.pk, "seen")
        redis_client().set(seen, f"{time.time() - 11:.6f}")
        assert await begin_refused(connect, opened, opened.nonce) == 4410
        assert (await row(opened)).state == LivenessState.ABANDONED
        left = {key.decode().rpartition(":")[2] for key in redis_client().scan_iter("liveness:*")}
        assert not left & {"frames", "judge", "last"}

    async def test_a_recording_is_of_one_piece(
        self, connect: Connect, opened: Opened, judge: type[ScriptedJudge]
    ) -> None:
        await LivenessSession.objects.aupdate(purpose=Purpose.RECORDING)
        socket = await begun(connect, opened)
        [said] = await show(socket, 1)
        assert said["arrived"] <= said["judged"]
        await socket.disconnect()
        assert await begin_refused(connect, opened, opened.nonce) == 4410

    async def test_a_recording_has_the_frame_that_decided(
        self, connect: Connect, opened: Opened, judge: type[ScriptedJudge]
    ) -> None:
        await LivenessSession.objects.aupdate(purpose=Purpose.RECORDING)
        socket = await begun(connect, opened)
        said = await show(socket, judge.end)
        assert [told["frame"] for told in said] == list(range(1, judge.end + 1))
        assert said[-1]["arrived"] <= said[-1]["judged"]
        assert (await socket.receive_json_from(WAIT))["outcome"] == "passed"

    async def test_cancelled(
        self, connect: Connect, opened: Opened, judge: type[ScriptedJudge], olive: User
    ) -> None:
        socket = await begun(connect, opened)
        await show(socket, 4)
        await socket.send_json_to({"type": "cancel"})
        assert await closing_code(socket) == 1000
        session = await row(opened)
        assert session.state == LivenessState.ABANDONED
        assert session.begun is not None  # so it counts towards the pause


@pytest.mark.usefixtures("worker")
class TestWhatGoesWrong:
    async def test_a_judge_that_breaks_never_passes_anybody(
        self, connect: Connect, opened: Opened, judge: type[ScriptedJudge]
    ) -> None:
        judge.breaks = True
        socket = await begun(connect, opened)
        [said] = await show(socket, 1)
        assert (said["type"], said["outcome"]) == ("verdict", "inconclusive")
        session = await row(opened)
        assert session.scores["problem"] == "internal_error"
        assert session.scores["reference"] in said["advice"]
        assert "a bug" not in json.dumps(said)

    async def test_nor_does_a_worker_without_its_models(
        self, connect: Connect, opened: Opened, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken() -> Any:
            raise WeightsNotFound("a.dat", "/nowhere")

        monkeypatch.setattr("facerec.services.work.runtime", broken)
        socket = await begun(connect, opened)
        [said] = await show(socket, 1)
        assert (said["outcome"], said["title"]) == (
            "inconclusive",
            "The live check could not be judged",
        )
        assert (await row(opened)).scores == {"problem": "faces_unavailable"}

    async def test_another_encoder_in_the_middle(
        self,
        connect: Connect,
        opened: Opened,
        judge: type[ScriptedJudge],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        socket = await begun(connect, opened)
        await show(socket, 1)
        while redis_client().exists(liveness_store.key_of(opened.session.pk, "turn")):
            await asyncio.sleep(0.01)  # a turn is judged by one encoder
        other = replace(SHIPPED, name="another")
        monkeypatch.setattr(work_liveness, "active", lambda: other)
        [said] = await show(socket, 1, first=2)
        assert said["outcome"] == "inconclusive"
        assert (await row(opened)).scores == {"problem": "encoder_changed"}

    async def test_redis_came_back_empty(
        self, connect: Connect, opened: Opened, judge: type[ScriptedJudge]
    ) -> None:
        socket = await begun(connect, opened)
        await show(socket, 4)
        redis_client().flushall()
        [said] = await show(socket, 1, first=5)
        assert said["outcome"] == "inconclusive"
        assert (await row(opened)).scores == {"problem": "interrupted"}

    @pytest.mark.usefixtures("nobody_judges")
    async def test_no_worker_is_there(
        self, connect: Connect, opened: Opened, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("facerec.consumers.BEAT", 0.1)
        monkeypatch.setattr("facerec.consumers.PATIENCE", 0.2)
        socket = await begun(connect, opened)
        [said] = await show(socket, 1)
        assert (said["outcome"], said["title"]) == (
            "inconclusive",
            "The live check could not be judged",
        )
        assert (await row(opened)).scores == {"problem": "faces_busy"}
        assert not redis_client().exists(liveness_store.key_of(opened.session.pk, "frames"))

    async def test_a_worker_that_was_killed_is_replaced(
        self,
        connect: Connect,
        opened: Opened,
        judge: type[ScriptedJudge],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(liveness_store, "TURN_MS", 300)
        monkeypatch.setattr("facerec.consumers.BEAT", 0.1)
        socket = await begun(connect, opened)
        await show(socket, 1)
        turn = liveness_store.key_of(opened.session.pk, "turn")
        assert redis_client().set(turn, "of the dead", px=300)
        [said] = await show(socket, 1, first=2)  # the next beat wakes another
        assert said["frame"] == 2

    async def test_a_worker_whose_turn_was_lost_writes_nothing(
        self, opened: Opened, judge: type[ScriptedJudge]
    ) -> None:
        begin = sync_to_async(liveness.begin)
        await begin(session=opened.session, nonce=opened.nonce, holder="h")
        redis_client().set(liveness_store.key_of(opened.session.pk, "turn"), "of another")
        await sync_to_async(work_liveness.judge_waiting)(opened.session.pk, "mine")
        assert not redis_client().exists(liveness_store.key_of(opened.session.pk, "judge"))

    async def test_the_time_runs_out(
        self, connect: Connect, opened: Opened, judge: type[ScriptedJudge]
    ) -> None:
        socket = await begun(connect, opened)
        await show(socket, 4)
        turn = liveness_store.key_of(opened.session.pk, "turn")
        while redis_client().exists(turn):  # the next one reads the row anew
            await asyncio.sleep(0.01)
        await LivenessSession.objects.aupdate(expires=timezone.now() - timedelta(seconds=1))
        [said] = await show(socket, 1, first=5)
        assert (said["type"], said["outcome"]) == ("verdict", "inconclusive")
        assert (await row(opened)).scores == {"problem": "time_over"}


@pytest.mark.usefixtures("worker")
class TestTheTrueJudge:
    async def test_sees_a_living_person_and_no_frame_touches_a_disk(
        self, connect: Connect, opened: Opened
    ) -> None:
        await sync_to_async(runtime)()  # models are loaded before anybody asks
        someone = Living(2)
        socket = await begun(connect, opened)
        sent, phases = [], []
        while "hold" not in phases and len(sent) < 30:
            t = len(sent) / 10
            picture = await sync_to_async(someone.picture)(t, None)
            sent.append(jpeg(picture, someone.scene.camera.settings.quality))
            assert len(sent[-1]) < MAX_BYTES
            await socket.send_to(bytes_data=frame(1000 * t, sent[-1]))
            phases.append((await socket.receive_json_from(WAIT))["phase"])
            if len(sent) == 5:
                state = redis_client().get(liveness_store.key_of(opened.session.pk, "judge"))
                assert 0 < len(state) < 600_000
        assert set(phases) == {"find", "hold"}
        pieces = [data[len(data) // 2 :][:48] for data in sent]
        pieces += [np.asarray(picture).tobytes()[k : k + 48] for k in (100_000, 300_000)]
        assert not list(on_disk(pieces))
        assert (await row(opened)).begun is None  # held still, nothing was told
        await socket.send_json_to({"type": "cancel"})
        assert await closing_code(socket) == 1000
        left = {key.decode().rpartition(":")[2] for key in redis_client().scan_iter("liveness:*")}
        assert not left & {"frames", "judge"}
