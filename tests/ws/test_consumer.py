"""/ws/jobs/{id}/: who may watch, and what a watcher is sent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.testing import WebsocketCommunicator
from structlog.testing import capture_logs
from uvicorn.protocols.utils import ClientDisconnected

from styletransfer.models import StyleJob
from tests.pictures import make_painter
from tests.ws.conftest import Message, Open, frame, session_of
from webapp.accounts.models import User
from webapp.accounts.services import create_api_key
from webapp.jobs import hub
from webapp.jobs.consumer import JobConsumer
from webapp.jobs.events import publish_state
from webapp.jobs.redis import client as redis_client

WAIT = 5.0


async def text(socket: WebsocketCommunicator) -> dict[str, Any]:
    answer: dict[str, Any] = await socket.receive_json_from(WAIT)
    return answer


async def picture(socket: WebsocketCommunicator) -> Message:
    output = await socket.receive_output(WAIT)
    assert output.get("bytes"), output
    return Message.parse(output["bytes"])


async def publish(job: StyleJob, step: int) -> None:
    await sync_to_async(frame(step).publish)(job.pk)


async def closing_code(socket: WebsocketCommunicator) -> int:
    connected, code = await socket.connect(WAIT)
    if not connected:
        return int(code)
    output = await socket.receive_output(WAIT)
    assert output["type"] == "websocket.close", output
    return int(output["code"])


class TestWhoMayWatch:
    async def test_a_visitor_is_told_to_sign_in(self, job: StyleJob, open_socket: Open) -> None:
        socket = await open_socket(job.pk, [(b"origin", b"http://testserver")])
        assert await closing_code(socket) == 4401

    async def test_somebody_elses_job_is_not_there(self, job: StyleJob, open_socket: Open) -> None:
        other = await sync_to_async(make_painter)("other")
        socket = await open_socket(job.pk, await sync_to_async(session_of)(other))
        assert await closing_code(socket) == 4404

    async def test_nor_is_one_that_never_was(self, painter: User, open_socket: Open) -> None:
        headers = await sync_to_async(session_of)(painter)
        socket = await open_socket("00000000-0000-0000-0000-000000000000", headers)
        assert await closing_code(socket) == 4404

    async def test_another_sites_page_is_refused(
        self, job: StyleJob, painter: User, open_socket: Open
    ) -> None:
        headers = await sync_to_async(session_of)(painter)
        stolen = [(n, b"http://evil.example" if n == b"origin" else v) for n, v in headers]
        connected, _ = await (await open_socket(job.pk, stolen)).connect(WAIT)
        assert not connected

    async def test_a_key_needs_no_origin(
        self, job: StyleJob, painter: User, open_socket: Open
    ) -> None:
        _, secret = await sync_to_async(create_api_key)(user=painter)
        socket = await open_socket(job.pk, [(b"authorization", f"Bearer {secret}".encode())])
        assert (await socket.connect(WAIT))[0]
        assert (await text(socket))["job"]["id"] == str(job.pk)

    async def test_a_key_of_another_scope_sees_nothing(
        self, job: StyleJob, painter: User, open_socket: Open
    ) -> None:
        _, secret = await sync_to_async(create_api_key)(user=painter, scopes=["recognise"])
        socket = await open_socket(job.pk, [(b"authorization", f"Bearer {secret}".encode())])
        assert (await socket.connect(WAIT))[0]
        output = await socket.receive_output(WAIT)
        assert (output["type"], output["code"]) == ("websocket.close", 4404)

    async def test_a_revoked_key_opens_nothing(
        self, job: StyleJob, painter: User, open_socket: Open
    ) -> None:
        key, secret = await sync_to_async(create_api_key)(user=painter)
        await sync_to_async(key.revoke)()
        socket = await open_socket(job.pk, [(b"authorization", f"Bearer {secret}".encode())])
        assert not (await socket.connect(WAIT))[0]

    @pytest.mark.parametrize("nonsense", ["ack", "[]", "{}", '"ack"'])
    async def test_nonsense_is_answered_with_4400(
        self, job: StyleJob, painter: User, open_socket: Open, nonsense: str
    ) -> None:
        socket = await watch(open_socket, job, painter)
        await socket.send_to(text_data=nonsense)
        output = await socket.receive_output(WAIT)
        assert (output["type"], output["code"]) == ("websocket.close", 4400)


async def watch(open_socket: Open, job: StyleJob, user: User) -> WebsocketCommunicator:
    """A connected socket whose first message, the state, has been read."""
    socket = await open_socket(job.pk, await sync_to_async(session_of)(user))
    assert (await socket.connect(WAIT))[0]
    assert (await text(socket))["type"] == "state"
    return socket


class TestState:
    async def test_comes_on_connect(self, job: StyleJob, painter: User, open_socket: Open) -> None:
        socket = await open_socket(job.pk, await sync_to_async(session_of)(painter))
        await socket.connect(WAIT)
        told = await text(socket)
        assert told == {"type": "state", "job": job.as_event()}
        assert told["job"]["status"] == "queued"
        assert told["job"]["kind"] == "stylejob"

    async def test_and_at_every_change(
        self, job: StyleJob, painter: User, open_socket: Open
    ) -> None:
        socket = await watch(open_socket, job, painter)
        job.status, job.step = "running", 3
        await sync_to_async(job.save)()
        await sync_to_async(publish_state)(job)
        told = await text(socket)
        assert (told["job"]["status"], told["job"]["step"]) == ("running", 3)


class TestFrames:
    async def test_a_late_joiner_gets_the_newest_with_the_whole_curve(
        self, job: StyleJob, painter: User, open_socket: Open
    ) -> None:
        for step in range(5):
            await publish(job, step)
        socket = await watch(open_socket, job, painter)
        got = await picture(socket)
        assert got.jpeg == b"jpeg 4"
        assert (got.header["first"], got.header["points"]) == (0, 5)
        assert got.curve[:, 0].tolist() == [0, 1, 2, 3, 4]

    async def test_each_frame_brings_the_points_that_are_new(
        self, job: StyleJob, painter: User, open_socket: Open
    ) -> None:
        socket = await watch(open_socket, job, painter)
        await publish(job, 2)
        assert (await picture(socket)).curve[:, 0].tolist() == [0, 1, 2]
        await publish(job, 4)
        got = await picture(socket)
        assert (got.header["first"], got.curve[:, 0].tolist()) == (3, [3, 4])

    async def test_no_third_frame_without_an_ack_and_then_the_newest(
        self, job: StyleJob, painter: User, open_socket: Open
    ) -> None:
        socket = await watch(open_socket, job, painter)
        for step in (1, 2):
            await publish(job, step)
            assert (await picture(socket)).header["step"] == step
        for step in range(3, 9):
            await publish(job, step)
        assert await socket.receive_nothing(0.3)
        await socket.send_json_to({"type": "ack"})
        got = await picture(socket)
        assert (got.header["step"], got.header["first"]) == (8, 3)
        assert got.curve[:, 0].tolist() == [3, 4, 5, 6, 7, 8]

    async def test_acks_for_nothing_give_no_credit(
        self, job: StyleJob, painter: User, open_socket: Open
    ) -> None:
        socket = await watch(open_socket, job, painter)
        for _ in range(5):
            await socket.send_json_to({"type": "ack"})
        assert await socket.receive_nothing(0.2)
        for step in (1, 2):
            await publish(job, step)
            assert (await picture(socket)).header["step"] == step
        await publish(job, 3)
        assert await socket.receive_nothing(0.3)

    async def test_a_job_that_went_back_to_a_checkpoint_takes_its_curve_back(
        self, job: StyleJob, painter: User, open_socket: Open
    ) -> None:
        socket = await watch(open_socket, job, painter)
        await publish(job, 6)
        assert (await picture(socket)).header["points"] == 7
        await publish(job, 3)
        got = await picture(socket)
        assert (got.header["first"], got.header["points"]) == (0, 4)

    async def test_a_flushed_redis_is_survived(
        self, job: StyleJob, painter: User, open_socket: Open
    ) -> None:
        socket = await watch(open_socket, job, painter)
        await publish(job, 1)
        await picture(socket)
        await sync_to_async(redis_client().flushall)()
        await publish(job, 2)
        assert (await picture(socket)).header["step"] == 2


class TestHub:
    async def test_watchers_share_one_reader_which_ends_with_the_last(
        self, job: StyleJob, painter: User, open_socket: Open
    ) -> None:
        first = await watch(open_socket, job, painter)
        second = await watch(open_socket, job, painter)
        await publish(job, 1)
        assert (await picture(first)).jpeg == (await picture(second)).jpeg == b"jpeg 1"
        readers = hub._readers[asyncio.get_running_loop()]
        assert [reader.watchers for reader in readers.values()] == [2]
        task = readers[job.pk].task
        await first.disconnect()
        assert readers[job.pk].watchers == 1
        await second.disconnect()
        assert job.pk not in readers
        assert task.done()

    async def test_a_slow_watcher_holds_nobody_up(
        self, job: StyleJob, painter: User, open_socket: Open
    ) -> None:
        slow = await watch(open_socket, job, painter)
        quick = await watch(open_socket, job, painter)
        for step in range(1, 8):
            await publish(job, step)
            assert (await picture(quick)).header["step"] == step
            await quick.send_json_to({"type": "ack"})
        assert [(await picture(slow)).header["step"] for _ in range(2)] == [1, 2]
        assert await slow.receive_nothing(0.2)


async def test_a_browser_that_goes_away_in_the_middle_is_no_fault_of_redis(monkeypatch):
    async def torn(*_: object) -> None:
        raise ClientDisconnected

    monkeypatch.setattr(AsyncWebsocketConsumer, "__call__", torn)
    with capture_logs() as lines:
        await JobConsumer()({}, torn, torn)
    assert [line["log_level"] for line in lines] == ["info"]
