"""Many people at once: who they are, what comes of each photo, and that nothing is done twice."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from PIL import Image

from facerec.models import (
    BulkEnrolment,
    BulkPhoto,
    Enrolment,
    Existing,
    FaceTemplate,
    Subject,
)
from facerec.services import work_bulk
from facerec.services.bulk import ask_bulk, delete_bulk, report_rows, start_bulk
from facerec.services.enrolment import (
    CONFIRM_LIFE,
    Answer,
    delete_subject,
    discard_unconfirmed,
    settle_photo,
)
from facerec.tasks import enrol_many
from tests.people import ADA, BOB, as_jpeg, blurred, nobody, portrait
from tests.web.facerec.conftest import enrolled
from webapp import archives
from webapp.accounts.models import User
from webapp.errors import UserFacingError
from webapp.jobs.dispatch import resume
from webapp.jobs.models import Request, Status
from webapp.jobs.runner import shutting_down

pytestmark = pytest.mark.redis
Files = dict[str, Image.Image | bytes]
CAROL = 2


@pytest.fixture(autouse=True)
def _archives_go(house: None) -> None:
    for path in settings.STAGING_DIR.iterdir():
        path.unlink()


def packed(files: Files) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, content in files.items():
            target.writestr(name, content if isinstance(content, bytes) else as_jpeg(content))
    return buffer.getvalue()


def sent(files: Files, by: User, **options: object) -> BulkEnrolment:
    """A run that nobody has begun."""
    archive, _ = archives.receipt_for(by=by)
    archives.path_of(archive).write_bytes(packed(files))
    told = {"source": "team.zip", "existing": Existing.ADD, "consent": True, **options}
    return start_bulk(archive=archive, by=by, **told)


def done(job: BulkEnrolment) -> BulkEnrolment:
    enrol_many(str(job.pk))
    job.refresh_from_db()
    return job


def staged() -> list[Path]:
    return list(settings.STAGING_DIR.iterdir())


def lines(job: BulkEnrolment) -> dict[str, tuple[str, str]]:
    return {line.path: (line.status, line.code) for line in job.photos.all()}


def refusal(files: Files, by: User, **options: object) -> UserFacingError:
    with pytest.raises(UserFacingError) as caught:
        sent(files, by, **options)
    assert staged() == [] or caught.value.code == "consent_missing"
    assert not BulkEnrolment.objects.exists()
    return caught.value


TEAM: Files = {
    "Ada_Example/1.jpg": portrait(ADA),
    "Ada_Example/2.jpg": portrait(ADA, 1),
    "Ada_Example/3.jpg": blurred(),
    "Bob Example/1.jpg": portrait(BOB),
    "Nobody/1.jpg": nobody(),
    "Nobody/2.jpg": b"no picture",
}


def test_everybody_with_a_usable_photo_is_enrolled(administrator: User) -> None:
    job = done(sent(TEAM, administrator))
    assert (job.status, job.done, job.total, job.people) == (Status.DONE, 6, 6, 3)
    assert lines(job) == {
        "Ada_Example/1.jpg": ("enrolled", ""),
        "Ada_Example/2.jpg": ("enrolled", ""),
        "Ada_Example/3.jpg": ("refused", "too_blurred"),
        "Bob Example/1.jpg": ("enrolled", ""),
        "Nobody/1.jpg": ("refused", "no_face"),
        "Nobody/2.jpg": ("refused", "not_an_image"),
    }
    assert job.counts() == {"enrolled": 3, "refused": 3, "confirm": 0, "skipped": 0}
    people = {s.external_id: (s.name, s.templates.count()) for s in Subject.objects.all()}
    assert people == {"Ada_Example": ("Ada Example", 2), "Bob-Example": ("Bob Example", 1)}
    assert job.rate > 0
    assert staged() == []


def test_the_consent_is_recorded_with_who_and_when(administrator: User) -> None:
    job = done(sent({"Ada/1.jpg": portrait(ADA)}, administrator))
    ada = Subject.objects.get()
    assert (ada.consent_given_at, ada.consent_by) == (job.created, administrator)


def test_nobody_without_consent(administrator: User) -> None:
    error = refusal(TEAM, administrator, consent=False)
    assert (error.code, error.field) == ("consent_missing", "consent")


def test_names_and_ids_from_the_label_file(administrator: User) -> None:
    files = {"a/1.jpg": portrait(ADA), "b/1.jpg": portrait(BOB)}
    files["people.csv"] = b"folder,name,external id\na,Ada Example,E-1\n"
    done(sent(files, administrator))
    people = set(Subject.objects.values_list("name", "external_id"))
    assert people == {("Ada Example", "E-1"), ("b", "b")}


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"Ada Example/1.jpg": b"", "Ada-Example/1.jpg": b""}, "external_ids_collide"),
        ({"x" * 121 + "/1.jpg": b""}, "person_invalid"),
        ({"Ada/1.jpg": b"", "labels.csv": b"person,external_id\nAda,a b\n"}, "person_invalid"),
        ({"---/1.jpg": b""}, "person_invalid"),
        ({"Ada/" + "x" * 1000 + ".jpg": b""}, "path_too_long"),
        ({"1.jpg": b""}, "photos_not_in_folders"),
    ],
)
def test_an_archive_that_would_mix_people_up_is_refused_at_once(
    administrator: User, files: Files, code: str
) -> None:
    error = refusal(files, administrator)
    assert (error.code, error.field) == (code, "archive")


class TestWhoIsEnrolledAlready:
    def test_gets_the_new_photos(self, administrator: User) -> None:
        ada = enrolled(administrator)
        job = done(sent({"ada/1.jpg": portrait(ADA, 1)}, administrator))
        assert ada.templates.count() == 2
        assert job.counts()["enrolled"] == 1
        assert Subject.objects.get().name == "Ada Example"

    def test_or_is_left_as_they_are(self, administrator: User) -> None:
        ada = enrolled(administrator)
        files = {"ada/1.jpg": portrait(ADA, 1), "bob/1.jpg": portrait(BOB)}
        job = done(sent(files, administrator, existing=Existing.SKIP))
        assert ada.templates.count() == 1
        assert lines(job)["ada/1.jpg"] == ("skipped", "already_enrolled")
        assert lines(job)["bob/1.jpg"] == ("enrolled", "")

    def test_does_not_get_the_same_photo_twice(self, administrator: User) -> None:
        files = {"ada/1.jpg": portrait(ADA), "ada/copy.jpg": portrait(ADA)}
        first = done(sent(files, administrator))
        assert lines(first)["ada/copy.jpg"] == ("skipped", "same_photo")
        again = done(sent(files, administrator))
        assert again.counts()["skipped"] == 2
        assert FaceTemplate.objects.count() == 1


class TestDoubts:
    def test_a_probable_duplicate_waits_for_a_word(self, administrator: User) -> None:
        ada = enrolled(administrator)
        files = {"eve/1.jpg": portrait(ADA, 1), "eve/2.jpg": portrait(ADA, 2)}
        job = done(sent(files, administrator))
        assert job.counts()["confirm"] == 2
        line = job.photos.first()
        assert "looks like Ada Example (ada)" in line.sentence
        assert FaceTemplate.objects.count() == 1
        eve = Subject.objects.get(external_id="eve")
        one, two = job.photos.all()
        settle_photo(photo=one.photo, answer=Answer.ENROL, by=administrator)
        settle_photo(photo=two.photo, answer=Answer.ADD_TO_OTHER, by=administrator)
        assert (eve.templates.count(), ada.templates.count()) == (1, 2)
        assert job.counts() == {"enrolled": 2, "refused": 0, "confirm": 0, "skipped": 0}
        delete_subject(subject=ada)
        assert [line.subject for line in job.photos.all()] == [eve]

    def test_who_was_discarded_wholly_is_gone(self, administrator: User) -> None:
        enrolled(administrator)
        job = done(sent({"eve/1.jpg": portrait(ADA, 1)}, administrator))
        settle_photo(photo=job.photos.get().photo, answer=Answer.DISCARD, by=administrator)
        assert not Subject.objects.filter(external_id="eve").exists()
        assert not BulkPhoto.objects.exists()

    def test_what_nobody_said_anything_about_is_discarded_in_the_report_too(
        self, administrator: User
    ) -> None:
        job = done(sent({"a/1.jpg": portrait(ADA), "a/2.jpg": portrait(BOB)}, administrator))
        assert job.counts()["confirm"] == 1
        Enrolment.objects.update(created=timezone.now() - 2 * CONFIRM_LIFE)
        discard_unconfirmed()
        assert lines(job)["a/2.jpg"] == ("refused", "discarded")

    def test_an_outlier_among_a_persons_photos(self, administrator: User) -> None:
        files = {"ada/1.jpg": portrait(ADA), "ada/2.jpg": portrait(BOB)}
        job = done(sent(files, administrator))
        assert lines(job)["ada/2.jpg"] == ("confirm", "outlier")
        settle_photo(photo=job.photos.last().photo, answer=Answer.DISCARD, by=administrator)
        assert lines(job)["ada/2.jpg"] == ("refused", "discarded")


class TestGoingOn:
    def stopped_after(self, monkeypatch, photos: int, how: Callable[[], object]) -> None:
        """Let something happen when so many photos are done."""
        take = work_bulk.Clerk.take
        count = 0

        def counting(self, *given) -> None:
            nonlocal count
            take(self, *given)
            count += 1
            if count == photos:
                how()

        monkeypatch.setattr(work_bulk.Clerk, "take", counting)

    def test_after_a_pause(self, administrator: User, monkeypatch) -> None:
        job = sent(TEAM, administrator)
        self.stopped_after(monkeypatch, 2, lambda: ask_bulk(job=job, request=Request.PAUSE))
        assert done(job).status == Status.PAUSED
        assert (job.done, len(lines(job)), len(staged())) == (2, 2, 1)
        resume(job)
        assert done(job).status == Status.DONE
        assert (job.done, len(lines(job)), FaceTemplate.objects.count()) == (6, 6, 3)
        assert Enrolment.objects.count() == 2  # one a person, whatever the number of runs
        assert staged() == []

    def test_in_the_next_worker_when_this_one_leaves(
        self, administrator: User, monkeypatch
    ) -> None:
        job = sent(TEAM, administrator)
        self.stopped_after(monkeypatch, 1, shutting_down.set)
        try:
            assert done(job).status == Status.QUEUED
        finally:
            shutting_down.clear()
        assert done(job).status == Status.DONE
        assert FaceTemplate.objects.count() == 3

    def test_when_the_worker_was_killed(self, administrator: User, monkeypatch) -> None:
        """Between any two photos, and in the midst of one: its rows come together or not at all."""
        job = sent(TEAM, administrator)
        create = BulkPhoto.objects.create

        def killed(**row):
            if row["path"] == "Ada_Example/2.jpg":
                raise KeyboardInterrupt  # as little is caught of it as of a kill
            return create(**row)

        with monkeypatch.context() as patched:
            patched.setattr(BulkPhoto.objects, "create", killed)
            with pytest.raises(KeyboardInterrupt):
                done(job)
        job.refresh_from_db()
        assert (job.status, job.done, FaceTemplate.objects.count()) == (Status.RUNNING, 1, 1)
        assert done(job).status == Status.DONE
        assert (job.done, FaceTemplate.objects.count()) == (6, 3)

    def test_people_of_this_run_are_not_skipped_by_its_second_half(
        self, administrator: User, monkeypatch
    ) -> None:
        job = sent(TEAM, administrator, existing=Existing.SKIP)
        self.stopped_after(monkeypatch, 1, shutting_down.set)
        try:
            done(job)
        finally:
            shutting_down.clear()
        assert done(job).counts()["enrolled"] == 3

    def test_not_when_cancelled(self, administrator: User) -> None:
        job = sent(TEAM, administrator)
        ask_bulk(job=job, request=Request.CANCEL)
        assert staged() == []
        assert done(job).status == Status.CANCELLED
        assert not Subject.objects.exists()

    def test_not_without_its_archive(self, administrator: User) -> None:
        job = sent(TEAM, administrator)
        archives.discard(job.archive)
        assert done(job).error["code"] == "archive_gone"


class TestReport:
    def test_as_a_table_that_no_spreadsheet_computes(self, administrator: User) -> None:
        job = done(sent({"=1+1/1.jpg": nobody()}, administrator))
        [row] = report_rows(job)
        assert row[:4] == ("'=1+1", "'=1+1/1.jpg", "refused", "no_face")
        assert row[4].startswith("No face was found.")

    def test_goes_with_the_person(self, administrator: User) -> None:
        job = done(sent(TEAM, administrator))
        delete_subject(subject=Subject.objects.get(external_id="Ada_Example"))
        assert not any("Ada" in path for path in lines(job))
        assert len(lines(job)) == 3

    def test_goes_by_itself_when_it_is_over(self, administrator: User) -> None:
        job = sent({"Ada/1.jpg": portrait(ADA)}, administrator)
        with pytest.raises(UserFacingError):
            delete_bulk(job=job)
        delete_bulk(job=done(job))
        assert not BulkPhoto.objects.exists()
        assert Subject.objects.get().templates.count() == 1
