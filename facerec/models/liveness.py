"""Sessions in which a person shows that they are there."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from facerec.core.liveness.challenge import Challenge


class LivenessState(models.TextChoices):
    WAITING = "waiting", "not begun"
    RUNNING = "running", "running"
    PASSED = "passed", "passed"
    FAILED = "failed", "failed"
    INCONCLUSIVE = "inconclusive", "inconclusive"
    ABANDONED = "abandoned", "broken off"


class Purpose(models.TextChoices):
    VERIFICATION = "verification", "verification (1:1)"
    IDENTIFICATION = "identification", "identification (1:N)"
    TRIAL = "trial", "trial"
    RECORDING = "recording", "recording for the bench"


class LivenessSession(models.Model):
    """One challenge, and afterwards its line in the audit log. No picture has a column here: the
    frames live in Redis until the verdict, the one that may be compared for two minutes more."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    operator = models.CharField(max_length=150)  # the owner's name at that time
    api_key = models.ForeignKey(
        "accounts.ApiKey",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="API key",
    )
    purpose = models.CharField(max_length=15, choices=Purpose.choices)
    # Of the secret that only the client which opened the session has.
    nonce_sha256 = models.CharField(max_length=64)
    challenge = models.JSONField()
    state = models.CharField(
        max_length=15, choices=LivenessState.choices, default=LivenessState.WAITING
    )
    created = models.DateTimeField(db_default=Now())
    expires = models.DateTimeField()
    begun = models.DateTimeField(null=True)  # when the first movement was told
    finished = models.DateTimeField(null=True)
    resumes = models.PositiveSmallIntegerField(default=0)
    frames = models.PositiveIntegerField(default=0)
    grounds = models.JSONField(default=list)  # of `Ground`
    scores = models.JSONField(default=dict)  # what was measured, against which limits
    judge_version = models.CharField("judged by", max_length=40, blank=True, default="")

    class Meta:
        verbose_name = "live check"
        ordering = ["-created"]
        indexes = [models.Index(fields=["owner", "-created"])]

    def __str__(self) -> str:
        return f"live check of {self.created:%d %b %Y %H:%M:%S}"

    @property
    def asked(self) -> Challenge:
        return Challenge.from_json(self.challenge)

    @property
    def is_final(self) -> bool:
        return self.state not in (LivenessState.WAITING, LivenessState.RUNNING)

    def as_dict(self) -> dict[str, Any]:
        """What its owner is told: whether it passed, never why."""
        return {"id": str(self.id), "state": self.state}

    def visible_to(self, user: Any) -> bool:
        """Its owner alone."""
        return bool(user.is_authenticated and self.owner == user)
