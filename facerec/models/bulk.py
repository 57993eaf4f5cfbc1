"""Many people enrolled at once."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models

from webapp.accounts.models import Scope
from webapp.accounts.roles import Role, has_role
from webapp.jobs.models import Job


class BulkEnrolment(Job):
    """An archive or a folder with one folder a person."""

    task: ClassVar[str] = "facerec.tasks.enrol_many"
    scope: ClassVar[Scope] = Scope.SUBJECTS
    queue: ClassVar[str] = "long"

    source = models.CharField(max_length=500)  # as its sender called it
    archive = models.UUIDField(default=uuid.uuid4, editable=False)
    done = models.PositiveIntegerField(default=0)  # photos
    total = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return self.source

    def visible_to(self, user: Any) -> bool:
        return has_role(user, Role.ADMINISTRATOR)

    def as_event(self) -> dict[str, Any]:
        return {**super().as_event(), "done": self.done, "total": self.total}
