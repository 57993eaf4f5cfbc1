"""Encoders that were trained here, and what lets their templates be made anew."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class EncoderVersion(models.Model):
    """An encoder: a backbone, and an adapter over its 128 numbers. The shipped one has no row."""

    name = models.CharField(max_length=80, unique=True)
    backbone = models.CharField(max_length=40)  # what FaceTemplate.encoder_version must be
    aligner = models.CharField(max_length=40)
    weights = models.CharField(max_length=200, blank=True)  # a file of settings.ENCODERS_DIR
    sha256 = models.CharField(max_length=64, blank=True)
    decision_rule = models.CharField(max_length=20, default="distance")
    comparison = models.JSONField(default=dict)  # with the encoder before it, on held-out people
    run = models.ForeignKey(
        "facerec.TrainingRun", on_delete=models.SET_NULL, null=True, related_name="encoders"
    )
    created = models.DateTimeField(auto_now_add=True)
    promoted = models.DateTimeField(null=True)
    promoted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return self.name


class KeptCrop(models.Model):
    """An aligned face, encrypted, from which a later encoder can make its template. Kept only
    where an administrator chose so."""

    template = models.OneToOneField(
        "facerec.FaceTemplate", on_delete=models.CASCADE, related_name="crop"
    )
    sealed = models.BinaryField()

    def __str__(self) -> str:
        return f"crop of {self.template}"
