"""Training runs."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models

from webapp.accounts.models import Scope
from webapp.accounts.roles import Role, has_role
from webapp.jobs.models import Job


class TrainingRun(Job):
    """An encoder learns from labelled photos; a part of the people is held out to judge it."""

    task: ClassVar[str] = "facerec.tasks.train"
    scope: ClassVar[Scope] = Scope.SUBJECTS
    queue: ClassVar[str] = "long"

    name = models.CharField(max_length=80)
    archive = models.UUIDField(default=uuid.uuid4, editable=False)
    config = models.JSONField(default=dict)  # training.TrainingConfig as a dict
    stage = models.CharField(max_length=20, blank=True, default="")  # encoding | training | judging
    done = models.PositiveIntegerField(default=0)  # of the stage: photos or steps
    total = models.PositiveIntegerField(default=0)
    curve = models.JSONField(default=list)  # one dict an evaluation
    collapsed = models.BooleanField(default=False)
    report = models.JSONField(default=dict)  # old against new on held-out people

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return self.name

    def visible_to(self, user: Any) -> bool:
        return has_role(user, Role.ADMINISTRATOR)

    def as_event(self) -> dict[str, Any]:
        progress = {"stage": self.stage, "done": self.done, "total": self.total}
        return {**super().as_event(), **progress, "collapsed": self.collapsed}
