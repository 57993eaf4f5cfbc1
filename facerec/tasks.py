"""The faces worker's tasks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery.signals import worker_ready

from facerec.models import (
    Attempt,
    BulkEnrolment,
    Calibration,
    Enrolment,
    Reencoding,
    TrainingRun,
)
from facerec.services import lessons, liveness, training
from facerec.services.corrections import forget_unjudged
from facerec.services.enrolment import discard_unconfirmed
from facerec.services.photos import discard_leftovers
from facerec.services.work_attempts import run_attempt
from facerec.services.work_bulk import run_bulk
from facerec.services.work_calibration import run_calibration
from facerec.services.work_enrolment import run_enrolment
from facerec.services.work_lessons import give_lesson
from facerec.services.work_reencoding import run_reencoding
from webapp import archives
from webapp.celery import app
from webapp.jobs.runner import run_job


@app.task(name=Enrolment.task)
def enrol(job_id: str) -> None:
    run_job(Enrolment, job_id, run_enrolment)
    discard_leftovers()  # also of an enrolment that was given up before it looked at all photos
    discard_unconfirmed()
    forget_unjudged()


@app.task(name=Attempt.task)
def attempt(job_id: str) -> None:
    run_job(Attempt, job_id, run_attempt)


@app.task(name=Calibration.task)
def calibrate(job_id: str) -> None:
    run_job(Calibration, job_id, run_calibration)
    archives.discard_leftovers()  # the set's photos, once the job has ended


@app.task(name=BulkEnrolment.task)
def enrol_many(job_id: str) -> None:
    run_job(BulkEnrolment, job_id, run_bulk)
    archives.discard_leftovers()


@app.task(name=TrainingRun.task)
def train(job_id: str) -> None:
    from facerec.services.work_training import run_training  # torch, which only this task needs

    run_job(TrainingRun, job_id, run_training)
    training.discard_leftovers()


@app.task(name=Reencoding.task)
def reencode(job_id: str) -> None:
    run_job(Reencoding, job_id, run_reencoding)


@app.task(name=lessons.LESSON.task)
def lesson(user_id: int, lesson_id: str) -> None:
    give_lesson(user_id, UUID(lesson_id))


@app.task(name=liveness.TASK)
def judge_liveness(session_id: str, token: str) -> None:
    from facerec.services.work_liveness import judge_waiting  # torch, as above

    judge_waiting(UUID(session_id), token)


@worker_ready.connect
def begin(sender: Any, **_: Any) -> None:
    """What a worker left behind when it was killed, the next one clears away."""
    if Attempt.queue in sender.app.amqp.queues.consume_from:
        discard_leftovers()
        discard_unconfirmed()
        forget_unjudged()
        liveness.settle_stale()
    if BulkEnrolment.queue in sender.app.amqp.queues.consume_from:
        archives.discard_leftovers()
        training.discard_leftovers()
