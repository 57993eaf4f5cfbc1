"""The frame around every job's work: lease, claim, stop requests, outcome, events.

It tells *failed* (expected: the user gets a sentence) from *errored* (a bug: the user gets a
reference, the log gets the traceback).
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from uuid import UUID

import redis
import structlog
from django.db import close_old_connections, models
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from webapp.errors import UserFacingError
from webapp.jobs.dispatch import flag_of, send
from webapp.jobs.events import publish_state
from webapp.jobs.lease import Lease
from webapp.jobs.models import ACTIVE, Job, Request, Status
from webapp.jobs.redis import client
from webapp.middleware import new_reference

log = structlog.get_logger(__name__)
J = TypeVar("J", bound=Job)

MAX_CRASHES = 3  # a job that ends its worker this often without progress is given up
ROW_EVERY = 1.0  # seconds between looks at the row, should the Redis flag be lost

shutting_down = threading.Event()  # set when the worker is asked to leave


class Stopped(Exception):  # noqa: N818 - not an error: the work was asked to stop
    """Raised by `Run.checkpoint_or_stop`; carries the status that the job takes."""

    def __init__(self, status: Status | None) -> None:
        super().__init__(status)
        self.status = status  # None: the run was lost to another and must write nothing


class Run(Generic[J]):
    """One run of one job, handed to the work function."""

    def __init__(self, job: J, lease: Lease, token: UUID) -> None:
        self.job = job
        self.token = token
        self._lease = lease
        self._row_read = time.monotonic()

    def update(self, **fields: Any) -> None:
        """Write fields of the row, if this run still holds the job.

        Raises:
            Stopped: another run has taken over.
        """
        rows = type(self.job)._default_manager.filter(pk=self.job.pk, run_token=self.token)
        if not rows.update(**fields):
            raise Stopped(None)
        for name, value in fields.items():
            setattr(self.job, name, value)

    def progressed(self, **fields: Any) -> None:
        """`update` for progress that a later run will not have to do again."""
        self.update(crashes=0, **fields)

    def stop_requested(self) -> Status | None:
        """The status to take if the work should stop now (checkpoint first), else None.

        Cheap enough for every iteration: a Redis GET, and the row once a second.

        Raises:
            Stopped: another run has taken over.
        """
        if self._lease.lost.is_set():
            raise Stopped(None)
        if shutting_down.is_set():
            return Status.QUEUED
        asked = self._asked()
        if asked == Request.CANCEL:
            return Status.CANCELLED
        if asked == Request.PAUSE:
            return Status.PAUSED
        return None

    def publish(self) -> None:
        """Tell the watchers the job's present state."""
        publish_state(self.job)

    def _asked(self) -> str:
        if time.monotonic() - self._row_read >= ROW_EVERY:
            self._row_read = time.monotonic()
            rows = type(self.job)._default_manager.filter(pk=self.job.pk, run_token=self.token)
            row = rows.values_list("requested", flat=True).first()
            if row is None:
                raise Stopped(None)
            if row:
                return str(row)
        try:
            flag = client().get(flag_of(self.job.pk))
        except redis.RedisError:
            return ""
        return flag.decode() if isinstance(flag, bytes) else ""


def run_job(model: type[J], job_id: str, work: Callable[[Run[J]], None]) -> None:
    """Run `work` on the job, once at a time across all workers, and settle its status.

    Returns at once where the job is gone, finished, or held by another run.
    """
    close_old_connections()
    token = uuid.uuid4()
    lease = Lease(UUID(job_id), token)
    if not lease.acquire():
        return
    job = None
    try:
        with structlog.contextvars.bound_contextvars(job=job_id):
            job = _claim(model, UUID(job_id), token)
            if job is not None:
                _settle(Run(job, lease, token), work)
    finally:
        lease.release()
        if job is not None and job.status == Status.QUEUED:
            send(job)  # this worker leaves; the next one goes on from the checkpoint
        close_old_connections()


def _claim(model: type[J], job_id: UUID, token: UUID) -> J | None:
    """Make the row ours; a row still `running` here means that its former run crashed."""
    rows = model._default_manager.filter(pk=job_id, status__in=ACTIVE)
    crashed = models.Case(
        models.When(status=Status.RUNNING, then=models.F("crashes") + 1),
        default=models.F("crashes"),
        output_field=models.PositiveSmallIntegerField(),
    )
    claimed = rows.update(
        status=Status.RUNNING, run_token=token, crashes=crashed, started=Coalesce("started", Now())
    )
    job: J | None = model._default_manager.filter(pk=job_id, run_token=token).first()
    return job if claimed else None


def _settle(run: Run[J], work: Callable[[Run[J]], None]) -> None:
    try:
        if run.job.crashes > MAX_CRASHES:
            raise UserFacingError(
                "worker_ended",
                "The worker ended again and again while it did this.",
                "It may need more memory than there is: try a smaller size.",
            )
        if (status := run.stop_requested()) is not None:
            raise Stopped(status)
        publish_state(run.job)
        work(run)
        _finish(run, Status.DONE)
    except Stopped as stop:
        if stop.status is not None:
            _finish(run, stop.status)
    except UserFacingError as error:
        _finish(run, Status.FAILED, error=error.as_dict())
    except Exception:
        reference = new_reference()
        log.exception("job errored", reference=reference, kind=run.job.kind)
        _finish(run, Status.FAILED, error=bug(reference))


def bug(reference: str) -> dict[str, Any]:
    """What a user is told of a bug: nothing but where to find it in the log."""
    return {
        "code": "internal_error",
        "message": "Something went wrong on our side.",
        "hint": f"Try again; if it stays, tell an administrator the reference {reference}.",
        "reference": reference,
    }


def _finish(run: Run[J], status: Status, *, error: dict[str, Any] | None = None) -> None:
    fields: dict[str, Any] = {"status": status, "error": error}
    if status not in (Status.QUEUED, Status.PAUSED):
        fields["finished"] = timezone.now()
    if status != Status.QUEUED:  # where only this worker leaves, the next one hears the request
        fields["requested"] = ""
        try:
            client().delete(flag_of(run.job.pk))
        except redis.RedisError:
            log.info("flag left to expire")
    try:
        run.update(**fields)
    except Stopped:
        log.warning("finished too late: another run holds the job")
        return
    publish_state(run.job)
