"""Starting, stopping and deleting, as the pages and the API do it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from PIL import Image

from styletransfer.core.images import resize
from styletransfer.core.types import Recipe
from styletransfer.files import CONTENT, STYLE, THUMB, PictureFolder
from styletransfer.models import StyleJob
from styletransfer.services import asking
from styletransfer.services import pictures as services
from styletransfer.services.leftovers import discard_orphans
from tests.pictures import make_painter, photo
from tests.web.styletransfer.conftest import Start
from webapp.accounts.models import User
from webapp.errors import UserFacingError
from webapp.jobs.frames import stream_of
from webapp.jobs.models import Status
from webapp.jobs.redis import client


def test_a_started_job_waits_with_its_pictures(start: Start) -> None:
    job = start(steps=7)
    assert (job.status, job.steps, job.width, job.height) == (Status.QUEUED, 7, 128, 85)
    assert job.cooked == Recipe(size=128, steps=7)
    folder = PictureFolder(job.pk)
    assert folder.picture(CONTENT).size == (96, 64)
    assert folder.picture(STYLE).size == (64, 80)
    assert folder.open(THUMB).read(2) == b"\xff\xd8"
    assert client().llen("style") == 1


def test_files_are_named_for_nobody_to_guess_and_lie_in_private(start: Start) -> None:
    job = start()
    assert (settings.MEDIA_ROOT / "pictures" / str(job.pk) / CONTENT).exists()
    assert settings.DATA_DIR.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("size", [(96, 64), (61, 97), (500, 17), (1, 900), (333, 333)])
@pytest.mark.parametrize("side", [128, 200, 1024])
def test_the_size_is_known_from_the_start(size: tuple[int, int], side: int) -> None:
    image = Image.new("RGB", size)
    assert services.painted_size(image, side) == resize(image, side).size


def test_nobody_fills_the_queue_alone(
    start: Start, painter: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.conf.settings.STYLE_JOBS_PER_USER", 2)
    first, _ = start(), start()
    with pytest.raises(UserFacingError) as refused:
        start()
    assert (refused.value.code, refused.value.status) == ("too_many_jobs", 429)
    assert len(PictureFolder.ids()) == 2  # nothing is left of the refused one
    start(owner=make_painter("other"))
    asking.pause_job(job=first)
    start()
    with pytest.raises(UserFacingError):
        asking.resume_job(job=first)


def test_nothing_is_left_half_made(painter: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise OSError("no space left on the device")

    monkeypatch.setattr(PictureFolder, "write_thumb", no_room)
    with pytest.raises(OSError, match="no space"):
        services.start_job(
            owner=painter, content=photo(1), style=photo(2), recipe=Recipe(), title=""
        )
    assert not PictureFolder.ids()
    assert not StyleJob.objects.exists()


def test_delete_leaves_nothing(start: Start) -> None:
    job = start()
    job.checkpoint_path.write_bytes(b"a checkpoint")
    client().xadd(stream_of(job.pk), {"jpeg": b""})
    asking.delete_job(job=job)
    assert not StyleJob.objects.exists()
    assert not PictureFolder.ids()
    assert not list(settings.CHECKPOINT_DIR.iterdir())
    assert not client().exists(stream_of(job.pk))


def test_what_deleted_users_leave_is_discarded(start: Start) -> None:
    leaver = make_painter("leaver")
    kept, young, begun = start(), start(owner=leaver), start(owner=leaver)
    begun.checkpoint_path.write_bytes(b"a checkpoint")
    leaver.delete()
    assert discard_orphans() == 1
    assert not begun.checkpoint_path.exists()
    assert set(PictureFolder.ids()) == {str(kept.pk), str(young.pk)}  # a row might be on its way
    assert discard_orphans(older_than=timedelta()) == 1
    assert PictureFolder.ids() == [str(kept.pk)]


@pytest.mark.parametrize(
    ("content", "style", "title"),
    [
        ("harbour_at-dusk.jpg", "Great wave.png", "Harbour at dusk, as Great wave"),
        ("../../etc/passwd", "Ölbild.JPG", "Passwd, as Ölbild"),
        ("", "...", "Picture, as Picture"),
        ("x" * 300 + ".png", "y", "X" + "x" * 49 + ", as Y"),
    ],
)
def test_titles(content: str, style: str, title: str) -> None:
    assert services.title_for(content_name=content, style_name=style) == title
