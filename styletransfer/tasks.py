"""Celery's entries to painting and making."""

from __future__ import annotations

from typing import Any

import structlog
from celery.signals import worker_ready
from django.db import close_old_connections

from styletransfer.models import Piece, StyleJob
from styletransfer.services.leftovers import discard_orphans
from webapp.celery import app
from webapp.jobs.runner import run_job

log = structlog.get_logger(__name__)


@app.task(name="styletransfer.tasks.paint", ignore_result=True)
def paint(job_id: str) -> None:
    from styletransfer.services.work_painting import (
        paint as work,
    )  # loads torch: in the style worker only

    run_job(StyleJob, job_id, work)


@app.task(name="styletransfer.tasks.make_piece", ignore_result=True)
def make_piece(job_id: str) -> None:
    from styletransfer.services.work_pieces import make_piece as work  # loads torch, too

    run_job(Piece, job_id, work)


@worker_ready.connect
def tidy(sender: Any, **_: Any) -> None:
    """A style worker has started: nothing stays of those whose pictures are gone."""
    if StyleJob.queue in sender.app.amqp.queues.consume_from:
        if gone := discard_orphans():
            log.info("discarded what deleted jobs had left", jobs=gone)
        close_old_connections()
