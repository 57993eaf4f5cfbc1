"""Celery's entries to painting, making and looking into networks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from celery.signals import worker_ready
from django.db import close_old_connections

from styletransfer.models import Mining, Piece, StyleJob
from styletransfer.services import excited, insights, looks
from styletransfer.services.leftovers import discard_orphans
from webapp import archives
from webapp.celery import app
from webapp.jobs.runner import run_job

log = structlog.get_logger(__name__)


@app.task(name="styletransfer.tasks.paint", ignore_result=True)
def paint(job_id: str) -> None:
    from styletransfer.services.work_painting import (
        paint as work,
    )  # loads torch: in the style worker only

    run_job(StyleJob, job_id, work)
    look_into(job_id)  # while the network is warm


@app.task(name=insights.TASK, ignore_result=True)
def look_into(job_id: str) -> None:
    from styletransfer.services.work_insights import give_insight

    give_insight(UUID(job_id))


@app.task(name="styletransfer.tasks.make_piece", ignore_result=True)
def make_piece(job_id: str) -> None:
    from styletransfer.services.work_pieces import make_piece as work  # loads torch, too

    run_job(Piece, job_id, work)


@app.task(name=Mining.task, ignore_result=True)
def mine(job_id: str) -> None:
    from styletransfer.services.work_minings import run_mining  # likewise

    run_job(Mining, job_id, run_mining)
    archives.discard_leftovers()


@app.task(name=looks.LOOK.task, ignore_result=True)
def look(user_id: int, look_id: str, network: str, layer: str, unit: int) -> None:
    from styletransfer.services.work_looks import give_look  # in the faces' worker

    give_look(user_id, UUID(look_id), network, layer, unit)


@app.task(name=excited.TASK, ignore_result=True)
def excite(network: str, layer: str, unit: int) -> None:
    from styletransfer.services.work_excited import make_exciting

    make_exciting(network, layer, unit)


@worker_ready.connect
def tidy(sender: Any, **_: Any) -> None:
    """A style worker has started: nothing stays of those whose pictures are gone."""
    if StyleJob.queue in sender.app.amqp.queues.consume_from:
        if gone := discard_orphans():
            log.info("discarded what deleted jobs had left", jobs=gone)
        close_old_connections()
