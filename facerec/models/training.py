"""Training runs."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.urls import reverse

from webapp.accounts.models import Scope
from webapp.accounts.roles import Role, has_role
from webapp.jobs.models import Job


class Stage(models.TextChoices):
    """What a run is at; empty before its first photo."""

    ENCODING = "encoding", "looking at the photos"
    PREPARING = "preparing", "running the frozen layers"
    TRAINING = "training", "training"
    JUDGING = "judging", "comparing with the encoder in use"


class TrainingRun(Job):
    """An encoder learns from labelled photos; a part of the people is held out to judge it."""

    task: ClassVar[str] = "facerec.tasks.train"
    scope: ClassVar[Scope] = Scope.SUBJECTS
    queue: ClassVar[str] = "long"

    owner = models.ForeignKey(  # type: ignore[assignment]  # its encoder outlives the account
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )
    name = models.CharField(max_length=24)  # its encoder's, with a number
    source = models.CharField(max_length=500, blank=True, default="")  # what its sender called it
    archive = models.UUIDField(null=True, editable=False)  # in settings.STAGING_DIR, until its end
    folder = models.CharField(max_length=1000, blank=True, default="")  # instead of an archive
    config = models.JSONField(default=dict)  # TrainingConfig.as_dict()
    stage = models.CharField(max_length=20, choices=Stage.choices, blank=True, default="")
    done = models.PositiveIntegerField(default=0)  # of the stage: photos or steps
    total = models.PositiveIntegerField(default=0)
    photos = models.JSONField(default=dict)  # {people, used, refused: {code: count}}
    curve = models.JSONField(default=list)  # CurvePoint.as_dict(), by step
    collapsed = models.BooleanField(default=False)
    report = models.JSONField(default=dict)  # old against new on held-out people

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return self.name

    def visible_to(self, user: Any) -> bool:
        return has_role(user, Role.ADMINISTRATOR)

    def get_absolute_url(self) -> str:
        return reverse("facerec:training_run", args=[self.pk])

    def as_event(self) -> dict[str, Any]:
        """The curve's points are fetched apart, from the number that the page has."""
        return {
            **super().as_event(),
            "stage": self.stage,
            "done": self.done,
            "total": self.total,
            "points": len(self.curve),
            "collapsed": self.collapsed,
        }
