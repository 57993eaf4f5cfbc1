"""What people said of answers that were wrong."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Correction(models.Model):
    """“Not this person” or “this is NAME”, in quarantine until an administrator judged it."""

    class Kind(models.TextChoices):
        NOT_THIS_PERSON = "not_this_person", "not this person"
        THIS_IS = "this_is", "this is"

    class State(models.TextChoices):
        QUARANTINED = "quarantined"
        ACCEPTED = "accepted"
        DISMISSED = "dismissed"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUARANTINED)
    attempt = models.ForeignKey(
        "facerec.Attempt", on_delete=models.SET_NULL, null=True, related_name="corrections"
    )
    face = models.PositiveSmallIntegerField(null=True)  # AttemptFace.position
    subject = models.ForeignKey(
        "facerec.Subject", on_delete=models.CASCADE, related_name="corrections"
    )
    encoding = models.BinaryField(null=True)  # the probe's, as FaceTemplate has it
    encoder_version = models.CharField(max_length=40, blank=True, default="")
    aligner_version = models.CharField(max_length=40, blank=True, default="")
    quality = models.JSONField(default=dict)
    template = models.OneToOneField(  # that was made of it, once accepted
        "facerec.FaceTemplate", on_delete=models.SET_NULL, null=True, related_name="correction"
    )
    said_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created = models.DateTimeField(auto_now_add=True)
    judged = models.DateTimeField(null=True)
    judged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.subject}"
