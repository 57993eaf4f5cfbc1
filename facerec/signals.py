"""What must happen with a row whichever way it goes: by a service, by a cascade, by the admin."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_delete
from django.dispatch import receiver

from facerec.models import (
    BulkPhoto,
    BulkStatus,
    EnrolmentPhoto,
    FaceTemplate,
    GalleryVersion,
    PhotoStatus,
    Subject,
)
from facerec.services.photos import discard_photos

DISCARDED = "An administrator looked at this photo and left it out."


@receiver([post_save, post_delete], sender=FaceTemplate)
def gallery_changed(instance: FaceTemplate, **_: Any) -> None:
    """In the same transaction, so that no worker sees the one without the other."""
    GalleryVersion.record([instance.pk])


@receiver(pre_delete, sender=FaceTemplate)
def gallery_will_change(**_: Any) -> None:
    """Before any row is locked that an enrolment may be waiting for."""
    GalleryVersion.lock()


@receiver(post_delete, sender=EnrolmentPhoto)
def photo_gone(instance: EnrolmentPhoto, **_: Any) -> None:
    file = instance.file
    transaction.on_commit(lambda: discard_photos([file]))


@receiver(post_save, sender=EnrolmentPhoto)
def photo_settled(instance: EnrolmentPhoto, **_: Any) -> None:
    """A line of a bulk enrolment's report follows what a person said about its photo."""
    if instance.status == PhotoStatus.ENROLLED and instance.template is not None:
        told = {"status": BulkStatus.ENROLLED, "subject": instance.template.subject_id}
    elif instance.status == PhotoStatus.DISCARDED:
        told = {"status": BulkStatus.REFUSED, "code": "discarded", "sentence": DISCARDED}
    else:
        return
    BulkPhoto.objects.filter(photo=instance, status=BulkStatus.CONFIRM).update(**told)


@receiver(post_delete, sender=Subject)
def name_gone(instance: Subject, **_: Any) -> None:
    """The admin's own history names whom it was about; its lines stay without the name."""
    kind = ContentType.objects.get_for_model(Subject)
    lines = LogEntry.objects.filter(content_type=kind, object_id=str(instance.pk))
    lines.update(object_repr="a deleted person", change_message="")
