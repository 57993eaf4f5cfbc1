"""The admin panel: enrolment with its progress, the log, and deletion by whatever way."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from facerec.models import Attempt, Enrolment, FaceTemplate, GalleryVersion, Subject
from tests.people import ADA, BOB, group, nobody, portrait
from tests.web.facerec.conftest import enrolled, identified, judged, take_up, upload, verified
from webapp.accounts.models import User
from webapp.accounts.roles import sync_roles

ADD = "/admin/facerec/subject/add/"


@pytest.fixture
def admin(administrator: User, signed_in) -> Client:
    """In the administrator's browser. Not a superuser: the role's own permissions must do."""
    sync_roles()
    assert not administrator.is_superuser
    return signed_in(administrator)


def add(admin: Client, **changes: Any) -> Any:
    data = {
        "name": "Ada Example",
        "external_id": "ada",
        "consent": "on",
        "photos": [upload(portrait(ADA), "a.jpg")],
    }
    return admin.post(ADD, data | changes)


def change_url(subject: Subject) -> str:
    return reverse("admin:facerec_subject_change", args=[subject.pk])


class TestEnrolment:
    def test_the_page_follows_the_enrolment(self, admin: Client, administrator: User) -> None:
        response = add(admin, photos=[upload(portrait(ADA), "a.jpg"), upload(nobody(), "b.jpg")])
        subject = Subject.objects.get()
        assert (response.status_code, response.url) == (302, change_url(subject))
        enrolment = Enrolment.objects.get()
        assert subject.consent_by == enrolment.owner == administrator
        page = admin.get(response.url).content.decode()
        assert f'data-job="{enrolment.pk}"' in page
        assert page.count('data-status="waiting"') == 2
        judged(enrolment)
        panel = admin.get(reverse("admin:facerec_subject_enrolments", args=[subject.pk]))
        shown = panel.content.decode()
        assert "1 template" in shown
        assert "No face was found" in shown
        assert 'data-status="waiting"' not in shown

    def test_more_photos_later(self, admin: Client, administrator: User) -> None:
        subject = enrolled(administrator)
        data = {
            "name": "Ada Renamed",
            "external_id": "ada",
            "photos": [upload(portrait(ADA, 1), "later.jpg")],
        }
        assert admin.post(change_url(subject), data).status_code == 302
        judged(subject.enrolments.first())
        subject.refresh_from_db()
        assert subject.name == "Ada Renamed"
        assert subject.templates.count() == 2

    def test_a_change_without_photos_starts_nothing(self, admin, administrator: User) -> None:
        subject = enrolled(administrator)
        admin.post(change_url(subject), {"name": "Ada B", "external_id": "ada"})
        assert subject.enrolments.count() == 1

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"consent": ""}, "Nobody is enrolled without their consent."),
            ({"photos": []}, "Choose at least one photo."),
            ({"photos": [upload(b"text")]}, "This file is not a picture that can be read."),
            ({"photos": [upload(b"")]}, "This file is empty."),
            ({"external_id": "a b"}, "An external id has letters"),
            ({"name": ""}, "This field is required."),
        ],
    )
    def test_refused_with_a_sentence(self, admin, change: dict, sentence: str) -> None:
        response = add(admin, **change)
        assert response.status_code == 200
        assert sentence in response.content.decode()
        assert not Subject.objects.exists()
        assert not Enrolment.objects.exists()

    def test_an_external_id_that_is_taken(self, admin: Client, administrator: User) -> None:
        enrolled(administrator)
        page = add(admin, name="Other").content.decode()
        assert "Somebody with this external id is enrolled already." in page

    def test_the_numbers_are_never_shown(self, admin: Client, administrator: User) -> None:
        subject = enrolled(administrator)
        template = subject.templates.get()
        url = reverse("admin:facerec_facetemplate_change", args=[template.pk])
        for page in (admin.get(change_url(subject)), admin.get(url)):
            assert page.status_code == 200
            text = page.content.decode()
            assert template.encoder_version in text
            assert bytes(template.encoding).hex()[:16] not in text
            assert f"{FaceTemplate.unpack([template.encoding])[0, 0]:.4f}" not in text


class TestDeletion:
    def delete(self, admin: Client, url: str) -> None:
        assert admin.get(url).status_code == 200
        assert admin.post(url, {"post": "yes"}).status_code == 302

    def test_a_person(self, admin: Client, administrator: User) -> None:
        ada = enrolled(administrator)
        attempt = verified(administrator, ada, portrait(ADA, 1))
        identified(administrator, portrait(ADA, 1))
        before = GalleryVersion.current()
        self.delete(admin, reverse("admin:facerec_subject_delete", args=[ada.pk]))
        assert not Subject.objects.exists()
        assert not FaceTemplate.objects.exists()
        assert not Enrolment.objects.exists()
        assert GalleryVersion.current() != before
        attempt.refresh_from_db()
        assert attempt.subject is None
        admin.get("/admin/")  # which says once more who was deleted
        page = admin.get("/admin/facerec/attempt/").content.decode()
        assert page.count("a deleted person") == 2
        assert "Ada" not in page

    def test_a_person_whose_photos_still_wait(self, admin, administrator: User) -> None:
        enrolment = take_up(administrator, [portrait(ADA)])
        url = reverse("admin:facerec_subject_delete", args=[enrolment.subject_id])
        self.delete(admin, url)  # the fixture looks for files that are left

    def test_several_people_at_once(self, admin: Client, administrator: User) -> None:
        people = [enrolled(administrator), enrolled(administrator, BOB, who="Bob Example")]
        data = {"action": "delete_selected", "_selected_action": [p.pk for p in people]}
        assert admin.post("/admin/facerec/subject/", data).status_code == 200
        admin.post("/admin/facerec/subject/", {**data, "post": "yes"})
        assert not Subject.objects.exists()
        assert not FaceTemplate.objects.exists()

    def test_one_template(self, admin: Client, administrator: User) -> None:
        subject = enrolled(administrator)
        before = GalleryVersion.current()
        [template] = subject.templates.all()
        url = reverse("admin:facerec_facetemplate_delete", args=[template.pk])
        assert admin.post(url, {"post": "yes"}).url == change_url(subject)
        assert not subject.templates.exists()
        assert GalleryVersion.current() != before

    def test_the_deleted_name_does_not_stay_in_the_admins_history(
        self, admin: Client, administrator: User
    ) -> None:
        add(admin)
        ada = Subject.objects.get()
        judged(ada.enrolments.get())
        self.delete(admin, reverse("admin:facerec_subject_delete", args=[ada.pk]))
        assert "Ada" not in str(list(LogEntry.objects.values()))


class TestLog:
    def test_it_is_read_only(self, admin: Client, administrator: User) -> None:
        attempt = verified(administrator, enrolled(administrator), portrait(ADA, 1))
        url = reverse("admin:facerec_attempt_change", args=[attempt.pk])
        assert admin.get("/admin/facerec/attempt/add/").status_code == 403
        assert admin.post(url, {"outcome": "no_match"}).status_code == 403
        delete = reverse("admin:facerec_attempt_delete", args=[attempt.pk])
        assert admin.post(delete, {"post": "yes"}).status_code == 403
        attempt.refresh_from_db()
        assert attempt.outcome == "match"

    def test_what_it_shows(self, admin: Client, administrator: User, operator: User) -> None:
        ada = enrolled(administrator)
        attempt = verified(operator, ada, portrait(ADA, 1))
        page = admin.get("/admin/facerec/attempt/").content.decode()
        for shown in ("olive", "Ada Example (ada)", f"{attempt.distance:.3f}"):
            assert shown in page
        one = admin.get(reverse("admin:facerec_attempt_change", args=[attempt.pk]))
        assert attempt.encoder_version in one.content.decode()

    def test_faces_of_an_identification(self, admin: Client, administrator: User) -> None:
        enrolled(administrator)
        attempt = identified(administrator, group())
        url = reverse("admin:facerec_attempt_change", args=[attempt.pk])
        page = admin.get(url).content.decode()
        assert "Ada Example" in page
        assert "not recognized" in page

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("q=olive", 2),
            ("q=ada", 2),
            ("q=nobody", 0),
            ("mode__exact=identification", 1),
            ("outcome__exact=match", 2),
            ("outcome__exact=no_match", 0),
        ],
    )
    def test_search_and_filters(
        self, admin: Client, administrator: User, operator: User, query: str, found: int
    ) -> None:
        verified(operator, enrolled(administrator), portrait(ADA, 1))
        identified(operator, portrait(ADA, 1))
        page = admin.get(f"/admin/facerec/attempt/?{query}")
        assert page.context["cl"].result_count == found
        assert Attempt.objects.count() == 2


@pytest.mark.parametrize("role", ["operator", "painter"])
def test_others_do_not_get_in(role: str, request, signed_in) -> None:
    client = signed_in(request.getfixturevalue(role))
    for path in ("/admin/", ADD, "/admin/facerec/attempt/", "/admin/facerec/subject/"):
        response = client.get(path)
        assert response.status_code == 302
        assert "/admin/login/" in response.url
