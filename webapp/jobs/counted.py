"""A job that goes through many things one by one: how fast, and how long it will take."""

from __future__ import annotations

from datetime import timedelta

from django.db import models

from webapp.jobs.models import Job


class CountedJob(Job):
    """A Job that counts what it has done."""

    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(default=0)  # of work, over all runs

    class Meta:
        abstract = True

    @property
    def rate(self) -> float:
        """How many a second."""
        return self.done / self.seconds if self.seconds else 0.0

    @property
    def time_left(self) -> timedelta | None:
        if self.is_final or not self.rate:
            return None
        return timedelta(seconds=(self.total - self.done) / self.rate)
