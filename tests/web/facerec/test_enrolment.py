"""People are enrolled: templates are made, photos go, and nothing is left half-made."""

from __future__ import annotations

import os
import stat
import time
import uuid

import numpy as np
import pytest
from django.conf import settings
from django.utils import timezone

from facerec.core.quality import overall
from facerec.core.types import Reason
from facerec.models import Enrolment, FaceTemplate, GalleryVersion, PhotoStatus, Subject
from facerec.runtime import runtime
from facerec.services import photos
from facerec.services.enrolment import Photo, add_photos, delete_subject, enrol_subject
from facerec.services.photos import discard_leftovers, path_of
from facerec.tasks import enrol
from tests.people import ADA, BOB, blurred, group, nobody, portrait, tiny
from tests.web.facerec.conftest import enrolled, judged, take_up
from webapp.accounts.models import User
from webapp.errors import UserFacingError
from webapp.jobs.models import Request, Status
from webapp.jobs.runner import MAX_CRASHES, shutting_down


def files() -> list[str]:
    return [path.name for path in settings.ENROLMENT_DIR.iterdir()]


def test_one_photo_makes_one_template(administrator: User) -> None:
    before = timezone.now()
    enrolment = judged(take_up(administrator, [portrait(ADA)]))
    assert enrolment.status == Status.DONE
    subject = enrolment.subject
    assert before <= subject.consent_given_at <= timezone.now()
    assert subject.consent_by == administrator
    [template] = subject.templates.all()
    expected = runtime().pipeline.one_face(portrait(ADA))
    assert np.array_equal(FaceTemplate.unpack([template.encoding])[0], expected.encoding)
    assert len(template.encoding) == 512
    measured = expected.quality.as_dict() | {"overall": overall(expected.quality)}
    assert template.quality == measured
    assert template.is_current
    [photo] = enrolment.photos.all()
    assert (photo.status, photo.template) == (PhotoStatus.ENROLLED, template)
    assert files() == []


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (nobody, Reason.NO_FACE),
        (group, Reason.SEVERAL_FACES),
        (tiny, Reason.TOO_SMALL),
        (blurred, Reason.TOO_BLURRED),
    ],
)
def test_each_refusal_has_its_reason(administrator: User, make, reason: Reason) -> None:
    enrolment = judged(take_up(administrator, [make()]))
    [photo] = enrolment.photos.all()
    assert (photo.status, photo.reason) == (PhotoStatus.REFUSED, reason)
    assert photo.sentence == reason.sentence
    assert enrolment.status == Status.DONE
    assert not FaceTemplate.objects.exists()
    assert Subject.objects.exists()  # the administrator tries another photo
    assert files() == []


def test_a_provisional_subject_goes_if_no_photo_can_be_used(administrator: User) -> None:
    enrolment = judged(take_up(administrator, [nobody(), blurred()], provisional=True))
    assert not Subject.objects.exists()
    reasons = [photo.reason for photo in enrolment.photos.all()]
    assert reasons == [Reason.NO_FACE, Reason.TOO_BLURRED]


def test_a_provisional_subject_stays_if_one_photo_can(administrator: User) -> None:
    judged(take_up(administrator, [nobody(), portrait(ADA)], provisional=True))
    assert Subject.objects.get().templates.count() == 1


def test_the_state_that_watchers_get(administrator: User) -> None:
    enrolment = judged(take_up(administrator, [portrait(ADA), nobody()]))
    event = enrolment.as_event()
    assert event["status"] == "done"
    first, second = event["photos"]
    assert (first["name"], first["status"], first["reason"]) == ("0.jpg", "enrolled", None)
    assert (second["status"], second["reason"]) == ("refused", "no_face")
    assert second["sentence"] == Reason.NO_FACE.sentence


def test_photos_wait_for_this_user_alone(administrator: User) -> None:
    enrolment = take_up(administrator, [portrait(ADA)])
    [path] = settings.ENROLMENT_DIR.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.ENROLMENT_DIR.stat().st_mode) == 0o700
    judged(enrolment)


def test_further_photos_add_templates(administrator: User) -> None:
    subject = enrolled(administrator)
    judged(add_photos(subject=subject, photos=[Photo("b", portrait(ADA, 1))], by=administrator))
    assert subject.templates.count() == 2


class TestRefusedAtOnce:
    def attempt(self, by: User, **changes) -> UserFacingError:
        asked = {"name": "Ada", "external_id": "ada", "consent": True} | changes
        subject = Subject(name=asked["name"], external_id=asked["external_id"])
        with pytest.raises(UserFacingError) as refused:
            enrol_subject(
                subject=subject,
                consent=asked["consent"],
                photos=[Photo("a", portrait(ADA))],
                by=by,
            )
        assert not Enrolment.objects.exists()
        assert files() == []
        return refused.value

    def test_without_consent(self, administrator: User) -> None:
        assert self.attempt(administrator, consent=False).code == "consent_missing"
        assert not Subject.objects.exists()

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"name": ""}, "name"),
            ({"name": "x" * 121}, "name"),
            ({"external_id": ""}, "external_id"),
            ({"external_id": "a/b"}, "external_id"),
            ({"external_id": "a b"}, "external_id"),
            ({"external_id": "a\n"}, "external_id"),
        ],
    )
    def test_with_what_cannot_be_a_person(self, administrator: User, change, field) -> None:
        error = self.attempt(administrator, **change)
        assert (error.code, error.field, error.status) == ("subject_invalid", field, 422)

    def test_with_an_external_id_that_is_taken(self, administrator: User) -> None:
        now = timezone.now()
        Subject.objects.create(name="Other", external_id="ada", consent_given_at=now)
        assert self.attempt(administrator).status == 409


class TestPhotosGo:
    def test_when_the_job_is_cancelled(self, administrator: User) -> None:
        enrolment = take_up(administrator, [portrait(ADA)])
        Enrolment.objects.update(requested=Request.CANCEL, status=Status.CANCELLED)
        discard_leftovers()
        assert files() == []
        [photo] = enrolment.photos.all()
        assert (photo.status, photo.reason) == (PhotoStatus.REFUSED, "interrupted")
        assert "Send it again" in photo.sentence

    def test_when_the_job_is_given_up(self, administrator: User) -> None:
        enrolment = take_up(administrator, [portrait(ADA)])
        Enrolment.objects.update(status=Status.RUNNING, crashes=MAX_CRASHES)
        assert judged(enrolment).status == Status.FAILED
        assert files() == []

    def test_when_it_errs(self, administrator: User, monkeypatch) -> None:
        enrolment = take_up(administrator, [portrait(ADA)])
        monkeypatch.setattr(photos, "from_lossless", lambda data: 1 / 0)
        assert judged(enrolment).status == Status.FAILED
        assert enrolment.error["code"] == "internal_error"
        assert "division" not in str(enrolment.error)
        assert files() == []

    def test_when_the_subject_is_deleted(self, administrator: User) -> None:
        enrolment = take_up(administrator, [portrait(ADA)])
        assert len(files()) == 1
        delete_subject(subject=enrolment.subject)
        assert files() == []
        enrol(str(enrolment.pk))  # its message comes late: nothing happens

    def test_when_the_administrator_is_deleted(self, administrator: User) -> None:
        take_up(administrator, [portrait(ADA)])
        administrator.delete()
        assert files() == []

    def test_when_no_row_knows_them(self, administrator: User) -> None:
        orphan = path_of(uuid.uuid4())
        orphan.write_bytes(b"P6 1 1 255 abc")
        discard_leftovers()
        assert orphan.exists()  # its row may be about to be committed
        long_ago = time.time() - photos.ROWLESS_LIFE - 1
        os.utime(orphan, (long_ago, long_ago))
        discard_leftovers()
        assert not orphan.exists()

    def test_but_not_while_they_wait(self, administrator: User) -> None:
        enrolment = take_up(administrator, [portrait(ADA)])
        discard_leftovers()
        assert len(files()) == 1
        judged(enrolment)

    def test_nor_when_the_worker_leaves(self, administrator: User) -> None:
        """SIGTERM: the job goes back to the queue with its photos, and the next worker goes on."""
        enrolment = take_up(administrator, [portrait(ADA)])
        shutting_down.set()
        try:
            enrol(str(enrolment.pk))
            enrolment.refresh_from_db()
            assert enrolment.status == Status.QUEUED
        finally:
            shutting_down.clear()
        assert len(files()) == 1
        assert judged(enrolment).subject.templates.count() == 1

    def test_a_judged_photo_is_not_judged_again(self, administrator: User) -> None:
        """The worker was killed after the first of two photos."""
        enrolment = judged(take_up(administrator, [portrait(ADA)]))
        Enrolment.objects.update(status=Status.RUNNING)
        assert judged(enrolment).status == Status.DONE
        assert FaceTemplate.objects.count() == 1


def in_gallery() -> list[int]:
    return sorted(runtime().gallery().templates.subjects.tolist())


class TestGalleryVersion:
    def test_every_change_is_seen_by_the_next_question(self, administrator: User) -> None:
        assert len(runtime().gallery()) == 0
        ada = enrolled(administrator)
        first = runtime().gallery()
        assert in_gallery() == [ada.pk]
        assert runtime().gallery() is first  # nothing changed, nothing is read
        bob = enrolled(administrator, BOB, who="Bob Example")
        assert in_gallery() == [ada.pk, bob.pk]
        ada.templates.get().delete()
        assert in_gallery() == [bob.pk]
        delete_subject(subject=bob)
        assert len(runtime().gallery()) == 0

    def test_it_never_returns_to_a_former_value(self, administrator: User) -> None:
        seen = set()
        for _ in range(3):
            enrolled(administrator)
            seen.add(GalleryVersion.current())
            Subject.objects.get().delete()
            seen.add(GalleryVersion.current())
        assert len(seen) == 6

    def test_templates_of_other_versions_are_left_out(self, administrator: User) -> None:
        enrolled(administrator)
        FaceTemplate.objects.update(encoder_version="of yesterday")
        GalleryVersion.change()
        assert len(runtime().gallery()) == 0
