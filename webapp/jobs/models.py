"""What every job has in common, whatever its work is."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from webapp.accounts.models import Scope


class Status(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


ACTIVE = (Status.QUEUED, Status.RUNNING)
FINAL = (Status.DONE, Status.CANCELLED, Status.FAILED)


class Request(models.TextChoices):
    """What its owner asked of a running job."""

    NONE = "", "nothing"
    CANCEL = "cancel"
    PAUSE = "pause"


class Job(models.Model):
    """A unit of work for a worker. The row is the truth; the broker's message is a hint.

    `run_token` names the run that holds the job: a run writes only while its token stands there,
    so that a run which lost its lease cannot overwrite its successor.
    """

    task: ClassVar[str]  # the Celery task that runs it
    queue: ClassVar[str]
    scope: ClassVar[Scope]  # what an API key needs to watch it

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", editable=False
    )
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.QUEUED, editable=False
    )
    requested = models.CharField(
        max_length=10, choices=Request.choices, blank=True, default="", editable=False
    )
    error = models.JSONField(null=True, blank=True, editable=False)
    run_token = models.UUIDField(null=True, editable=False)
    crashes = models.PositiveSmallIntegerField(default=0, editable=False)  # since last progress
    created = models.DateTimeField(auto_now_add=True)
    started = models.DateTimeField(null=True, editable=False)
    finished = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    @property
    def kind(self) -> str:
        return self._meta.model_name or ""

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    def visible_to(self, user: Any) -> bool:
        """Whether a person may see this job; by default its owner alone."""
        return bool(user.is_authenticated and self.owner == user)

    def as_event(self) -> dict[str, Any]:
        """The job's state as sockets and API clients get it; JSON types only."""
        return {
            "id": str(self.id),
            "kind": self.kind,
            "status": self.status,
            "error": self.error,
        }
