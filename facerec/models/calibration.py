"""Calibrations: which threshold gives which error rate, measured on a labelled set."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from webapp.accounts.models import Scope
from webapp.accounts.roles import Role, has_role
from webapp.jobs.models import Job


class Calibration(Job):
    """The measuring, and afterwards its result: distributions, never a face or an encoding.

    A row belongs to one encoder and holds operating points for plain distance, and for the rule
    by which that encoder verifies where that is another.
    """

    task: ClassVar[str] = "facerec.tasks.calibrate"
    scope: ClassVar[Scope] = Scope.SUBJECTS
    queue: ClassVar[str] = "long"

    name = models.CharField(max_length=120)
    archive = models.UUIDField(null=True, editable=False)  # in settings.STAGING_DIR, until measured
    encoder = models.CharField(max_length=80)
    aligner = models.CharField(max_length=40)
    done = models.PositiveIntegerField(default=0)  # photos
    total = models.PositiveIntegerField(default=0)
    points = models.JSONField(default=dict)  # rule: calibration.OperatingPoints as a dict
    cohorts = models.JSONField(default=list)  # cohorts.Cohort as dicts, for verification's rule

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return self.name

    def visible_to(self, user: Any) -> bool:
        return has_role(user, Role.ADMINISTRATOR)

    def as_event(self) -> dict[str, Any]:
        return {**super().as_event(), "done": self.done, "total": self.total}
