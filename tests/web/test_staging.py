"""An archive goes straight to a private file, and only from who may send one."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from facerec.models import BulkEnrolment
from webapp import archives
from webapp.accounts.models import User
from webapp.accounts.roles import Role
from webapp.accounts.services import create_user
from webapp.errors import UserFacingError
from webapp.jobs.models import Status
from webapp.staging import PIECE, path_of

pytestmark = [pytest.mark.redis, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    yield
    for path in settings.STAGING_DIR.iterdir():
        path.unlink()


@pytest.fixture
def grace() -> User:
    return create_user(username="grace", password="correct horse staple", role=Role.ADMINISTRATOR)


def staged() -> list[Path]:
    return sorted(settings.STAGING_DIR.iterdir())


class Sent:
    """What came of one request, and how much of its body was asked for."""

    def __init__(self) -> None:
        self.status, self.body, self.read, self.headers = 0, b"", 0, {}

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def post(
    pieces: list[bytes],
    *,
    user: User | None = None,
    csrf: bool = True,
    headers: dict[str, str] | None = None,
    hang_up: bool = False,
) -> Sent:
    """POST /archives/ through the whole ASGI application, piece by piece."""
    client = Client()
    if user is not None:
        await sync_to_async(client.force_login)(user)
    token = "c" * 32
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    cookies["csrftoken"] = token
    sent = Sent()
    told = {
        "host": "localhost",
        "cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "content-type": "application/zip",
        "content-length": str(sum(map(len, pieces))),
        **({"x-csrftoken": token} if csrf else {}),
        **(headers or {}),
    }
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/archives/",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in told.items() if value],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
        "scheme": "http",
        "http_version": "1.1",
    }
    left = list(pieces)

    async def receive() -> dict[str, Any]:
        sent.read += 1
        if not left and hang_up:
            return {"type": "http.disconnect"}
        body = left.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(left) or hang_up}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            sent.status = message["status"]
            sent.headers = dict(message["headers"])
        else:
            sent.body += message.get("body", b"")

    # Here, not above: it reads which hosts are allowed when it is first imported.
    from webapp.asgi import application

    await application(scope, receive, send)
    return sent


PIECES = [b"PK" + bytes(60_000)] * 40  # 2.4 MB


async def test_an_administrators_archive_lies_in_a_private_file(grace: User) -> None:
    sent = await post(PIECES, user=grace)
    assert sent.status == 201
    assert b"x-staged-as" not in sent.headers
    [path] = staged()
    assert path.read_bytes() == b"".join(PIECES)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("role", [Role.PAINTER, Role.OPERATOR])
async def test_so_may_whoever_may_paint(role: Role) -> None:
    """For a mining; what an archive is used for asks for its own role."""
    user = await sync_to_async(create_user)(username="x", password="y", role=role)
    assert (await post(PIECES, user=user)).status == 201


@pytest.mark.parametrize("signed_in", [False, True])
async def test_nobody_else_may_send_one(signed_in: bool) -> None:
    user = await sync_to_async(User.objects.create_user)("roleless") if signed_in else None
    sent = await post(PIECES, user=user)
    assert (sent.status, sent.json["code"]) == (
        (403, "not_allowed") if signed_in else (401, "signed_out")
    )
    assert staged() == []


async def test_nor_another_site_in_an_administrators_name(grace: User) -> None:
    sent = await post(PIECES, user=grace, csrf=False)
    assert sent.status == 403
    assert staged() == []


async def test_who_asks_before_sending_is_refused_without_the_body(grace: User) -> None:
    sent = await post(PIECES, headers={"expect": "100-continue"})
    assert (sent.status, sent.read) == (401, 0)


@pytest.mark.parametrize("declared", ["", str(3 * PIECE)])
async def test_too_large(grace: User, settings, declared: str) -> None:
    """Whether it says so or only turns out to be."""
    settings.ARCHIVE_MAX_MB = 1
    sent = await post(PIECES, user=grace, headers={"content-length": declared})
    assert (sent.status, sent.json["code"]) == (413, "archive_too_large")
    assert staged() == []


async def test_empty(grace: User) -> None:
    sent = await post([b""], user=grace)
    assert (sent.status, sent.json["code"]) == (422, "empty_file")
    assert staged() == []


async def test_cut_off(grace: User) -> None:
    sent = await post(PIECES, user=grace, hang_up=True)
    assert sent.status == 0
    assert staged() == []


async def test_no_room(grace: User, monkeypatch) -> None:
    monkeypatch.setattr("webapp.staging.KEEP_FREE", 1 << 60)
    sent = await post(PIECES, user=grace)
    assert (sent.status, sent.json["code"]) == (507, "disk_full")
    assert staged() == []


async def test_too_often(grace: User, settings) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "archive": "1/hour"}
    assert (await post(PIECES, user=grace)).status == 201
    assert (await post(PIECES, user=grace)).status == 429


class TestClaim:
    def receipt(self, by: User) -> tuple[uuid.UUID, str]:
        archive, receipt = archives.receipt_for(by=by)
        path_of(archive).write_bytes(b"PK")
        return archive, receipt

    def refusal(self, code: str, **claim: Any) -> None:
        with pytest.raises(UserFacingError) as caught:
            archives.claim(**claim)
        assert (caught.value.code, caught.value.field) == (code, "archive")

    def test_by_its_sender_for_one_job(self, grace: User) -> None:
        archive, receipt = self.receipt(grace)
        assert archives.claim(receipt=receipt, by=grace) == archive
        BulkEnrolment.objects.create(owner=grace, source="a.zip", archive=archive)
        self.refusal("archive_used", receipt=receipt, by=grace)

    def test_by_nobody_else(self, grace: User) -> None:
        other = create_user(username="henry", password="x", role=Role.ADMINISTRATOR)
        _, receipt = self.receipt(grace)
        self.refusal("archive_gone", receipt=receipt, by=other)
        self.refusal("archive_gone", receipt=receipt[:-1] + "x", by=grace)
        self.refusal("archive_gone", receipt=archives.receipt_for(by=grace)[1], by=grace)

    def test_of_a_small_one_in_its_form(self, grace: User, settings) -> None:
        small = SimpleUploadedFile("a.zip", b"PK small")
        archive = archives.claim(receipt="", upload=small, by=grace)
        assert path_of(archive).read_bytes() == b"PK small"
        assert path_of(archive).stat().st_mode & 0o777 == 0o600
        self.refusal("no_archive", receipt="", by=grace)
        settings.MAX_UPLOAD_MB = 0
        self.refusal("archive_too_large", receipt="", upload=small, by=grace)


class TestLeftovers:
    def file(self, age: float, suffix: str = ".zip") -> Path:
        path = settings.STAGING_DIR / f"{uuid.uuid4()}{suffix}"
        path.write_bytes(b"PK")
        os.utime(path, (time.time() - age, time.time() - age))
        return path

    def of_job(self, by: User, status: str) -> Path:
        path = self.file(10 * archives.UNCLAIMED_LIFE)
        BulkEnrolment.objects.create(owner=by, source="a", archive=path.stem, status=status)
        return path

    def test_go(self, grace: User) -> None:
        expected = [self.file(60), self.file(60, ".part")]
        expected += [self.of_job(grace, Status.PAUSED), self.of_job(grace, Status.RUNNING)]
        self.file(archives.UNCLAIMED_LIFE + 60)
        self.file(archives.PARTIAL_LIFE + 60, ".part")
        self.of_job(grace, Status.DONE)
        self.of_job(grace, Status.FAILED)
        archives.discard_leftovers()
        assert staged() == sorted(expected)
