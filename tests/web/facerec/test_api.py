"""`/api/v1`: people, verification and identification, as a program sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from facerec.api import people, recognition
from facerec.models import Attempt, Enrolment, FaceTemplate, Subject
from tests.people import ADA, BOB, group, nobody, portrait, tiny
from tests.web.bad_pictures import REFUSED, TAKEN, Refused
from tests.web.facerec.conftest import enrolled, twin_of, upload
from webapp.accounts.models import Scope, User
from webapp.accounts.services import create_api_key

pytestmark = pytest.mark.usefixtures("worker")
URL = "/api/v1"


@pytest.fixture
def post(house: None, key: dict[str, str]) -> Callable[..., Any]:
    def post(path: str, headers: dict[str, str] | None = None, **data: Any) -> Any:
        return Client(raise_request_exception=False).post(
            f"{URL}{path}", data, headers=key if headers is None else headers
        )

    return post


def enrol(post, **changes: Any) -> Any:
    data = {
        "external_id": "ada",
        "name": "Ada Example",
        "consent": "true",
        "photo": upload(portrait(ADA)),
    }
    return post("/subjects", **(data | changes))


class TestSubjects:
    def test_enrolled(self, post) -> None:
        response = enrol(post, photo=[upload(portrait(ADA), "a.jpg"), upload(nobody(), "b.jpg")])
        assert response.status_code == 201
        body = response.json()
        assert (body["external_id"], body["name"]) == ("ada", "Ada Example")
        [template] = body["templates"]
        assert set(template) == {"id", "encoder", "aligner", "quality", "created"}
        assert template["quality"]["eye_distance"] > 50
        good, bad = body["photos"]
        assert (good["name"], good["status"], good["reason"]) == ("a.jpg", "enrolled", None)
        assert (bad["name"], bad["status"], bad["reason"]) == ("b.jpg", "refused", "no_face")
        assert bad["sentence"].startswith("No face was found")
        assert Subject.objects.get().consent_by.username == "grace"

    def test_no_photo_can_be_used(self, post) -> None:
        response = enrol(post, photo=[upload(nobody(), "a.jpg"), upload(tiny(), "b.jpg")])
        assert response.status_code == 422
        body = response.json()
        assert body["code"] == "no_photo_enrolled"
        assert body["hint"]
        assert [photo["reason"] for photo in body["details"]["photos"]] == ["no_face", "too_small"]
        assert not Subject.objects.exists()
        assert not Enrolment.objects.exists()

    def test_the_same_external_id_twice(self, post) -> None:
        assert enrol(post).status_code == 201
        response = enrol(post, name="Somebody else")
        assert (response.status_code, response.json()["code"]) == (409, "external_id_taken")
        assert Subject.objects.get().name == "Ada Example"

    @pytest.mark.parametrize("consent", ["false", None])
    def test_without_consent(self, post, consent: str | None) -> None:
        data = {"external_id": "ada", "name": "Ada", "photo": upload(portrait(ADA))}
        response = post("/subjects", **data, **({"consent": consent} if consent else {}))
        assert (response.status_code, response.json()["code"]) == (422, "consent_missing")
        assert not Subject.objects.exists()

    def test_without_a_photo(self, post) -> None:
        response = post("/subjects", external_id="ada", name="Ada", consent="true")
        assert (response.status_code, response.json()["code"]) == (400, "no_file")
        assert not Subject.objects.exists()

    def test_without_a_name(self, post) -> None:
        response = post("/subjects", external_id="ada", consent="true", photo=upload(nobody()))
        assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
        assert "name" in response.json()["message"]

    def test_too_many_photos(self, post, settings) -> None:
        settings.MAX_UPLOAD_FILES = 2
        response = enrol(post, photo=[upload(nobody(), f"{i}.jpg") for i in range(3)])
        assert response.status_code in (400, 413)  # Django's own limit may come first
        assert response.json()["hint"]

    def test_one_unreadable_of_two_is_named(self, post) -> None:
        response = enrol(post, photo=[upload(portrait(ADA)), upload(b"no picture", "b.jpg")])
        assert response.status_code == 415
        assert response.json()["message"].startswith("b.jpg: ")
        assert not Subject.objects.exists()

    def test_show(self, post, key, administrator: User) -> None:
        enrolled(administrator)
        body = Client().get(f"{URL}/subjects/ada", headers=key).json()
        assert set(body) == {"external_id", "name", "consent_given_at", "created", "templates"}
        assert len(body["templates"]) == 1

    def test_delete(self, post, key, administrator: User) -> None:
        enrolled(administrator)
        response = Client().delete(f"{URL}/subjects/ada", headers=key)
        assert (response.status_code, response.content) == (204, b"")
        assert not FaceTemplate.objects.exists()
        again = Client().delete(f"{URL}/subjects/ada", headers=key)
        assert (again.status_code, again.json()["code"]) == (404, "unknown_person")
        assert Client().get(f"{URL}/subjects/ada", headers=key).status_code == 404


class TestVerify:
    def test_match(self, post, administrator: User) -> None:
        enrolled(administrator)
        response = post("/verify", external_id="ada", photo=upload(portrait(ADA, 1)))
        assert response.status_code == 200
        body = response.json()
        expected = {"attempt", "outcome", "distance", "threshold", "reason", "encoder", "liveness"}
        assert set(body) == expected
        assert body["liveness"] is None
        assert body["outcome"] == "match"
        assert 0 < body["distance"] < body["threshold"]
        assert body["reason"] is None
        attempt = Attempt.objects.get()
        assert body["encoder"] == attempt.encoder_version
        assert attempt.api_key.user == attempt.owner == administrator

    def test_no_match(self, post, administrator: User) -> None:
        enrolled(administrator)
        body = post("/verify", external_id="ada", photo=upload(portrait(BOB))).json()
        assert (body["outcome"], body["reason"]) == ("no_match", None)

    def test_cannot_decide(self, post, administrator: User) -> None:
        enrolled(administrator)
        body = post("/verify", external_id="ada", photo=upload(nobody())).json()
        assert body["outcome"] == "cannot_decide"
        assert (body["distance"], body["reason"]) == (None, "no_face")
        assert body["threshold"] > 0

    def test_unknown_person(self, post) -> None:
        response = post("/verify", external_id="eve", photo=upload(portrait(ADA)))
        assert (response.status_code, response.json()["code"]) == (404, "unknown_person")
        line = Attempt.objects.get()
        assert (line.outcome, line.reason) == ("cannot_decide", "unknown_person")
        assert (line.owner, line.operator, line.status) == (line.api_key.user, "grace", "done")
        assert "eve" not in str(Attempt.objects.values().get())

    def test_no_photo(self, post, administrator: User) -> None:
        enrolled(administrator)
        response = post("/verify", external_id="ada")
        assert (response.status_code, response.json()["code"]) == (400, "no_file")


class TestIdentify:
    def test_each_face(self, post, administrator: User) -> None:
        enrolled(administrator)
        response = post("/identify", photo=upload(group()))
        assert response.status_code == 200
        assert set(response.json()) == {"attempt", "outcome", "reason", "liveness", "faces"}
        assert (response.json()["outcome"], response.json()["reason"]) == ("match", None)
        ada, bob = sorted(response.json()["faces"], key=lambda face: face["box"][0])
        expected = {"box", "outcome", "external_id", "distance", "threshold", "reason"}
        expected |= {"margin", "runner_up"}
        assert set(ada) == set(bob) == expected
        assert (ada["outcome"], ada["external_id"]) == ("match", "ada")
        assert (bob["outcome"], bob["external_id"]) == ("not_recognized", None)
        assert ada["threshold"] == bob["threshold"]
        assert len(ada["box"]) == 4

    def test_a_face_that_cannot_be_compared(self, post, administrator: User) -> None:
        enrolled(administrator)
        [face] = post("/identify", photo=upload(tiny())).json()["faces"]
        assert (face["outcome"], face["reason"]) == ("cannot_decide", "too_small")
        assert face["distance"] is None

    def test_the_runner_up_is_for_who_may_see_people(self, post, administrator: User) -> None:
        enrolled(administrator)
        enrolled(administrator, BOB, who="Bob Example")
        guard = create_api_key(user=administrator, scopes=[Scope.RECOGNISE])[1]
        for headers, told in ((None, "bob"), ({"authorization": f"Bearer {guard}"}, None)):
            response = post("/identify", headers=headers, photo=upload(portrait(ADA, 1)))
            [face] = response.json()["faces"]
            assert (face["external_id"], face["runner_up"]) == ("ada", told)
            assert face["margin"] > face["threshold"]
        [stranger] = post("/identify", photo=upload(portrait(2))).json()["faces"]
        assert (stranger["outcome"], stranger["runner_up"]) == ("not_recognized", None)

    def test_two_too_close_are_not_named(self, post, administrator: User) -> None:
        twin_of(enrolled(administrator))
        [face] = post("/identify", photo=upload(portrait(ADA, 1))).json()["faces"]
        assert (face["outcome"], face["reason"]) == ("cannot_decide", "too_close")
        assert face["external_id"] is None

    def test_nobody(self, post) -> None:
        body = post("/identify", photo=upload(nobody())).json()
        assert (body["outcome"], body["reason"], body["faces"]) == ("cannot_decide", "no_face", [])


@pytest.mark.parametrize("bad", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("path", ["/verify", "/identify", "/subjects"])
def test_bad_pictures(post, administrator: User, path: str, bad: Refused) -> None:
    """Each gets its sentence and status, nothing is left, and the next good photo is answered."""
    if path == "/verify":
        Subject.objects.create(name="Ada", external_id="ada", consent_given_at="2026-01-01T00:00Z")
    data = {"external_id": "ada" if path == "/verify" else "new", "name": "N", "consent": "true"}
    response = post(path, **data, photo=upload(bad.make(), "photo.png"))
    assert (response.status_code, response.json()["code"]) == (bad.status, bad.code)
    assert response.json()["message"]
    assert response.json()["hint"]
    assert not Attempt.objects.exists()
    assert not Enrolment.objects.exists()
    assert not Subject.objects.filter(external_id="new").exists()


@pytest.mark.parametrize("make", TAKEN.values(), ids=TAKEN)
def test_odd_pictures_are_understood(post, administrator: User, make) -> None:
    """Whatever the kind, it is Ada, upright, and the box lies where her face is."""
    enrolled(administrator)
    image = portrait(ADA, 1)
    response = post("/identify", photo=upload(make(image), "photo"))
    assert response.status_code == 200
    [face] = response.json()["faces"]
    assert (face["outcome"], face["external_id"]) == ("match", "ada")
    margin = 20 if make is TAKEN["transparent"] else 0
    [plain] = post("/identify", photo=upload(TAKEN["PNG"](image), "photo.png")).json()["faces"]
    here, there = centre(face["box"]), centre(plain["box"])
    assert here == pytest.approx([side + margin for side in there], abs=0.1 * plain["box"][2])


def centre(box: list[int]) -> list[float]:
    x, y, w, h = box
    return [x + w / 2, y + h / 2]


class TestKeys:
    @pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer lk_wrong"}])
    def test_none_or_a_wrong_one(self, post, headers: dict[str, str]) -> None:
        for path in ("/verify", "/identify", "/subjects"):
            response = post(path, headers, external_id="a", name="A", photo=upload(nobody()))
            assert (response.status_code, response.json()["code"]) == (401, "no_valid_key")

    def test_scope(self, post, administrator: User) -> None:
        _, secret = create_api_key(user=administrator, scopes=[Scope.PAINT])
        headers = {"authorization": f"Bearer {secret}"}
        for path in ("/verify", "/identify", "/subjects"):
            response = post(path, headers, external_id="a", name="A", photo=upload(nobody()))
            assert (response.status_code, response.json()["code"]) == (403, "key_not_allowed")

    def test_an_operators_key_does_not_enrol(self, post, operator: User) -> None:
        _, secret = create_api_key(user=operator)
        headers = {"authorization": f"Bearer {secret}"}
        assert post("/identify", headers, photo=upload(nobody())).status_code == 200
        response = enrol(post, headers=headers)
        assert response.status_code == 403

    def test_rate(self, post, settings) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "face": "1/minute"}
        assert post("/identify", photo=upload(nobody())).status_code == 200
        response = post("/identify", photo=upload(nobody()))
        assert (response.status_code, response.json()["code"]) == (429, "too_many_requests")


class TestWorkerAway:
    """Nobody takes the job within the time that a request waits."""

    @pytest.fixture(autouse=True)
    def _nobody_listens(self, monkeypatch) -> None:
        for module in (people, recognition):
            monkeypatch.setattr(module, "PATIENCE", 0.3)
        monkeypatch.setattr(Enrolment, "queue", "nobody-listens")
        monkeypatch.setattr(Attempt, "queue", "nobody-listens")

    def test_questions(self, post) -> None:
        response = post("/identify", photo=upload(nobody()))
        assert (response.status_code, response.json()["code"]) == (503, "faces_busy")

    def test_enrolments_leave_nothing(self, post) -> None:
        response = enrol(post)
        assert (response.status_code, response.json()["code"]) == (503, "faces_busy")
        assert not Subject.objects.exists()
        assert not Enrolment.objects.exists()


def test_a_lost_probe_is_told(post, monkeypatch) -> None:
    monkeypatch.setattr("facerec.services.work_attempts.read_probe", lambda attempt_id: None)
    response = post("/identify", photo=upload(nobody()))
    assert (response.status_code, response.json()["code"]) == (503, "interrupted")
