"""All kinds of job there are."""

from __future__ import annotations

from uuid import UUID

from django.apps import apps

from webapp.jobs.models import Job


def job_models() -> list[type[Job]]:
    """Every concrete model that is a Job."""
    return [model for model in apps.get_models() if issubclass(model, Job)]


def find_job(job_id: UUID) -> Job | None:
    """The job with this id, whatever its kind."""
    for model in job_models():
        job: Job | None = model._default_manager.filter(pk=job_id).first()
        if job is not None:
            return job
    return None
