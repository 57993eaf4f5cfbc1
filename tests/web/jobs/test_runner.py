"""The frame around a job's work: outcomes, requests, and who may write."""

from __future__ import annotations

import threading
import time
import uuid

import pytest
import structlog

from styletransfer.models import StyleJob
from webapp.errors import UserFacingError
from webapp.jobs import dispatch
from webapp.jobs.lease import Lease
from webapp.jobs.models import Request, Status
from webapp.jobs.redis import client
from webapp.jobs.runner import MAX_CRASHES, Run, Stopped, run_job, shutting_down

StyleRun = Run[StyleJob]


def run(job: StyleJob, work) -> StyleJob:
    run_job(StyleJob, str(job.pk), work)
    job.refresh_from_db()
    return job


def until_asked(run: StyleRun) -> None:
    """Works until it is asked to stop, for 5 s at most."""
    for _ in range(500):
        if (status := run.stop_requested()) is not None:
            raise Stopped(status)
        time.sleep(0.01)


def meanwhile(action, after: float = 0.2) -> None:
    threading.Timer(after, action).start()


class TestOutcomes:
    def test_done(self, job: StyleJob) -> None:
        seen = []
        run(job, lambda run: seen.append(StyleJob.objects.get(pk=job.pk).status))
        assert seen == ["running"]
        assert (job.status, job.error) == (Status.DONE, None)
        assert job.started <= job.finished

    def test_failed_tells_the_sentence(self, job: StyleJob) -> None:
        def work(run: StyleRun) -> None:
            raise UserFacingError("too_small", "It is too small.", "Take a larger one.")

        run(job, work)
        assert job.status == Status.FAILED
        assert job.error == {
            "code": "too_small",
            "message": "It is too small.",
            "hint": "Take a larger one.",
        }

    def test_a_bug_tells_a_reference_and_nothing_else(self, job: StyleJob) -> None:
        def work(run: StyleRun) -> None:
            raise ValueError("secret path /etc/shadow")

        with structlog.testing.capture_logs() as logs:
            run(job, work)
        assert job.status == Status.FAILED
        assert job.error["code"] == "internal_error"
        assert "shadow" not in str(job.error)
        told = [line for line in logs if line.get("reference") == job.error["reference"]]
        assert told
        assert told[0]["exc_info"]

    @pytest.mark.parametrize("status", [Status.DONE, Status.CANCELLED, Status.PAUSED])
    def test_what_is_settled_is_not_run(self, job: StyleJob, status: Status) -> None:
        StyleJob.objects.filter(pk=job.pk).update(status=status)
        run(job, lambda run: pytest.fail("it ran"))
        assert job.status == status

    def test_a_job_that_is_gone_is_not_run(self, job: StyleJob) -> None:
        run_job(StyleJob, str(uuid.uuid4()), lambda run: pytest.fail("it ran"))


class TestRequests:
    def test_cancel(self, job: StyleJob) -> None:
        meanwhile(lambda: dispatch.ask(StyleJob.objects.get(pk=job.pk), Request.CANCEL))
        run(job, until_asked)
        assert (job.status, job.requested) == (Status.CANCELLED, "")
        assert client().get(dispatch.flag_of(job.pk)) is None

    def test_pause_and_resume(self, job: StyleJob) -> None:
        meanwhile(lambda: dispatch.ask(StyleJob.objects.get(pk=job.pk), Request.PAUSE))
        run(job, until_asked)
        assert job.status == Status.PAUSED
        assert job.finished is None
        dispatch.resume(job)
        assert job.status == Status.QUEUED
        assert client().llen("style") == 1
        assert run(job, lambda run: None).status == Status.DONE

    def test_a_lost_flag_is_found_in_the_row(self, job: StyleJob) -> None:
        def ask() -> None:
            dispatch.ask(StyleJob.objects.get(pk=job.pk), Request.CANCEL)
            client().delete(dispatch.flag_of(job.pk))

        meanwhile(ask)
        assert run(job, until_asked).status == Status.CANCELLED

    def test_what_waits_is_settled_at_once(self, job: StyleJob) -> None:
        dispatch.ask(job, Request.PAUSE)
        assert job.status == Status.PAUSED
        dispatch.ask(job, Request.CANCEL)
        assert job.status == Status.CANCELLED
        assert job.finished is not None
        dispatch.resume(job)
        assert job.status == Status.CANCELLED

    def test_shutdown_sends_the_job_back_to_its_queue(self, job: StyleJob) -> None:
        meanwhile(shutting_down.set)
        run(job, until_asked)
        assert (job.status, job.crashes) == (Status.QUEUED, 0)
        assert client().llen("style") == 1

    def test_a_request_outlives_the_worker_that_left(self, job: StyleJob) -> None:
        def work(run: StyleRun) -> None:
            dispatch.ask(StyleJob.objects.get(pk=job.pk), Request.CANCEL)
            shutting_down.set()
            until_asked(run)

        run(job, work)
        assert job.status == Status.QUEUED
        shutting_down.clear()
        assert run(job, until_asked).status == Status.CANCELLED


class TestWhoMayWrite:
    def test_a_held_job_is_left_alone(self, job: StyleJob) -> None:
        lease = Lease(job.pk, uuid.uuid4())
        assert lease.acquire()
        run(job, lambda run: pytest.fail("it ran"))
        assert job.status == Status.QUEUED
        lease.release()

    def test_a_run_that_lost_its_job_writes_nothing(self, job: StyleJob) -> None:
        successor = uuid.uuid4()

        def work(run: StyleRun) -> None:
            StyleJob.objects.filter(pk=job.pk).update(run_token=successor, step=7)
            with pytest.raises(Stopped) as stop:
                run.update(step=99)
            assert stop.value.status is None
            raise stop.value

        run(job, work)
        assert (job.step, job.run_token, job.status) == (7, successor, Status.RUNNING)

    def test_nor_may_it_say_that_it_is_done(self, job: StyleJob) -> None:
        def work(run: StyleRun) -> None:
            StyleJob.objects.filter(pk=job.pk).update(run_token=uuid.uuid4())

        assert run(job, work).status == Status.RUNNING

    def test_a_lost_lease_stops_the_run(self, job: StyleJob) -> None:
        def work(run: StyleRun) -> None:
            client().set(run._lease.key, "another run", ex=3)
            until_asked(run)
            pytest.fail("it went on")

        assert run(job, work).status == Status.RUNNING


class TestCrashes:
    def test_a_crash_is_counted_and_progress_forgives_it(self, job: StyleJob) -> None:
        StyleJob.objects.filter(pk=job.pk).update(status=Status.RUNNING, crashes=1)
        seen = []

        def work(run: StyleRun) -> None:
            seen.append(run.job.crashes)
            run.progressed(step=5)

        run(job, work)
        assert seen == [2]
        assert (job.crashes, job.step) == (0, 5)

    def test_a_job_that_ends_every_worker_is_given_up(self, job: StyleJob) -> None:
        StyleJob.objects.filter(pk=job.pk).update(status=Status.RUNNING, crashes=MAX_CRASHES)
        run(job, lambda run: pytest.fail("it ran"))
        assert (job.status, job.error["code"]) == (Status.FAILED, "worker_ended")
