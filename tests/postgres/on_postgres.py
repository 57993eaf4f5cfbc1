"""What holds on PostgreSQL alone: pgvector, and who waits for whom. Run by `test_on_postgres`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from django.db import connection, transaction

from facerec.core.gallery import Gallery
from facerec.gallery.live import LiveGallery, open_gallery
from facerec.gallery.pgvector import GalleryUnavailable, VectorGallery
from facerec.models import FaceTemplate, GalleryChange, GalleryVersion, Subject
from tests.web.facerec.test_live_gallery import NOUGHT, encoding, saved, subject, template

pytestmark = pytest.mark.django_db(transaction=True)


def test_this_is_postgres() -> None:
    assert connection.vendor == "postgresql"


@pytest.fixture
def tables(transactional_db: None) -> Iterator[None]:
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS facerec_vector, facerec_vectorstate")


def enrol(people: int, photos: int = 2) -> list[Subject]:
    everybody = [subject(f"p{n}") for n in range(people)]
    FaceTemplate.objects.bulk_create(
        [
            template(who, 10 * n + photo)
            for n, who in enumerate(everybody)
            for photo in range(photos)
        ]
    )
    return everybody


def vectors() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM facerec_vector")
        return int(cursor.fetchone()[0])


@pytest.mark.usefixtures("tables")
class TestVectors:
    def test_the_answers_are_the_matrixs(self) -> None:
        enrol(60)
        table, matrix = VectorGallery(approximate=False), LiveGallery()
        probes = np.stack([encoding(seed) for seed in range(0, 400, 7)])
        assert len(table.now()) == len(matrix.now()) == 120
        for k in (1, 2, 3):
            assert table.now().search(probes, k) == matrix.now().search(probes, k)

    def test_ties_and_one_person_with_many_photos(self) -> None:
        ada, bob, eve = subject(), subject("bob"), subject("eve")
        FaceTemplate.objects.bulk_create([template(ada, 0) for _ in range(100)])
        FaceTemplate.objects.bulk_create([template(who, 5) for who in (eve, bob)])
        probe = encoding(0)[None]
        [found] = VectorGallery(approximate=False).now().search(probe, 2)
        assert [found] == LiveGallery().now().search(probe, 2)
        assert [n.subject for n in found] == [ada.pk, eve.pk]  # the lower key of two that tie

    def test_every_change_is_in_the_next_answer(self) -> None:
        ada, *_ = enrol(5)
        table, other = VectorGallery(approximate=False), VectorGallery(approximate=False)
        for turn in range(3):
            newcomer = subject(f"new{turn}")
            saved(newcomer, 900 + turn)
            for gallery in (table, other):
                [[nearest]] = gallery.now().search(encoding(900 + turn)[None], k=1)
                assert (nearest.subject, nearest.distance) == (newcomer.pk, NOUGHT)
            newcomer.delete()
            [[nearest]] = other.now().search(encoding(900 + turn)[None], k=1)
            assert nearest.subject != newcomer.pk
        ada.delete()
        assert len(table.now()) == len(LiveGallery().now()) == 8

    def test_a_deleted_persons_vectors_go_in_the_same_transaction(self) -> None:
        ada, *_ = enrol(3)
        VectorGallery(approximate=False).now()
        assert vectors() == 6
        ada.delete()  # nobody asks anything, and yet
        assert vectors() == 4

    def test_written_anew_after_everything_changed(self) -> None:
        enrol(3)
        table = VectorGallery(approximate=False)
        table.now()
        FaceTemplate.objects.filter(subject__name="p0").update(aligner_version="of yesterday")
        GalleryVersion.change()
        assert len(table.now()) == 4 == vectors()

    def test_hnsw_finds_who_is_enrolled(self) -> None:
        everybody = enrol(100)
        table = VectorGallery(approximate=True)
        probes = np.stack([encoding(10 * n) for n in range(100)])
        found = table.now().search(probes, 1)
        right = [n.subject == who.pk for [n], who in zip(found, everybody, strict=True)]
        assert sum(right) >= 99

    def test_nobody_enrolled(self) -> None:
        table = VectorGallery(approximate=False).now()
        assert len(table) == 0
        assert table.search(encoding(0)[None]) == [[]]

    def test_the_settings_choose(self, settings) -> None:
        settings.GALLERY_SEARCH = "pgvector"
        assert isinstance(open_gallery(), VectorGallery)
        settings.GALLERY_SEARCH = "memory"
        assert isinstance(open_gallery(), LiveGallery)
        settings.GALLERY_SEARCH = "faiss"
        with pytest.raises(GalleryUnavailable, match="faiss"):
            open_gallery()


class TestConcurrency:
    def test_the_log_has_no_gaps_under_many_writers(self) -> None:
        """Whoever reads up to a number has all that came before it: numbers are drawn in the
        order of the commits."""
        who, live = subject(), LiveGallery()
        saved(who, 0)
        seen: list[int] = []
        over = threading.Event()

        def write(seed: int) -> None:
            with transaction.atomic():
                saved(who, seed)
                if seed % 5 == 0:
                    transaction.set_rollback(True)
            connection.close()

        def read() -> None:
            while not over.is_set():
                seen.append(len(live.now()))
            connection.close()

        reader = threading.Thread(target=read)
        reader.start()
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(write, range(1, 61)))
        over.set()
        reader.join()
        assert seen == sorted(seen)
        assert len(live.now()) == 1 + 48
        numbers = list(GalleryChange.objects.values_list("sequence", flat=True))
        assert numbers == list(range(1, 50))

    def test_deleting_and_enrolling_do_not_wait_for_each_other_for_ever(self) -> None:
        """Both take the log's lock before the person's row."""
        everybody = enrol(12)

        def enrol_more(who: Subject) -> None:
            with transaction.atomic():
                GalleryVersion.lock()
                if Subject.objects.select_for_update().filter(pk=who.pk).exists():
                    saved(who, 5)
            connection.close()

        def delete(who: Subject) -> None:
            Subject.objects.filter(pk=who.pk).delete()
            connection.close()

        with ThreadPoolExecutor(6) as pool:
            jobs = [pool.submit(do, who) for who in everybody for do in (enrol_more, delete)]
            for job in jobs:
                job.result(30)
        assert len(LiveGallery().now()) == FaceTemplate.objects.count() == 0


def test_a_matrix_on_postgres_is_the_same() -> None:
    enrol(20)
    rows = FaceTemplate.objects.order_by("pk")
    packed = FaceTemplate.unpack(rows.values_list("encoding", flat=True))
    live = LiveGallery().now()
    keys = zip(*rows.values_list("subject_id", "pk"), strict=True)
    brute = Gallery.of(live.adapt(packed), *keys)
    probes = np.stack([encoding(seed) for seed in range(30)])
    assert live.search(probes) == brute.search(live.adapt(probes))
