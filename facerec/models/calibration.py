"""Calibrations: which threshold gives which error rate, measured on a labelled set."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models

from webapp.accounts.models import Scope
from webapp.accounts.roles import Role, has_role
from webapp.jobs.models import Job


class Calibration(Job):
    """The measuring, and afterwards its result: distributions, never a face or an encoding."""

    task: ClassVar[str] = "facerec.tasks.calibrate"
    scope: ClassVar[Scope] = Scope.SUBJECTS
    queue: ClassVar[str] = "long"

    name = models.CharField(max_length=120)
    archive = models.UUIDField(default=uuid.uuid4, editable=False)
    encoder = models.CharField(max_length=80)
    aligner = models.CharField(max_length=40)
    decision_rule = models.CharField(max_length=20, default="distance")
    done = models.PositiveIntegerField(default=0)  # photos
    total = models.PositiveIntegerField(default=0)
    points = models.JSONField(default=dict)  # calibration.OperatingPoints as a dict
    cohorts = models.JSONField(default=dict)

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return self.name

    def visible_to(self, user: Any) -> bool:
        return has_role(user, Role.ADMINISTRATOR)

    def as_event(self) -> dict[str, Any]:
        return {**super().as_event(), "done": self.done, "total": self.total}
