"""Doubtful faces wait for a person's word: who may say it, and what it does."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from facerec.models import Correction, EnrolmentPhoto, FaceTemplate, PhotoStatus, Subject
from facerec.runtime import runtime
from facerec.services.corrections import correct
from facerec.services.enrolment import (
    CONFIRM_LIFE,
    Answer,
    Photo,
    add_photos,
    delete_subject,
    discard_unconfirmed,
    settle_photo,
)
from tests.people import ADA, BOB, group, portrait
from tests.web.facerec.conftest import enrolled, identified, judged, take_up, verified
from webapp.accounts.models import User
from webapp.accounts.roles import sync_roles
from webapp.errors import UserFacingError

PAGE = "/quarantine/"
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def ada(administrator: User) -> Subject:
    return enrolled(administrator)


@pytest.fixture
def admin(administrator: User, signed_in) -> Client:
    sync_roles()
    return signed_in(administrator)


def doubled(by: User, **options) -> EnrolmentPhoto:
    """Another photo of Ada, sent as somebody new."""
    enrolment = judged(take_up(by, [portrait(ADA, 1)], who="Adele Double", **options))
    return enrolment.photos.get()


def added(by: User, subject: Subject, *images) -> list[EnrolmentPhoto]:
    photos = [Photo(f"later-{i}.jpg", image) for i, image in enumerate(images)]
    return list(judged(add_photos(subject=subject, photos=photos, by=by)).photos.all())


class TestProbableDuplicates:
    def test_it_waits_outside_the_gallery(self, administrator: User, ada: Subject) -> None:
        photo = doubled(administrator)
        assert (photo.status, photo.reason, photo.looks_like) == ("confirm", "duplicate", ada)
        assert photo.distance < photo.threshold
        assert photo.sentence == "This face looks like Ada Example (ada), who is already enrolled."
        expected = runtime().pipeline.one_face(portrait(ADA, 1)).encoding
        np.testing.assert_allclose(FaceTemplate.unpack([photo.encoding])[0], expected, atol=1e-6)
        assert FaceTemplate.objects.count() == len(runtime().gallery()) == 1
        attempt = verified(administrator, photo.enrolment.subject, portrait(ADA, 1))
        assert attempt.reason == "not_enrolled"

    def test_people_who_are_told_apart_are_not_asked_about(self, administrator, ada) -> None:
        bob = enrolled(administrator, BOB, who="Bob Example")
        assert bob.templates.count() == 1

    def test_enrolled_anyway(self, administrator: User, ada: Subject) -> None:
        photo = settle_photo(photo=doubled(administrator), answer=Answer.ENROL, by=administrator)
        assert photo.template.subject.name == "Adele Double"
        assert (photo.status, photo.encoding) == (PhotoStatus.ENROLLED, None)
        assert len(runtime().gallery()) == 2

    def test_added_to_the_other(self, administrator: User, ada: Subject) -> None:
        photo = doubled(administrator)
        settle_photo(photo=photo, answer=Answer.ADD_TO_OTHER, by=administrator)
        assert ada.templates.count() == 2
        assert not photo.enrolment.subject.templates.exists()

    def test_discarded(self, administrator: User, ada: Subject) -> None:
        photo = settle_photo(photo=doubled(administrator), answer=Answer.DISCARD, by=administrator)
        assert (photo.status, photo.encoding, photo.template) == (PhotoStatus.DISCARDED, None, None)
        assert FaceTemplate.objects.count() == 1
        assert Subject.objects.count() == 2

    @pytest.mark.parametrize("answer", [Answer.ADD_TO_OTHER, Answer.DISCARD])
    def test_who_came_with_it_alone_goes(self, administrator, ada, answer: Answer) -> None:
        photo = doubled(administrator, provisional=True)
        assert Subject.objects.count() == 2  # waits with its photo
        settle_photo(photo=photo, answer=answer, by=administrator)
        assert list(Subject.objects.all()) == [ada]

    def test_settled_once(self, administrator: User, ada: Subject) -> None:
        photo = doubled(administrator)
        settle_photo(photo=photo, answer=Answer.ENROL, by=administrator)
        with pytest.raises(UserFacingError) as refused:
            settle_photo(photo=photo, answer=Answer.ADD_TO_OTHER, by=administrator)
        assert refused.value.code == "already_settled"
        assert FaceTemplate.objects.count() == 2

    def test_the_other_was_deleted_meanwhile(self, administrator: User, ada: Subject) -> None:
        photo = doubled(administrator)
        delete_subject(subject=ada)
        photo.refresh_from_db()
        assert "somebody else" in photo.sentence
        assert "Ada" not in photo.sentence
        with pytest.raises(UserFacingError) as refused:
            settle_photo(photo=photo, answer=Answer.ADD_TO_OTHER, by=administrator)
        assert refused.value.code == "nobody_to_add_to"
        settle_photo(photo=photo, answer=Answer.ENROL, by=administrator)

    def test_it_goes_with_the_person(self, administrator: User, ada: Subject) -> None:
        delete_subject(subject=doubled(administrator).enrolment.subject)
        assert EnrolmentPhoto.objects.filter(status=PhotoStatus.CONFIRM).count() == 0

    def test_whoever_knows_is_not_asked(self, administrator: User, ada: Subject) -> None:
        assert doubled(administrator, confirmed=True).status == PhotoStatus.ENROLLED

    @pytest.mark.parametrize("provisional", [False, True])
    def test_what_nobody_says_anything_about_is_forgotten(
        self, administrator: User, ada: Subject, provisional: bool
    ) -> None:
        photo = doubled(administrator, provisional=provisional)
        discard_unconfirmed()
        photo.refresh_from_db()
        assert photo.encoding is not None
        photo.enrolment.created = timezone.now() - CONFIRM_LIFE - timedelta(minutes=1)
        photo.enrolment.save()
        discard_unconfirmed()
        photo.refresh_from_db()
        assert (photo.status, photo.encoding) == (PhotoStatus.DISCARDED, None)
        assert Subject.objects.filter(external_id="adele").exists() is not provisional


class TestOutliers:
    def test_a_photo_of_somebody_else(self, administrator: User, ada: Subject) -> None:
        same, other = added(administrator, ada, portrait(ADA, 1), portrait(BOB))
        assert same.status == PhotoStatus.ENROLLED
        assert (other.status, other.reason, other.looks_like) == ("confirm", "outlier", None)
        assert other.distance > other.threshold
        assert ada.templates.count() == 2
        settle_photo(photo=other, answer=Answer.ENROL, by=administrator)
        assert ada.templates.count() == 3

    def test_somebody_enrolled_is_named(self, administrator: User, ada: Subject) -> None:
        bob = enrolled(administrator, BOB, who="Bob Example")
        [photo] = added(administrator, ada, portrait(BOB, 1))
        assert (photo.reason, photo.looks_like) == ("duplicate", bob)

    def test_within_one_enrolment(self, administrator: User) -> None:
        enrolment = judged(take_up(administrator, [portrait(ADA), portrait(BOB)]))
        assert [p.status for p in enrolment.photos.all()] == ["enrolled", "confirm"]


class TestThePage:
    def test_it_shows_what_waits_and_does_what_is_said(self, admin, administrator, ada) -> None:
        photo = doubled(administrator)
        page = admin.get(PAGE).content.decode()
        assert "Looks like Ada Example" in page
        assert f"{photo.distance:.3f}" in page
        url = reverse("facerec:held_photo", args=[photo.pk])
        settled = admin.post(url, {"answer": "enrol"}, **HTMX)
        assert (settled.status_code, "Enrolled" in settled.content.decode()) == (200, True)
        photo.refresh_from_db()
        assert photo.status == PhotoStatus.ENROLLED
        assert "Nothing waits" in admin.get(PAGE).content.decode()

    def test_a_correction_is_judged(self, admin, administrator, operator, ada) -> None:
        attempt = verified(operator, ada, portrait(BOB, 1))
        said = correct(attempt=attempt, kind="this_is", by=operator)
        page = admin.get(PAGE).content.decode()
        assert "Said by olive" in page
        assert "I am sure that this is Ada Example" in page
        url = reverse("facerec:judge_correction", args=[said.pk])
        refused = admin.post(url, {"verdict": "accept"}, **HTMX)
        assert refused.status_code == 422
        assert "does not look like Ada Example" in refused.content.decode()
        assert admin.post(url, {"verdict": "accept", "sure": "on"}, **HTMX).status_code == 200
        assert ada.templates.count() == 2
        page = admin.get(reverse("admin:facerec_subject_change", args=[ada.pk]))
        assert "Said by olive of an answer" in page.content.decode()

    def test_counter_examples_stand_on_the_persons_page(
        self, admin, administrator, operator, ada
    ) -> None:
        attempt = verified(operator, ada, portrait(ADA, 1))
        said = correct(attempt=attempt, kind="not_this_person", by=operator)
        url = reverse("facerec:judge_correction", args=[said.pk])
        admin.post(url, {"verdict": "accept"})
        person = reverse("admin:facerec_subject_change", args=[ada.pk])
        page = admin.get(person).content.decode()
        assert "Known not to be Ada Example" in page
        assert bytes(Correction.objects.get().encoding).hex()[:16] not in page
        assert admin.post(url, {"verdict": "withdraw", "next": person}).url == person
        assert "Known not to be" not in admin.get(person).content.decode()

    def test_the_persons_page_asks_too(self, admin, administrator, ada) -> None:
        photo = doubled(administrator)
        person = reverse("admin:facerec_subject_change", args=[photo.enrolment.subject_id])
        page = admin.get(person).content.decode()
        assert "To be confirmed" in page
        assert "The same person: add to Ada Example" in page
        assert "Quality good" in page
        url = reverse("facerec:held_photo", args=[photo.pk])
        assert admin.post(url, {"answer": "discard", "next": person}).url == person

    def test_it_does_not_send_people_elsewhere(self, admin, administrator, ada) -> None:
        url = reverse("facerec:held_photo", args=[doubled(administrator).pk])
        away = admin.post(url, {"answer": "discard", "next": "https://example.com/"})
        assert away.url == PAGE

    @pytest.mark.parametrize("answer", ["", "delete everything"])
    def test_an_unknown_answer(self, admin, administrator, ada, answer: str) -> None:
        photo = doubled(administrator)
        url = reverse("facerec:held_photo", args=[photo.pk])
        assert admin.post(url, {"answer": answer}).status_code == 400
        photo.refresh_from_db()
        assert photo.status == PhotoStatus.CONFIRM

    @pytest.mark.parametrize("role", ["operator", "painter"])
    def test_administrators_alone(self, administrator, ada, signed_in, request, role) -> None:
        photo = doubled(administrator)
        client = signed_in(request.getfixturevalue(role))
        assert client.get(PAGE).status_code == 403
        url = reverse("facerec:held_photo", args=[photo.pk])
        assert client.post(url, {"answer": "enrol"}).status_code == 403
        assert client.post(reverse("facerec:judge_correction", args=[1])).status_code == 403
        photo.refresh_from_db()
        assert photo.status == PhotoStatus.CONFIRM

    def test_it_needs_the_csrf_token(self, administrator: User, ada: Subject) -> None:
        photo = doubled(administrator)
        client = Client(enforce_csrf_checks=True)
        client.force_login(administrator)
        url = reverse("facerec:held_photo", args=[photo.pk])
        assert client.post(url, {"answer": "enrol"}).status_code == 403


class TestOnAnAnswer:
    def say(self, client: Client, attempt, **data):
        return client.post(reverse("facerec:correct", args=[attempt.pk]), data, **HTMX)

    def test_it_is_not_this_person(self, operator: User, ada: Subject, signed_in) -> None:
        attempt = verified(operator, ada, portrait(ADA, 1))
        client = signed_in(operator)
        assert "It is not Ada Example" in client.get(attempt.get_absolute_url()).content.decode()
        said = self.say(client, attempt, kind="not_this_person", face="0")
        assert "An administrator judges it" in said.content.decode()
        assert Correction.objects.get().said_by == operator
        assert "That is wrong" not in client.get(attempt.get_absolute_url()).content.decode()

    def test_a_face_of_several_is_named(self, operator: User, ada: Subject, signed_in) -> None:
        attempt = identified(operator, group())
        stranger = attempt.faces.get(outcome="not_recognized")
        client = signed_in(operator)
        this_is = {"kind": "this_is", "face": stranger.position, "named": 1}
        nobody = self.say(client, attempt, **this_is, subject="Eve")
        assert nobody.status_code == 404
        assert "Nobody with this name" in nobody.content.decode()
        self.say(client, attempt, **this_is, subject="ada")
        said = Correction.objects.get()
        assert (said.subject, said.face) == (ada, stranger.position)

    def test_a_name_must_be_given(self, operator: User, ada: Subject, signed_in) -> None:
        attempt = verified(operator, ada, portrait(BOB, 1))
        empty = self.say(
            signed_in(operator), attempt, kind="this_is", face="0", subject="", named=1
        )
        assert empty.status_code == 422
        assert not Correction.objects.exists()

    def test_without_a_script_one_comes_back_to_the_answer(self, operator, ada, signed_in) -> None:
        attempt = verified(operator, ada, portrait(BOB, 1))
        url = reverse("facerec:correct", args=[attempt.pk])
        response = signed_in(operator).post(url, {"kind": "this_is", "face": "0"})
        assert response.url == attempt.get_absolute_url()
        assert Correction.objects.get().subject == ada

    def test_others_cannot(self, administrator, operator, painter, ada, signed_in) -> None:
        attempt = verified(administrator, ada, portrait(ADA, 1))
        assert self.say(signed_in(operator), attempt, kind="not_this_person").status_code == 404
        assert self.say(signed_in(painter), attempt, kind="not_this_person").status_code == 403
        assert not Correction.objects.exists()

    @pytest.mark.parametrize("data", [{}, {"kind": "x"}, {"kind": "this_is", "face": "999999"}])
    def test_nonsense(self, operator: User, ada: Subject, signed_in, data: dict) -> None:
        attempt = identified(operator, portrait(BOB, 1))
        assert 400 <= self.say(signed_in(operator), attempt, **data).status_code < 500
        assert not Correction.objects.exists()
