"""Minings: what may be begun, one pass over the pictures, what is kept of it, and its end."""

from __future__ import annotations

import zipfile
from typing import Any

import pytest
from django.conf import settings

from styletransfer.core.visualise import house
from styletransfer.core.visualise.layers import network_layers
from styletransfer.files import RESULT, PictureFolder
from styletransfer.mining_files import MiningFolder
from styletransfer.models import Corpus, Mining
from styletransfer.services import mining_pictures, work_minings
from styletransfer.services import minings as services
from tests.pictures import image_bytes, make_painter, make_row, photo
from tests.web.styletransfer.conftest import Start
from tests.web.styletransfer.minings import found, holiday, packed, run, staged
from webapp import archives
from webapp.accounts.models import User
from webapp.accounts.roles import Role
from webapp.errors import UserFacingError
from webapp.jobs.models import Request, Status
from webapp.jobs.redis import client
from webapp.jobs.runner import run_job


def of_archive(owner: User, files: Any = None, network: str = "lite") -> Mining:
    archive, _ = staged(owner, holiday() if files is None else files)
    return services.start_mining(
        owner=owner, network=network, corpus=Corpus.ARCHIVE, archive=archive, source="holiday.zip"
    )


class TestStart:
    def test_an_archive_waits_with_its_pictures_counted(self, painter: User) -> None:
        mining = of_archive(painter, holiday() | {"notes.txt": b"x", "__MACOSX/._a.png": b"x"})
        assert (mining.status, mining.total, mining.source) == (Status.QUEUED, 3, "holiday.zip")
        assert client().llen("long") == 1

    @pytest.mark.parametrize(
        ("files", "code"),
        [
            ({"notes.txt": b"nothing to see"}, "no_photos"),
            (b"PK this is no archive", "not_an_archive"),
            (packed(holiday())[:-30], "not_an_archive"),
            ({"a.bmp": bytes(9_000_000)}, "archive_unsafe"),  # a bomb: 9 MB of nothing in 9 kB
            ({"../a.png": b"x"}, "archive_unsafe"),
        ],
    )
    def test_what_is_wrong_with_an_archive_is_told_at_once(
        self, painter: User, files: Any, code: str
    ) -> None:
        with pytest.raises(UserFacingError) as refused:
            of_archive(painter, files)
        assert (refused.value.code, refused.value.field) == (code, "archive")
        assert not Mining.objects.exists()
        assert not list(settings.STAGING_DIR.iterdir())

    def test_too_many_pictures(self, painter: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(services, "MOST_PICTURES", 2)
        with pytest.raises(UserFacingError, match="3 pictures; at most 2") as refused:
            of_archive(painter)
        assert refused.value.status == 413

    def test_of_the_house_one_at_a_time_serves_all(self, painter: User) -> None:
        first = services.start_mining(owner=painter, network="lite", corpus=Corpus.HOUSE)
        other = make_painter("other")
        assert (
            services.start_mining(owner=other, network="lite", corpus=Corpus.HOUSE).pk == first.pk
        )
        face = services.start_mining(owner=other, network="face", corpus=Corpus.HOUSE)
        assert face.pk != first.pk

    def test_an_empty_gallery(self, painter: User) -> None:
        make_row(painter)  # not finished
        with pytest.raises(UserFacingError) as refused:
            services.start_mining(owner=painter, network="lite", corpus=Corpus.GALLERY)
        assert refused.value.code == "gallery_empty"

    def test_weights_that_are_not_here(self, painter: User, settings: Any) -> None:
        settings.VGG19_WEIGHTS = "/nowhere/vgg19.pth"
        with pytest.raises(UserFacingError, match="VGG-19") as refused:
            services.start_mining(owner=painter, network="vgg19", corpus=Corpus.HOUSE)
        assert "VGG19_WEIGHTS" in refused.value.hint

    def test_nobody_fills_the_queue_alone(self, painter: User, settings: Any) -> None:
        settings.MININGS_PER_USER = 1
        first = of_archive(painter)
        with pytest.raises(UserFacingError) as refused:
            of_archive(painter)
        assert refused.value.code == "too_many_minings"
        assert len(list(settings.STAGING_DIR.iterdir())) == 1  # the first one's alone
        services.ask_mining(mining=first, request=Request.PAUSE)
        of_archive(painter)
        with pytest.raises(UserFacingError):
            services.resume_mining(mining=first)


class TestRun:
    def test_from_archive_to_wall(self, painter: User) -> None:
        mining = run(of_archive(painter, holiday() | {"torn.png": image_bytes(photo(9))[:200]}))
        assert (mining.status, mining.found, mining.error) == (Status.DONE, True, None)
        assert (mining.done, mining.total, mining.unreadable) == (4, 4, 1)
        assert len(mining.version) == 64
        folder = MiningFolder(mining.pk)
        sources = folder.sources()
        assert {source.title for source in sources.values()} <= {*holiday()}
        units = folder.layer("relu4_1")
        assert len(units) == 128
        hits = next(hits for hits in units if hits)
        assert [hit.activation for hit in hits] == sorted(
            (h.activation for h in hits), reverse=True
        )
        assert len({hit.key for hit in hits}) == len(hits)  # one patch a picture
        assert folder.names("sheets").count("relu4_1-1.jpg") == 1
        assert len(folder.names("filters")) == 16
        # What is not needed any more is gone.
        assert not list(settings.STAGING_DIR.iterdir())
        assert not list(settings.CHECKPOINT_DIR.iterdir())

    def test_only_pictures_that_excite_are_kept(self, painter: User) -> None:
        mining = run(of_archive(painter, holiday(24)))
        kept = MiningFolder(mining.pk)
        shown = {
            hit.key
            for info in network_layers("lite")
            for hits in kept.layer(info.name)
            for hit in hits
        }
        assert set(kept.sources()) == shown
        assert set(kept.names("sources")) == {f"{key}.jpg" for key in shown}

    def test_nothing_that_can_be_read(self, painter: User) -> None:
        mining = run(of_archive(painter, {"torn.png": image_bytes(photo(9))[:200]}))
        assert mining.status == Status.FAILED
        assert mining.error["code"] == "nothing_found"
        assert MiningFolder.ids() == []

    def test_goes_on_where_it_paused(self, painter: User, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = run(of_archive(painter, holiday(12)))
        mining, read = of_archive(painter, holiday(12)), []
        real = mining_pictures.read

        def noted(picture: Any) -> Any:
            read.append(picture.title)
            if len(read) == 8:  # asked while it works
                services.ask_mining(mining=Mining.objects.get(pk=mining.pk), request=Request.PAUSE)
            return real(picture)

        monkeypatch.setattr(work_minings, "read", noted)
        run(mining)
        assert (mining.status, mining.done, mining.found) == (Status.PAUSED, 8, False)
        assert archives.path_of(mining.archive).exists()
        services.resume_mining(mining=mining)
        run(mining)
        assert (mining.status, mining.done) == (Status.DONE, 12)
        assert len(read) == 12  # none twice
        for layer in ("relu1_1", "relu5_1"):
            assert MiningFolder(mining.pk).layer(layer) == MiningFolder(whole.pk).layer(layer)

    def test_cancelled_while_it_works_leaves_nothing(
        self, painter: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mining = of_archive(painter, holiday(12))
        real = mining_pictures.read

        def cancelling(picture: Any) -> Any:
            services.ask_mining(mining=Mining.objects.get(pk=mining.pk), request=Request.CANCEL)
            return real(picture)

        monkeypatch.setattr(work_minings, "read", cancelling)
        run(mining)
        assert (mining.status, mining.found) == (Status.CANCELLED, False)
        assert MiningFolder.ids() == []
        assert not list(settings.STAGING_DIR.iterdir())

    def test_deleted_while_it_works_leaves_nothing(
        self, painter: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mining = of_archive(painter, holiday(12))
        real = mining_pictures.read

        def deleting(picture: Any) -> Any:
            for row in Mining.objects.filter(pk=mining.pk):
                services.delete_mining(mining=row)
            return real(picture)

        monkeypatch.setattr(work_minings, "read", deleting)
        run_job(Mining, str(mining.pk), work_minings.run_mining)
        assert MiningFolder.ids() == []
        assert not list(settings.CHECKPOINT_DIR.iterdir())

    def test_of_a_gallery_each_picture_once(self, painter: User, start: Start) -> None:
        for seed in (1, 2):
            job = start(title=f"Picture {seed}")  # the same photo and style twice
            PictureFolder(job.pk).write_result(photo(seed + 10))
            type(job).objects.filter(pk=job.pk).update(status=Status.DONE)
        start(title="Unfinished")
        make_painter("other")
        mining = services.start_mining(owner=painter, network="lite", corpus=Corpus.GALLERY)
        with mining_pictures.pictures_of(mining) as pictures:
            titles = [picture.title for picture in pictures]
        assert titles == [
            "Picture 1",
            "Picture 1, its photo",
            "Picture 1, its style",
            "Picture 2",
        ]
        assert run(mining).status == Status.DONE

    def test_a_picture_that_was_deleted_meanwhile(self, painter: User, start: Start) -> None:
        job = start()
        PictureFolder(job.pk).write_result(photo(1))
        type(job).objects.filter(pk=job.pk).update(status=Status.DONE)
        mining = services.start_mining(owner=painter, network="lite", corpus=Corpus.GALLERY)
        with mining_pictures.pictures_of(mining) as pictures:
            PictureFolder(job.pk).remove(RESULT)
            assert mining_pictures.read(pictures[0]) is None

    def test_faces_without_a_face(self, painter: User) -> None:
        mining = run(of_archive(painter, network="face"))
        assert (mining.status, mining.error["code"]) == (Status.FAILED, "no_face")

    def test_the_houses_newest_alone_stays(
        self, painter: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        some = house.house_pictures("lite")[:3]
        monkeypatch.setattr(house, "house_pictures", lambda network: some)
        older = found(painter)
        mining = services.start_mining(owner=painter, network="lite", corpus=Corpus.HOUSE)
        run(mining)
        assert mining.status == Status.DONE, mining.error
        assert services.house_mining("lite") == mining
        assert MiningFolder.ids() == [str(mining.pk)]
        assert not Mining.objects.filter(pk=older.pk).exists()


class TestEnd:
    def test_delete_leaves_nothing(self, painter: User) -> None:
        mining = of_archive(painter)
        MiningFolder(mining.pk).begin({"network": "lite"})
        mining.checkpoint_path.write_bytes(b"x")
        services.delete_mining(mining=mining)
        assert not Mining.objects.exists()
        assert MiningFolder.ids() == []
        assert not list(settings.STAGING_DIR.iterdir())
        assert not list(settings.CHECKPOINT_DIR.iterdir())

    def test_cancelled_before_it_began(self, painter: User) -> None:
        mining = of_archive(painter)
        services.ask_mining(mining=mining, request=Request.CANCEL)
        assert mining.status == Status.CANCELLED
        assert not list(settings.STAGING_DIR.iterdir())

    def test_who_may_see_and_change(self, painter: User) -> None:
        other = make_painter("other")
        administrator = make_painter("grace", Role.ADMINISTRATOR)
        house, own = found(painter), found(painter, Corpus.ARCHIVE)
        assert [house.visible_to(u) for u in (painter, other, administrator)] == [True] * 3
        assert [own.visible_to(u) for u in (painter, other, administrator)] == [True, False, False]
        assert [services.may_change(u, house) for u in (painter, other)] == [True, False]
        assert services.may_change(administrator, house)
        assert not services.may_change(administrator, own)
        assert set(services.minings_for(other)) == {house}


def test_the_archive_reader_takes_what_a_program_packs(painter: User) -> None:
    """Names of pictures in any folder, sorted; nothing else."""
    archive, _ = staged(painter, {"b/2.JPG": b"x", "a.webp": b"x", "c.txt": b"x", ".d.png": b"x"})
    assert services.names_in(archive) == ["a.webp", "b/2.JPG"]
    assert zipfile.is_zipfile(archives.path_of(archive))
