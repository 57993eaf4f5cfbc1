"""Whoever comes or goes is seen by the very next question, in whichever process it is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from facerec.core.types import Encoding
from facerec.core.versions import ALIGNER_VERSION, BACKBONE_VERSION
from facerec.gallery.live import LiveGallery
from facerec.models import FaceTemplate, GalleryChange, GalleryVersion, Subject
from facerec.models import gallery as log

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parents[3]
NOUGHT = pytest.approx(0, abs=1e-9)  # an adapter rounds one face and many together differently


def subject(name: str = "ada") -> Subject:
    return Subject.objects.create(name=name, external_id=name, consent_given_at=timezone.now())


def encoding(seed: int) -> Encoding:
    return np.random.default_rng(seed).normal(scale=0.13, size=128).astype(np.float32)


def template(of: Subject, seed: int, **fields: Any) -> FaceTemplate:
    values = {
        "encoding": FaceTemplate.pack(encoding(seed)),
        "encoder_version": BACKBONE_VERSION,
        "aligner_version": ALIGNER_VERSION,
    }
    return FaceTemplate(subject=of, **(values | fields))


def saved(of: Subject, seed: int, **fields: Any) -> FaceTemplate:
    made = template(of, seed, **fields)
    made.save()
    return made


def held(live: LiveGallery) -> list[int]:
    return sorted(live.now().templates.subjects.tolist())


class TestFollowing:
    def test_nothing_changed_costs_one_query(self, django_assert_num_queries: Any) -> None:
        live = LiveGallery()
        saved(subject(), 0)
        first = live.now()
        with django_assert_num_queries(1):
            assert live.now() is first

    def test_a_change_reads_what_changed(self, django_assert_num_queries: Any) -> None:
        live, ada, bob = LiveGallery(), subject(), subject("bob")
        saved(ada, 0)
        held(live)
        saved(bob, 1)
        with django_assert_num_queries(3):  # the state, the log, the one template
            assert held(live) == [ada.pk, bob.pk]
        [[nearest]] = live.now().search(encoding(1)[None], k=1)
        assert (nearest.subject, nearest.distance) == (bob.pk, NOUGHT)

    def test_every_way_to_come_or_go(self) -> None:
        live, ada, bob = LiveGallery(), subject(), subject("bob")
        assert held(live) == []
        one = saved(ada, 0)
        assert held(live) == [ada.pk]
        FaceTemplate.objects.bulk_create([template(bob, 1), template(bob, 2)])
        assert held(live) == [ada.pk, bob.pk, bob.pk]
        one.subject = bob
        one.save()
        assert held(live) == [bob.pk] * 3
        FaceTemplate.objects.filter(pk=one.pk).update(aligner_version="of yesterday")
        assert held(live) == [bob.pk] * 2
        FaceTemplate.objects.filter(pk=one.pk).update(aligner_version=ALIGNER_VERSION)
        assert held(live) == [bob.pk] * 3
        FaceTemplate.objects.filter(pk=one.pk).delete()
        assert held(live) == [bob.pk] * 2
        bob.delete()
        assert held(live) == []

    def test_a_changed_encoding_replaces_the_former(self) -> None:
        live, made = LiveGallery(), saved(subject(), 0)
        assert held(live)
        made.encoding = FaceTemplate.pack(encoding(5))
        made.save()
        [[nearest]] = live.now().search(encoding(5)[None])
        assert nearest.distance == NOUGHT
        assert len(live.now()) == 1

    def test_a_former_answer_keeps_its_gallery(self) -> None:
        live, ada = LiveGallery(), subject()
        saved(ada, 0)
        before = live.now()
        ada.delete()
        assert len(live.now()) == 0
        assert len(before) == 1

    def test_what_is_rolled_back_never_was(self) -> None:
        live, ada = LiveGallery(), subject()
        saved(ada, 0)
        held(live)
        with transaction.atomic():
            saved(ada, 1)
            assert len(live.now()) == 2  # its own transaction sees it
            transaction.set_rollback(True)
        assert len(live.now()) == 1
        saved(ada, 2)
        assert len(live.now()) == 2


class TestReadingAnew:
    def test_everything_changed(self) -> None:
        live, ada = LiveGallery(), subject()
        saved(ada, 0)
        held(live)
        QuerySet(FaceTemplate).bulk_create([template(ada, 1)])  # goes past the log
        assert len(live.now()) == 1
        GalleryVersion.change()
        assert len(live.now()) == 2

    def test_a_database_from_a_backup(self) -> None:
        """The same number of changes, but other ones."""
        live, ada, bob = LiveGallery(), subject(), subject("bob")
        saved(ada, 0)
        backup = GalleryVersion.current(), list(GalleryChange.objects.values())
        saved(ada, 1)
        assert len(live.now()) == 2
        FaceTemplate.objects.all()._raw_delete("default")
        GalleryVersion.objects.update(**backup[0]._asdict())
        GalleryChange.objects.all().delete()
        GalleryChange.objects.bulk_create(GalleryChange(**row) for row in backup[1])
        saved(bob, 2)
        assert held(live) == [bob.pk]

    def test_too_far_behind(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(log, "LOG_LENGTH", 5)
        monkeypatch.setattr(log, "_PRUNE_EVERY", 2)
        live, ada = LiveGallery(), subject()
        saved(ada, 0)
        held(live)
        for seed in range(1, 12):
            saved(ada, seed)
        assert GalleryChange.objects.count() <= 6
        assert len(live.now()) == 12
        FaceTemplate.objects.bulk_create([template(ada, seed) for seed in range(12, 30)])
        assert len(live.now()) == 30


class TestLog:
    def test_no_gaps_and_one_token_a_record(self) -> None:
        GalleryVersion.record([7, 8])
        GalleryVersion.record([])
        GalleryVersion.record([9])
        rows = list(GalleryChange.objects.values_list("sequence", "template"))
        assert rows == [(1, 7), (2, 8), (3, 9)]
        tokens = list(GalleryChange.objects.values_list("token", flat=True))
        assert tokens[0] == tokens[1] != tokens[2] == GalleryVersion.current().token

    def test_where_the_log_does_not_lead(self) -> None:
        GalleryVersion.record([1])
        former = GalleryVersion.current()
        GalleryVersion.record([2, 3])
        now = GalleryVersion.current()
        assert GalleryChange.between(former, now) == [2, 3]
        assert GalleryChange.between(former._replace(token=uuid4()), now) is None
        assert GalleryChange.between(now, former) is None
        assert GalleryChange.between(former._replace(sequence=0), now) is None
        GalleryChange.objects.filter(sequence=2).delete()
        assert GalleryChange.between(former, now) is None


WORKER = """
import json, sys
import django
django.setup()
from facerec.gallery.live import LiveGallery
import numpy as np
live = LiveGallery()
for line in sys.stdin:
    [found] = live.now().search(np.array([json.loads(line)], np.float32), k=1)
    print(json.dumps([[n.subject, n.distance] for n in found]), flush=True)
"""


class Worker:
    """Another process that answers who is nearest."""

    def __init__(self) -> None:
        database = connection.settings_dict
        told = os.environ | {"DJANGO_SETTINGS_MODULE": "webapp.settings", "OMP_NUM_THREADS": "1"}
        if connection.vendor == "postgresql":
            told["DATABASE_URL"] = told["DATABASE_URL"].replace(
                "/postgres?", f"/{database['NAME']}?"
            )
        else:
            told["DATABASE_URL"] = f"sqlite:///{database['NAME']}"
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER],
            cwd=ROOT,
            env=told,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def nearest(self, probe: Encoding) -> list[Any]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(probe.tolist()) + "\n")
        self.process.stdin.flush()
        answer: list[Any] = json.loads(self.process.stdout.readline())
        return answer


@pytest.fixture
def workers() -> Iterator[list[Worker]]:
    two = [Worker(), Worker()]
    yield two
    for worker in two:
        worker.process.kill()
        worker.process.communicate()


def test_across_processes(workers: list[Worker]) -> None:
    ada, bob = subject(), subject("bob")
    saved(bob, 1)
    for worker in workers:
        assert worker.nearest(encoding(0))[0][0] == bob.pk
    for seed in range(3):
        made = saved(ada, 0)
        for worker in workers:
            assert worker.nearest(encoding(0)) == [[ada.pk, NOUGHT]]
        made.delete()
        for worker in workers:
            assert worker.nearest(encoding(0))[0][0] == bob.pk
        saved(bob, 10 + seed)
    bob.delete()
    assert [worker.nearest(encoding(0)) for worker in workers] == [[], []]
