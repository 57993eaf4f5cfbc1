"""Who is enrolled, by which templates.

No photo has a row or a column here: a waiting enrolment photo is a file that is deleted as soon as
it was judged, and a probe lives in Redis for a minute at most (`facerec.services.photos`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models, transaction

from facerec.core.types import ENCODING_SIZE, Encoding
from facerec.core.versions import ALIGNER_VERSION
from facerec.models.encoders import backbone_in_use
from facerec.models.gallery import GalleryVersion
from facerec.reasons import DUPLICATE, sentence_of
from webapp.accounts.models import Scope
from webapp.accounts.roles import Role, has_role
from webapp.jobs.models import Job

external_id_validator = RegexValidator(
    r"^[\w.@+:-]+\Z",
    "An external id has letters, digits and . _ - @ + : only, and no spaces.",
    code="external_id_invalid",
)


class People(models.QuerySet["Subject"]):
    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            GalleryVersion.lock()
            return super().delete()


class Subject(models.Model):
    """A person who consented to be recognised."""

    name = models.CharField(max_length=120)
    external_id = models.CharField(
        "external id",
        max_length=80,
        unique=True,
        validators=[external_id_validator],
        help_text="What your other systems call this person: a staff number, an e-mail address.",
        error_messages={"unique": "Somebody with this external id is enrolled already."},
    )
    consent_given_at = models.DateTimeField("consent given", editable=False)
    consent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name="consent recorded by",
    )
    created = models.DateTimeField("enrolled", auto_now_add=True)

    objects = People.as_manager()

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
        ordering = ["name", "external_id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.external_id})"

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():  # nobody enrols this person between the look for what there is
            GalleryVersion.lock()  # of theirs and its deletion
            return super().delete(*args, **options)


class Templates(models.QuerySet["FaceTemplate"]):
    """Records in the gallery's log what goes past the signals (see `facerec.signals`)."""

    def bulk_create(self, objs: Any, *args: Any, **options: Any) -> list[FaceTemplate]:
        with transaction.atomic():
            made = super().bulk_create(objs, *args, **options)
            GalleryVersion.record(template.pk for template in made)
        return made

    def update(self, **fields: Any) -> int:
        with transaction.atomic():
            GalleryVersion.lock()
            touched = list(self.order_by().values_list("pk", flat=True))
            count = super().update(**fields)
            GalleryVersion.record(touched)
        return count


class CurrentTemplates(models.Manager["FaceTemplate"]):
    """Templates that the backbone in use and today's aligner made: only these are comparable."""

    def get_queryset(self) -> Templates:
        made_by = {"encoder_version": backbone_in_use(), "aligner_version": ALIGNER_VERSION}
        return Templates(self.model, using=self._db).filter(**made_by)


class FaceTemplate(models.Model):
    """One encoding f(x) of a subject's face, and what made it."""

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="templates")
    encoding = models.BinaryField(max_length=4 * ENCODING_SIZE)  # float32, little-endian
    encoder_version = models.CharField("encoder", max_length=40)  # the backbone's: no adapter's
    aligner_version = models.CharField("aligner", max_length=40)
    quality = models.JSONField(default=dict)
    created = models.DateTimeField(auto_now_add=True)

    objects = Templates.as_manager()
    current = CurrentTemplates()

    class Meta:
        ordering = ["created", "id"]
        indexes = [models.Index(fields=["encoder_version", "aligner_version"])]

    def __str__(self) -> str:
        return f"template {self.pk}"

    def save(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():  # the row and its line in the gallery's log, or neither
            super().save(*args, **options)

    @property
    def is_current(self) -> bool:
        return FaceTemplate.current.filter(pk=self.pk).exists()

    @staticmethod
    def pack(encoding: Encoding) -> bytes:
        """The 512 bytes of an encoding, float32 (128,)."""
        if encoding.shape != (ENCODING_SIZE,):
            raise ValueError(f"an encoding is ({ENCODING_SIZE},), not {encoding.shape}")
        return encoding.astype("<f4").tobytes()

    @staticmethod
    def unpack(encodings: Iterable[bytes | memoryview]) -> Encoding:
        """Stored encodings as one matrix, float32 (K, 128)."""
        matrix = np.frombuffer(b"".join(bytes(e) for e in encodings), dtype="<f4")
        return matrix.astype(np.float32).reshape(-1, ENCODING_SIZE)


class Enrolment(Job):
    """Templates to be made from one or several photos of a subject.

    `provisional`: the subject came with it, and goes again if no photo of it can be used.
    `confirmed`: probable duplicates and outliers are known to whoever sent it, and taken in.
    """

    task: ClassVar[str] = "facerec.tasks.enrol"
    scope: ClassVar[Scope] = Scope.SUBJECTS
    queue: ClassVar[str] = "faces"

    subject = models.ForeignKey(
        Subject, on_delete=models.CASCADE, null=True, related_name="enrolments"
    )
    provisional = models.BooleanField(default=False, editable=False)
    confirmed = models.BooleanField(default=False, editable=False)

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"enrolment of {self.created:%d %b %Y %H:%M}"

    def visible_to(self, user: Any) -> bool:
        return has_role(user, Role.ADMINISTRATOR)

    def as_event(self) -> dict[str, Any]:
        photos = [photo.as_dict() for photo in self.photos.all()]
        return {**super().as_event(), "photos": photos}


class PhotoStatus(models.TextChoices):
    WAITING = "waiting"
    ENROLLED = "enrolled"
    REFUSED = "refused"
    CONFIRM = "confirm", "to be confirmed"
    DISCARDED = "discarded"


class EnrolmentPhoto(models.Model):
    """One photo of an enrolment: how it fared. Its file is there only while it waits.

    A face that may be somebody else's waits for a person's word: then its encoding is kept here,
    outside the gallery, until that is said.
    """

    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="photos")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=100)  # as the browser called it, to tell several apart
    file = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    status = models.CharField(
        max_length=10, choices=PhotoStatus.choices, default=PhotoStatus.WAITING
    )
    reason = models.CharField(max_length=20, blank=True, default="")
    template = models.OneToOneField(
        FaceTemplate, on_delete=models.SET_NULL, null=True, related_name="photo"
    )
    quality = models.JSONField(default=dict)
    # Whose template is nearest (duplicate: another person's), how far, and what was near enough.
    looks_like = models.ForeignKey(Subject, on_delete=models.SET_NULL, null=True, related_name="+")
    distance = models.FloatField(null=True)  # squared L2
    threshold = models.FloatField(null=True)
    # As FaceTemplate has them, while the photo is to be confirmed; null before and after.
    encoding = models.BinaryField(max_length=4 * ENCODING_SIZE, null=True)
    encoder_version = models.CharField(max_length=40, blank=True, default="")
    aligner_version = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.name

    @property
    def sentence(self) -> str:
        """Why it was refused or is to be confirmed; empty where it was enrolled."""
        if self.reason == DUPLICATE and self.looks_like is not None:
            return f"This face looks like {self.looks_like}, who is already enrolled."
        return sentence_of(self.reason)

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.pk,
            "name": self.name,
            "status": self.status,
            "reason": self.reason or None,
            "sentence": self.sentence,
        }
