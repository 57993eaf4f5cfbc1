"""What was asked about faces, and what came of it: the jobs, and afterwards the audit log."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.urls import reverse

from facerec.core.types import Outcome
from facerec.models.liveness import LivenessSession
from facerec.models.people import Subject
from facerec.reasons import sentence_of
from webapp.accounts.models import Scope
from webapp.jobs.models import Job


class Mode(models.TextChoices):
    VERIFICATION = "verification", "verification (1:1)"
    IDENTIFICATION = "identification", "identification (1:N)"


OUTCOMES = [(outcome.value, outcome.value.replace("_", " ")) for outcome in Outcome]


class Liveness(models.TextChoices):
    """What was known of the person's being there when the question was decided."""

    UNASKED = "", "not asked for"
    PASSED = "passed", "passed"
    FAILED = "failed", "not passed"
    MISSING = "missing", "required, not shown"
    VOUCHED = "vouched", "vouched for by the operator"


class Attempt(Job):
    """One verification or identification: the job, and afterwards its line in the audit log.

    The line stays when people go. Without its subject it names nobody; the operator's name is
    kept, since a log that forgets who asked is none.
    """

    task: ClassVar[str] = "facerec.tasks.attempt"
    scope: ClassVar[Scope] = Scope.RECOGNISE
    queue: ClassVar[str] = "faces"

    owner = models.ForeignKey(  # type: ignore[assignment]  # a job's owner is never null
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )
    operator = models.CharField(max_length=150, editable=False)  # the owner's name at that time
    api_key = models.ForeignKey(
        "accounts.ApiKey",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="API key",
    )
    mode = models.CharField(max_length=15, choices=Mode.choices)
    subject = models.ForeignKey(
        Subject,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="attempts",
        verbose_name="against whom",
    )
    # Of the upright photo as it was sent; boxes refer to it.
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)

    liveness = models.CharField(
        max_length=10, choices=Liveness.choices, blank=True, default=Liveness.UNASKED
    )
    liveness_session = models.OneToOneField(
        LivenessSession, on_delete=models.SET_NULL, null=True, related_name="attempt"
    )
    vouched = models.CharField("how it was vouched for", max_length=200, blank=True, default="")

    outcome = models.CharField(max_length=15, choices=OUTCOMES, blank=True, default="")
    reason = models.CharField(max_length=20, blank=True, default="")
    # How verification compared: by squared L2, or by a head. Of a head, distance and threshold
    # are 1 - y, the chance that these are two people.
    decision_rule = models.CharField(max_length=20, default="distance")
    distance = models.FloatField(null=True)
    threshold = models.FloatField(null=True)
    # What was to be expected of the threshold: {"fmr", "fpir", "fnmr", "supported"}.
    operating_point = models.JSONField(default=dict)
    gallery_size = models.PositiveIntegerField("templates compared with", null=True)
    encoder_version = models.CharField("encoder", max_length=80, blank=True, default="")
    aligner_version = models.CharField("aligner", max_length=40, blank=True, default="")

    class Meta:
        ordering = ["-created"]
        indexes = [models.Index(fields=["-created"])]

    def __str__(self) -> str:
        return f"{self.mode} of {self.created:%d %b %Y %H:%M:%S}"

    @property
    def sentence(self) -> str:
        return sentence_of(self.reason)

    def get_absolute_url(self) -> str:
        return reverse("facerec:attempt", args=[self.pk])

    def as_event(self) -> dict[str, Any]:
        return {
            **super().as_event(),
            "outcome": self.outcome or None,
            "url": self.get_absolute_url(),
        }


class AttemptFace(models.Model):
    """One face of an identification's photo, and what it came to."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="faces")
    position = models.PositiveSmallIntegerField()
    # Pixels of the upright photo; a box may reach past its edge.
    x = models.IntegerField()
    y = models.IntegerField()
    w = models.PositiveIntegerField()
    h = models.PositiveIntegerField()
    outcome = models.CharField(max_length=15, choices=OUTCOMES)
    reason = models.CharField(max_length=20, blank=True, default="")
    # Whom it matched or, where two people were too close, the nearer of them.
    subject = models.ForeignKey(Subject, on_delete=models.SET_NULL, null=True, related_name="+")
    distance = models.FloatField(null=True)
    # The nearest other person, and by how much farther (squared L2) that person is.
    runner_up = models.ForeignKey(
        Subject,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name="runner-up",
    )
    margin = models.FloatField(null=True)

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return f"face {self.position + 1}"

    @property
    def box(self) -> list[int]:
        return [self.x, self.y, self.w, self.h]

    @property
    def sentence(self) -> str:
        return sentence_of(self.reason)
