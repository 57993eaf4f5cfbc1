"""No byte of a photo is on a disk after its answer, and a probe is on none at any time."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from facerec.models import Attempt, Enrolment, FaceTemplate
from tests.people import ADA, as_jpeg, nobody, portrait
from tests.web.facerec.conftest import enrolled, take_up, upload
from webapp.accounts.models import User
from webapp.jobs.redis import client as redis_client
from webapp.uploads import to_lossless

PIECE = 48  # bytes: long enough never to lie in another file by chance


def pieces_of(photo: bytes) -> list[bytes]:
    """What to look for: the file as it was sent, its pixels, from several places of both."""
    image = portrait(ADA, 1)
    decoded = to_lossless(image)
    places = [len(decoded) * k // 7 for k in range(2, 6)]
    found = [photo[p : p + PIECE] for p in (200, len(photo) // 2, len(photo) - 200)]
    return found + [decoded[p : p + PIECE] for p in places]


def on_disk(pieces: list[bytes]) -> Iterator[Path]:
    """Files under the data folder and the temporary folder that hold one of the pieces."""
    folders = {settings.DATA_DIR, Path(tempfile.gettempdir()) / f"upload-{os.getpid()}"}
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                if any(piece in data for piece in pieces):
                    yield path


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch) -> Path:
    """Where Python would spool to, empty at first."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_the_search_would_find_it(house: None) -> None:
    photo = as_jpeg(portrait(ADA, 1))
    left = settings.DATA_DIR / "left-behind"
    for content in (photo, to_lossless(portrait(ADA, 1))):
        left.write_bytes(b"something" + content)
        try:
            assert list(on_disk(pieces_of(photo))) == [left]
        finally:
            left.unlink()


@pytest.mark.usefixtures("worker")
def test_a_probe_touches_no_disk(administrator: User, key: dict[str, str], temporary: Path) -> None:
    enrolled(administrator)
    photo = as_jpeg(portrait(ADA, 1))
    large = photo + b"\0" * (6 * 1024**2)  # Django would spool this, left to itself
    for sent in (photo, large):
        data = {"external_id": "ada", "photo": upload(sent)}
        assert Client().post("/api/v1/verify", data, headers=key).json()["outcome"] == "match"
    assert not list(on_disk(pieces_of(photo)))
    assert not list(temporary.iterdir())
    assert not list(redis_client().scan_iter("probe:*"))


@pytest.mark.usefixtures("worker")
def test_an_enrolment_photo_is_gone_after_its_verdict(
    administrator: User, key: dict[str, str], temporary: Path
) -> None:
    photo = as_jpeg(portrait(ADA, 1))
    data = {"external_id": "ada", "name": "Ada", "consent": "true", "photo": upload(photo)}
    assert Client().post("/api/v1/subjects", data, headers=key).status_code == 201
    assert not list(on_disk(pieces_of(photo)))
    assert not list(temporary.iterdir())


def test_while_it_waits_it_is_in_one_place(administrator: User) -> None:
    photo = portrait(ADA, 1)
    enrolment = take_up(administrator, [photo])
    [path] = on_disk(pieces_of(as_jpeg(photo)))
    assert path.parent == settings.ENROLMENT_DIR
    enrolment.subject.delete()
    assert not path.exists()


def test_redis_keeps_nothing_on_a_disk(redis_url: str) -> None:
    redis = redis_client()
    assert redis.config_get("save")["save"] == ""
    assert redis.config_get("appendonly")["appendonly"] == "no"


@pytest.mark.usefixtures("worker")
def test_rows_hold_no_photo(administrator: User, key: dict[str, str]) -> None:
    enrolled(administrator)
    photo = as_jpeg(portrait(ADA, 1))
    Client().post("/api/v1/identify", {"photo": upload(photo)}, headers=key)
    for model in (Attempt, Enrolment, FaceTemplate):
        for row in model.objects.values():
            size = sum(len(value) for value in row.values() if isinstance(value, bytes | str))
            assert size < 2000


@pytest.mark.usefixtures("worker")
def test_the_log_holds_no_name_of_a_file(
    administrator: User, key: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    enrolled(administrator)
    data = {"photo": upload(as_jpeg(nobody()), "Ada-Example-passport.jpg")}
    Client().post("/api/v1/identify", data, headers=key)
    assert "passport" not in caplog.text
