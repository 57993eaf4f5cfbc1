"""The reaper: what nobody runs is sent again, and only that."""

from __future__ import annotations

import uuid

import pytest
import redis
from celery import Celery

from styletransfer.models import StyleJob
from webapp.jobs import dispatch
from webapp.jobs.lease import Lease
from webapp.jobs.models import Status
from webapp.jobs.reaper import ALIVE_KEY, QUEUED_GRACE, RUNNING_GRACE, Reaper
from webapp.jobs.redis import client


@pytest.fixture
def reaper() -> Reaper:
    return Reaper()


def running(job: StyleJob) -> StyleJob:
    job.status = Status.RUNNING
    job.save()
    return job


def queue_length() -> int:
    return int(client().llen("style"))  # type: ignore[arg-type]


def test_a_running_job_without_a_run_is_sent_after_the_grace(job: StyleJob, reaper: Reaper) -> None:
    running(job)
    assert reaper.sweep(now=0) == []
    assert reaper.sweep(now=RUNNING_GRACE - 0.1) == []
    assert reaper.sweep(now=RUNNING_GRACE) == [job]
    assert queue_length() == 1
    assert reaper.sweep(now=RUNNING_GRACE + 1) == []  # it has just been sent


def test_a_held_job_is_not(job: StyleJob, reaper: Reaper) -> None:
    running(job)
    lease = Lease(job.pk, uuid.uuid4())
    lease.acquire()
    assert reaper.sweep(now=0) == reaper.sweep(now=100) == []
    lease.release()


def test_a_lease_in_between_starts_the_grace_anew(job: StyleJob, reaper: Reaper) -> None:
    running(job)
    reaper.sweep(now=0)
    lease = Lease(job.pk, uuid.uuid4())
    lease.acquire()
    reaper.sweep(now=2)
    lease.release()
    assert reaper.sweep(now=RUNNING_GRACE) == []
    assert reaper.sweep(now=2 * RUNNING_GRACE) == [job]


def test_a_queued_job_is_sent_when_its_queue_is_empty(job: StyleJob, reaper: Reaper) -> None:
    reaper.sweep(now=0)
    assert reaper.sweep(now=QUEUED_GRACE - 0.1) == []
    assert reaper.sweep(now=QUEUED_GRACE) == [job]


def test_and_left_where_it_waits(job: StyleJob, reaper: Reaper) -> None:
    dispatch.send(job)
    assert reaper.sweep(now=0) == reaper.sweep(now=100) == []
    assert queue_length() == 1


@pytest.mark.parametrize("status", [Status.PAUSED, Status.DONE, Status.CANCELLED, Status.FAILED])
def test_what_needs_no_run_is_left_alone(job: StyleJob, reaper: Reaper, status: Status) -> None:
    StyleJob.objects.update(status=status)
    assert reaper.sweep(now=0) == reaper.sweep(now=100) == []


def test_after_redis_was_away_every_job_gets_its_grace(job: StyleJob, reaper: Reaper) -> None:
    running(job)
    reaper.sweep(now=0)
    reaper.forget()
    assert reaper.sweep(now=RUNNING_GRACE) == []


def test_it_says_that_it_lives(job: StyleJob, reaper: Reaper) -> None:
    reaper.sweep()
    assert client().get(ALIVE_KEY)


class TestRedisAway:
    NOWHERE = "redis://127.0.0.1:1/0"

    @pytest.fixture(autouse=True)
    def _away(self, job: StyleJob, monkeypatch: pytest.MonkeyPatch) -> None:
        """Everybody looks for Redis where nobody listens."""
        monkeypatch.setattr("django.conf.settings.REDIS_URL", self.NOWHERE)
        monkeypatch.setattr(dispatch, "app", Celery("away", broker=self.NOWHERE))

    def test_the_reaper_says_so(self, reaper: Reaper) -> None:
        with pytest.raises(redis.RedisError):
            reaper.sweep()

    def test_a_job_that_cannot_be_sent_stays_queued(self, job: StyleJob) -> None:
        dispatch.send(job)
        job.refresh_from_db()
        assert job.status == Status.QUEUED

    def test_a_request_is_written_down_even_so(self, job: StyleJob) -> None:
        running(job)
        dispatch.ask(job, dispatch.Request.CANCEL)
        assert job.requested == "cancel"
