"""What a worker (or the command) does with many people at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from facerec.core.labelled import EncodedPhoto, Picture, Refusal, encode_set
from facerec.core.quality import Use
from facerec.models import (
    BulkEnrolment,
    BulkPhoto,
    BulkStatus,
    Enrolment,
    EnrolmentPhoto,
    Existing,
    FaceTemplate,
    GalleryVersion,
    PhotoStatus,
    Subject,
)
from facerec.photosets import LabelledPhoto, PhotoSet, pictures
from facerec.runtime import FaceRuntime
from facerec.services.admission import distances_to, doubt_about, hold, stored_form
from facerec.services.archives import photos_of
from facerec.services.bulk import Person, people_of
from facerec.services.crops import keep_crop
from facerec.services.work import ready_runtime
from webapp.jobs.models import Status
from webapp.jobs.runner import Run, Stopped

TELL_EVERY = 0.4  # seconds between looks that watchers get
ASKED_AT_ONCE = 500  # external ids in one query
SAME_PHOTO = 1e-6  # squared L2: two encodings of one chip differ by rounding alone
LEFT_AS_IS = Refusal("already_enrolled", "This person is enrolled already and was left as is.")
SAME = Refusal("same_photo", "This very photo is enrolled already.")


def run_bulk(run: Run[BulkEnrolment], tell: Callable[[], None] = lambda: None) -> None:
    """Enrol the photos that no former run looked at, in their order.

    tell: called after every photo, once the row has its progress.

    Raises:
        UserFacingError: the photos are gone, or the models do not work.
        Stopped: paused, cancelled, or this worker leaves.
    """
    job = run.job
    with ready_runtime() as here, photos_of(job) as photoset:
        people = people_of(photoset)
        clerk = Clerk(run, here, people)
        rest = list(_after(photoset, job.last))
        seen = encode_set(
            here.pipeline,
            _pictures(rest, clerk.left_as_is()),
            use=Use.ENROLMENT,
            threads=here.threads,
        )
        told = 0.0
        for photo, encoded in zip(rest, seen, strict=True):
            if (status := run.stop_requested()) is not None:
                raise Stopped(status)
            clerk.take(photo, encoded)
            tell()
            if time.monotonic() - told >= TELL_EVERY:
                told = time.monotonic()
                run.publish()


def _after(photoset: PhotoSet, last: str) -> Iterator[LabelledPhoto]:
    """The photos behind the one at this path, whether that is still there or not."""
    key = photoset.place_of(last) if last else ("", "")
    return (photo for photo in photoset.photos() if (photo.person, photo.path) > key)


def _pictures(photos: Iterable[LabelledPhoto], left: set[str]) -> Iterator[Picture]:
    for photo in photos:
        if photo.person in left:
            yield Picture(photo.person, photo.name, LEFT_AS_IS)
        else:
            yield from pictures([photo])


@dataclass(frozen=True)
class Verdict:
    """What came of one photo, and of whom."""

    status: BulkStatus
    subject: Subject | None
    code: str = ""
    sentence: str = ""
    photo: EnrolmentPhoto | None = None


class Clerk:
    """Takes photos in, one transaction each: the line of the report, the template and the place
    where a later run goes on come together or not at all."""

    def __init__(
        self, run: Run[BulkEnrolment], here: FaceRuntime, people: dict[str, Person]
    ) -> None:
        self._run, self._here, self._people = run, here, people
        self._began, self._before = time.monotonic(), run.job.seconds

    def left_as_is(self) -> set[str]:
        """Folders of people who were enrolled before this run, where such are to be skipped."""
        if self._run.job.existing != Existing.SKIP:
            return set()
        ours = self._run.job.photos.exclude(subject=None).values("subject")
        before = Subject.objects.exclude(pk__in=ours)
        folder_of = {person.external_id: folder for folder, person in self._people.items()}
        ids, left = list(folder_of), set()
        for start in range(0, len(ids), ASKED_AT_ONCE):
            known = before.filter(external_id__in=ids[start:][:ASKED_AT_ONCE])
            left |= {
                folder_of[known_id] for known_id in known.values_list("external_id", flat=True)
            }
        return left

    @transaction.atomic
    def take(self, photo: LabelledPhoto, encoded: EncodedPhoto) -> None:
        """Raises Stopped if another run has taken over; then nothing of this photo is written."""
        job = self._run.job
        self._run.progressed(
            done=job.done + 1,
            last=photo.path,
            seconds=self._before + time.monotonic() - self._began,
        )
        verdict = self._judge(photo, encoded)
        BulkPhoto.objects.create(
            job=job,
            path=photo.path,
            person=photo.person,
            status=verdict.status,
            code=verdict.code,
            sentence=verdict.sentence,
            subject=verdict.subject,
            photo=verdict.photo,
        )

    def _judge(self, photo: LabelledPhoto, encoded: EncodedPhoto) -> Verdict:
        person = self._people[photo.person]
        GalleryVersion.lock()
        subject = Subject.objects.select_for_update().filter(external_id=person.external_id).first()
        refusal = encoded.refusal
        if refusal is not None:
            skipped = refusal is LEFT_AS_IS
            status = BulkStatus.SKIPPED if skipped else BulkStatus.REFUSED
            return Verdict(status, subject, refusal.code, refusal.sentence)
        if subject is None:
            subject = self._new_subject(person)
        face = encoded.face
        if min(distances_to(subject.pk, face.encoding), default=1.0) < SAME_PHOTO:
            return Verdict(BulkStatus.SKIPPED, subject, SAME.code, SAME.sentence)
        doubt = doubt_about(self._here, face.encoding, subject.pk)
        stored = stored_form(self._here, face)
        enrolment = self._enrolment(subject)
        row = EnrolmentPhoto.objects.create(
            enrolment=enrolment, position=enrolment.photos.count(), name=photo.name[:100]
        )
        if doubt is not None:
            hold(row, doubt, stored)
            row.refresh_from_db()
            return Verdict(BulkStatus.CONFIRM, subject, row.reason, row.sentence, row)
        row.template = FaceTemplate.objects.create(subject=subject, **stored)
        keep_crop(row.template, face)
        row.status = PhotoStatus.ENROLLED
        row.save(update_fields=["template", "status"])
        return Verdict(BulkStatus.ENROLLED, subject, photo=row)

    def _new_subject(self, person: Person) -> Subject:
        job = self._run.job
        subject = Subject.objects.create(
            name=person.name,
            external_id=person.external_id,
            consent_given_at=job.created,
            consent_by=job.owner,
        )
        # Refused photos of theirs are theirs, too: the lines go with the person.
        job.photos.filter(person=person.folder).update(subject=subject)
        return subject

    def _enrolment(self, subject: Subject) -> Enrolment:
        """This run's enrolment of a person: what their page in the admin panel shows. They go
        again if it stays without a template."""
        job = self._run.job
        found = Enrolment.objects.filter(photos__bulk__job=job, subject=subject).first()
        if found is not None:
            return found
        now = timezone.now()
        new = not subject.templates.exists() and not subject.enrolments.exists()
        return Enrolment.objects.create(
            owner=job.owner,
            subject=subject,
            provisional=new,
            status=Status.DONE,
            started=now,
            finished=now,
        )
