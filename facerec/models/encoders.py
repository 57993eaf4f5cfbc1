"""Encoders that were trained here, and what lets their templates be made anew."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce

from facerec.core.versions import BACKBONE_VERSION
from facerec.models.policy import FacePolicy
from webapp.accounts.models import Scope
from webapp.accounts.roles import Role, has_role
from webapp.jobs.models import Job


def backbone_in_use() -> Coalesce:
    """An expression for what `FaceTemplate.encoder_version` must be: the database looks it up with
    the templates, so that no promotion comes between."""
    chosen = FacePolicy.objects.filter(pk=1).values("encoder__backbone")[:1]
    return Coalesce(
        models.Subquery(chosen), models.Value(BACKBONE_VERSION), output_field=models.CharField()
    )


class EncoderVersion(models.Model):
    """An encoder: a backbone, and an adapter over its 128 numbers. The shipped one has no row."""

    name = models.CharField(max_length=80, unique=True)
    backbone = models.CharField(max_length=40)  # what FaceTemplate.encoder_version must be
    aligner = models.CharField(max_length=40)
    # Files of settings.ENCODERS_DIR: the adapter, and the net where the backbone was fine-tuned.
    weights = models.CharField(max_length=200, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    net = models.CharField(max_length=200, blank=True)
    net_sha256 = models.CharField(max_length=64, blank=True)
    heads = models.JSONField(default=dict)  # rule: {weights, sha256}
    decision_rule = models.CharField(max_length=20, default="distance")
    comparison = models.JSONField(default=dict)  # with the encoder before it, on held-out people
    parent = models.CharField(max_length=80, blank=True, default="")  # what it was compared with
    run = models.ForeignKey(
        "facerec.TrainingRun", on_delete=models.SET_NULL, null=True, related_name="encoders"
    )
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return self.name


class Promotion(models.Model):
    """When which encoder was put in use, by whom: the history that a rollback goes back in."""

    encoder = models.ForeignKey(  # null: the shipped one
        EncoderVersion, on_delete=models.PROTECT, null=True, related_name="promotions"
    )
    decision_rule = models.CharField(max_length=20, default="distance")
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.encoder or 'the shipped encoder'} ({self.decision_rule})"


class KeptCrop(models.Model):
    """An aligned face, encrypted, from which a later encoder can make its template. Kept only
    where an administrator chose so."""

    template = models.OneToOneField(
        "facerec.FaceTemplate", on_delete=models.CASCADE, related_name="crop"
    )
    sealed = models.BinaryField()

    def __str__(self) -> str:
        return f"crop of {self.template}"


class Reencoding(Job):
    """Templates of an encoder's backbone made from the crops that were kept; an encoder that waits
    for them is put in use at the end."""

    task: ClassVar[str] = "facerec.tasks.reencode"
    scope: ClassVar[Scope] = Scope.SUBJECTS
    queue: ClassVar[str] = "long"

    encoder = models.ForeignKey(  # null: the shipped one
        EncoderVersion, on_delete=models.CASCADE, null=True, related_name="reencodings"
    )
    promote = models.BooleanField(default=False)
    done = models.PositiveIntegerField(default=0)  # crops
    total = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"templates for {self.encoder or 'the shipped encoder'}"

    def visible_to(self, user: Any) -> bool:
        return has_role(user, Role.ADMINISTRATOR)

    def as_event(self) -> dict[str, Any]:
        return {**super().as_event(), "done": self.done, "total": self.total}
