"""What the faces worker does with enrolment photos: judge them, and make templates of them."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from facerec.core.errors import FaceRefused
from facerec.core.quality import Use
from facerec.models import (
    Enrolment,
    EnrolmentPhoto,
    FaceTemplate,
    GalleryVersion,
    PhotoStatus,
    Subject,
)
from facerec.reasons import INTERRUPTED
from facerec.runtime import FaceRuntime
from facerec.services.admission import doubt_about, hold, stored_form
from facerec.services.crops import keep_crop
from facerec.services.enrolment import drop_if_empty
from facerec.services.photos import discard_photos, read_photo
from facerec.services.work import ready_runtime
from webapp.jobs.runner import Run, Stopped


def run_enrolment(run: Run[Enrolment]) -> None:
    """Judge the enrolment's waiting photos one by one; each photo's file goes with its verdict."""
    with ready_runtime() as here:
        for photo in run.job.photos.filter(status=PhotoStatus.WAITING):
            if (status := run.stop_requested()) is not None:
                raise Stopped(status)
            _judge(here, run.job, photo)
            run.publish()
    with transaction.atomic():
        drop_if_empty(run.job)


def _judge(here: FaceRuntime, enrolment: Enrolment, photo: EnrolmentPhoto) -> None:
    image = read_photo(photo.file)
    if image is None:
        _settle(photo, reason=INTERRUPTED)
        return
    try:
        face = here.pipeline.one_face(image, Use.ENROLMENT)
    except FaceRefused as refused:
        _settle(photo, reason=refused.reason)
        return
    with transaction.atomic():
        GalleryVersion.lock()
        subject = Subject.objects.select_for_update().filter(enrolments=enrolment).first()
        if subject is None:
            raise Stopped(None)  # deleted meanwhile, and this job's row with it
        doubt = None if enrolment.confirmed else doubt_about(here, face.encoding, subject.pk)
        stored = stored_form(here, face)
        if doubt is not None:
            hold(photo, doubt, stored)
            transaction.on_commit(lambda: discard_photos([photo.file]))
            return
        template = FaceTemplate.objects.create(subject=subject, **stored)
        keep_crop(template, face)
        if not _settle(photo, template=template):
            transaction.set_rollback(True)  # another run was quicker


def _settle(photo: EnrolmentPhoto, *, reason: str = "", template: Any = None) -> bool:
    """Write the verdict on a photo that still waits, and delete its file; False if none waits."""
    with transaction.atomic():
        verdict = PhotoStatus.ENROLLED if template else PhotoStatus.REFUSED
        waiting = EnrolmentPhoto.objects.filter(pk=photo.pk, status=PhotoStatus.WAITING)
        written = waiting.update(status=verdict, reason=reason, template=template)
        transaction.on_commit(lambda: discard_photos([photo.file]))
    return bool(written)
