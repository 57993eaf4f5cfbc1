"""Celery's entry to painting."""

from __future__ import annotations

from styletransfer.models import StyleJob
from webapp.celery import app
from webapp.jobs.runner import run_job


@app.task(name="styletransfer.tasks.paint", ignore_result=True)
def paint(job_id: str) -> None:
    from styletransfer.painting import paint as work  # loads torch: in the style worker only

    run_job(StyleJob, job_id, work)
