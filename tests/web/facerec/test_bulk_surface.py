"""Many people at once: the page, the API, the command."""

from __future__ import annotations

import csv
import io
import os
import signal
import uuid
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from facerec.models import BulkEnrolment, FaceTemplate, Subject
from facerec.services import work_bulk
from tests.people import ADA, as_jpeg, nobody, portrait
from tests.web.facerec.test_bulk import TEAM, done, packed, sent
from webapp import archives
from webapp.accounts.models import Scope, User
from webapp.accounts.services import create_api_key
from webapp.jobs.events import publish_state
from webapp.jobs.lease import Lease
from webapp.jobs.models import Status

pytestmark = pytest.mark.redis
SignedIn = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _archives_go(house: None) -> Iterator[None]:
    yield
    for path in settings.STAGING_DIR.iterdir():
        path.unlink()


def small(**files: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("team.zip", packed({"ada/1.jpg": portrait(ADA), **files}))


class TestPage:
    @pytest.fixture
    def client(self, administrator: User, signed_in: SignedIn) -> Client:
        return signed_in(administrator)

    def test_a_small_archive_in_its_form(self, client: Client) -> None:
        answer = client.post("/enrol/", {"archive": small(), "consent": "yes"})
        job = BulkEnrolment.objects.get()
        assert (answer.status_code, answer["location"]) == (302, f"/enrol/{job.pk}/")
        assert (job.source, job.total, job.existing) == ("team.zip", 1, "add")
        assert b"team.zip" in client.get("/enrol/").content

    def test_an_archive_that_went_ahead(self, client: Client, administrator: User) -> None:
        archive, receipt = archives.receipt_for(by=administrator)
        archives.path_of(archive).write_bytes(packed({"ada/1.jpg": portrait(ADA)}))
        told = {"archive": receipt, "archive_name": "club.zip", "existing": "skip", "consent": "y"}
        answer = client.post("/enrol/", told, headers={"HX-Request": "true"})
        job = BulkEnrolment.objects.get()
        assert answer["HX-Redirect"] == job.get_absolute_url()
        assert (job.source, job.existing, job.archive) == ("club.zip", "skip", archive)

    @pytest.mark.parametrize(
        ("told", "sentence"),
        [
            ({"archive": small()}, "Nobody is enrolled without their consent."),
            ({"consent": "yes"}, "There is no archive."),
            ({"consent": "yes", "archive": "x"}, "This archive is not there any more."),
        ],
    )
    def test_what_is_wrong_is_said(self, client: Client, told: dict, sentence: str) -> None:
        answer = client.post("/enrol/", told)
        assert answer.status_code in (410, 422)
        assert sentence in answer.content.decode()
        assert not BulkEnrolment.objects.exists()

    def test_a_run(self, client: Client, administrator: User) -> None:
        ada = {"Ada/1.jpg": portrait(ADA)}
        done(sent(ada, administrator))
        files = {**ada, "Eve/1.jpg": portrait(ADA, 1), "Nobody/1.jpg": nobody()}
        job = done(sent(files, administrator))
        page = client.get(job.get_absolute_url()).content.decode()
        assert "Nobody/1.jpg" in page
        assert "No face was found." in page
        assert "Looks like Ada" in page
        assert "This very photo is enrolled already." in page
        panel = client.get(job.get_absolute_url(), headers={"HX-Request": "true"})
        assert b"<html" not in panel.content

    def test_the_report(self, client: Client, administrator: User) -> None:
        job = done(sent(TEAM, administrator))
        answer = client.get(f"{job.get_absolute_url()}report.csv")
        text = b"".join(answer.streaming_content).decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text)))
        assert len(rows) == 6
        assert rows[3] == {
            "person": "Bob Example",
            "file": "Bob Example/1.jpg",
            "status": "enrolled",
            "code": "",
            "what to do": "",
        }

    def test_pause_resume_cancel_delete(self, client: Client, administrator: User) -> None:
        job = sent(TEAM, administrator)
        for what, status in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
            client.post(f"{job.get_absolute_url()}{what}/")
            job.refresh_from_db()
            assert job.status == status
        client.post(f"{job.get_absolute_url()}delete/")
        assert not BulkEnrolment.objects.exists()

    def test_is_the_administrators_alone(
        self, administrator: User, operator: User, signed_in: SignedIn
    ) -> None:
        url = sent(TEAM, administrator).get_absolute_url()
        client = signed_in(operator)
        gets = ["/enrol/", url, f"{url}report.csv"]
        posts = ["/enrol/", f"{url}cancel/", f"{url}delete/"]
        assert {client.get(path).status_code for path in gets} == {403}
        assert {client.post(path).status_code for path in posts} == {403}
        assert not BulkEnrolment.objects.get().visible_to(operator)


class TestApi:
    def test_from_the_archive_to_the_report(self, administrator: User, client: Client) -> None:
        headers = {"authorization": f"Bearer {create_api_key(user=administrator)[1]}"}
        answer = client.post("/api/v1/archives", headers=headers)
        assert answer.status_code == 201
        archive = uuid.UUID(answer["x-staged-as"])  # webapp.staging would write the body there
        archives.path_of(archive).write_bytes(packed(TEAM))
        body = {"archive": answer.json()["archive"], "source": "hr.zip"}

        def post(path: str, **body: object):
            return client.post(path, body, content_type="application/json", headers=headers)

        assert post("/api/v1/bulk-enrolments", **body).json()["code"] == "consent_missing"
        started = post("/api/v1/bulk-enrolments", **body, consent=True)
        assert started.status_code == 202
        job = BulkEnrolment.objects.get()
        at = f"/api/v1/bulk-enrolments/{job.pk}"
        assert post(f"{at}/pause").json()["status"] == "paused"
        assert post(f"{at}/resume").json()["status"] == "queued"
        assert post(f"{at}/explode").status_code == 404
        done(job)
        shown = client.get(at, headers=headers).json()
        assert (shown["status"], shown["done"], shown["counts"]["enrolled"]) == ("done", 6, 3)
        told = client.get(f"{at}/photos?status=refused&limit=2", headers=headers).json()
        assert [line["code"] for line in told] == ["too_blurred", "no_face"]

    def test_needs_the_scope(self, administrator: User, client: Client) -> None:
        key = create_api_key(user=administrator, scopes=[Scope.RECOGNISE])[1]
        headers = {"authorization": f"Bearer {key}"}
        for path in ("archives", "bulk-enrolments", f"bulk-enrolments/{uuid.uuid4()}/cancel"):
            assert client.post(f"/api/v1/{path}", headers=headers).status_code == 403
            assert client.post(f"/api/v1/{path}").status_code == 401


class TestCommand:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for name, content in TEAM.items():
            path = tmp_path / "team" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else as_jpeg(content))
        return tmp_path / "team"

    def run(self, *arguments: object) -> str:
        out = io.StringIO()
        call_command("enrol", *map(str, arguments), stdout=out, stderr=io.StringIO())
        return out.getvalue()

    def test_enrols_and_tells_of_every_refusal(
        self, folder: Path, administrator: User, tmp_path: Path, capsys
    ) -> None:
        report = tmp_path / "report.csv"
        told = self.run(folder, "--consent-by", "grace", "--report", report)
        assert "3 photos enrolled, 3 not used, 0 need a look, 0 skipped" in told
        assert "Nobody/1.jpg\n      No face was found." in told
        assert "6 of 6 photos" in capsys.readouterr().err
        assert Subject.objects.get(external_id="Ada_Example").consent_by == administrator
        assert len(report.read_text("utf-8-sig").splitlines()) == 7
        assert folder.is_dir()  # an uploaded archive is deleted, somebody's folder never

    def test_nobody_without_an_administrators_word(self, folder: Path, operator: User) -> None:
        for who in ((), ("--consent-by", "olive"), ("--consent-by", "nobody")):
            with pytest.raises(CommandError, match="without their consent"):
                self.run(folder, *who)
        assert not BulkEnrolment.objects.exists()

    def test_a_dry_run_enrols_nobody(self, folder: Path, administrator: User) -> None:
        told = self.run(folder, "--dry-run")
        assert "3 people, of whom 0 are enrolled already. 3 photos can be used, 3 not" in told
        assert not BulkEnrolment.objects.exists()
        assert not Subject.objects.exists()

    def test_control_c_pauses_and_resume_goes_on(
        self, folder: Path, administrator: User, monkeypatch
    ) -> None:
        take = work_bulk.Clerk.take

        def interrupted(self, *given) -> None:
            take(self, *given)
            monkeypatch.undo()
            os.kill(os.getpid(), signal.SIGINT)

        monkeypatch.setattr(work_bulk.Clerk, "take", interrupted)
        told = self.run(folder, "--consent-by", "grace")
        job = BulkEnrolment.objects.get()
        assert (job.status, job.done) == (Status.PAUSED, 1)
        assert f"manage.py enrol --resume {job.pk}" in told
        assert "Done: 3 people." in self.run("--resume", job.pk)
        assert FaceTemplate.objects.count() == 3
        with pytest.raises(CommandError, match="no run with this id"):
            self.run("--resume", job.pk)

    def test_a_run_that_was_killed_goes_on(self, folder: Path, administrator: User) -> None:
        self.run(folder, "--consent-by", "grace")
        BulkEnrolment.objects.update(status=Status.RUNNING, done=5, last="Nobody/1.jpg")
        job = BulkEnrolment.objects.get()
        job.photos.filter(path="Nobody/2.jpg").delete()
        self.run("--resume", job.pk)
        assert job.photos.count() == 6
        assert FaceTemplate.objects.count() == 3

    def test_watches_where_a_worker_was_quicker(
        self, folder: Path, administrator: User, monkeypatch
    ) -> None:
        self.run(folder, "--consent-by", "grace")
        BulkEnrolment.objects.update(status=Status.RUNNING)
        job = BulkEnrolment.objects.get()
        lease = Lease(job.pk, uuid.uuid4())
        assert lease.acquire()

        def the_worker_ends(seconds: float) -> None:
            BulkEnrolment.objects.update(status=Status.DONE)

        monkeypatch.setattr("facerec.management.commands.enrol.time.sleep", the_worker_ends)
        try:
            assert "Done: 3 people." in self.run("--resume", job.pk)
        finally:
            lease.release()

    def test_works_where_the_house_does_not_run(
        self, folder: Path, administrator: User, settings
    ) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        layer = deepcopy(settings.CHANNEL_LAYERS)
        assert "Done: 3 people." in self.run(folder, "--consent-by", "grace")
        assert settings.REDIS_URL == "redis://127.0.0.1:1/0"
        assert layer == settings.CHANNEL_LAYERS
        publish_state(BulkEnrolment.objects.get())  # to the layer that was there before
