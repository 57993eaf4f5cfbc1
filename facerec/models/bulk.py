"""Many people enrolled at once."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models
from django.urls import reverse

from facerec.models.people import EnrolmentPhoto, Subject
from webapp.accounts.models import Scope
from webapp.accounts.roles import Role, has_role
from webapp.jobs.counted import CountedJob

CONSENT = "Each of these people agreed to be recognised by their face"


class Existing(models.TextChoices):
    """What to do with a person who is enrolled already (by their external id)."""

    ADD = "add", "add the photos to theirs"
    SKIP = "skip", "leave them as they are"


class BulkStatus(models.TextChoices):
    """What came of one photo."""

    ENROLLED = "enrolled"
    REFUSED = "refused"
    CONFIRM = "confirm", "needs a look"
    SKIPPED = "skipped"


class BulkEnrolment(CountedJob):
    """An archive or a folder with one folder a person, photo by photo. Whoever starts it vouches
    for `CONSENT`."""

    task: ClassVar[str] = "facerec.tasks.enrol_many"
    scope: ClassVar[Scope] = Scope.SUBJECTS
    queue: ClassVar[str] = "long"

    source = models.CharField(max_length=500)  # as its sender called it
    archive = models.UUIDField(default=uuid.uuid4, null=True, editable=False)
    folder = models.CharField(max_length=1000, blank=True, default="")  # else: by the command alone
    existing = models.CharField(max_length=10, choices=Existing.choices, default=Existing.ADD)
    people = models.PositiveIntegerField(default=0)
    last = models.CharField(max_length=1000, blank=True, default="")  # path: here a run goes on

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return self.source

    def get_absolute_url(self) -> str:
        return reverse("facerec:bulk_run", args=[self.pk])

    def visible_to(self, user: Any) -> bool:
        return has_role(user, Role.ADMINISTRATOR)

    def counts(self) -> dict[str, int]:
        """Photos by what came of them, each of `BulkStatus`."""
        rows = self.photos.order_by().values_list("status").annotate(models.Count("pk"))
        return {status.value: dict(rows).get(status.value, 0) for status in BulkStatus}

    def as_event(self) -> dict[str, Any]:
        left = self.time_left
        return {
            **super().as_event(),
            "done": self.done,
            "total": self.total,
            "people": self.people,
            "rate": round(self.rate, 2),
            "seconds_left": None if left is None else round(left.total_seconds()),
            "counts": self.counts(),
            "url": self.get_absolute_url(),
        }


class BulkPhoto(models.Model):
    """What came of one photo: a line of the report. It goes with its person, or with the run."""

    job = models.ForeignKey(BulkEnrolment, on_delete=models.CASCADE, related_name="photos")
    path = models.CharField(max_length=1000)  # in the archive or folder
    person = models.CharField(max_length=255)  # the folder's name
    status = models.CharField(max_length=10, choices=BulkStatus.choices)
    code = models.CharField(max_length=40, blank=True, default="")
    sentence = models.CharField(max_length=500, blank=True, default="")
    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, null=True, related_name="+")
    # With the template that it became, or waiting for a person's word.
    photo = models.OneToOneField(
        EnrolmentPhoto, on_delete=models.SET_NULL, null=True, related_name="bulk"
    )

    class Meta:
        ordering = ["path"]
        constraints = [models.UniqueConstraint(fields=["job", "path"], name="bulk_photo_once")]
        indexes = [models.Index(fields=["job", "status"])]

    def __str__(self) -> str:
        return self.path

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.rpartition("/")[2]
