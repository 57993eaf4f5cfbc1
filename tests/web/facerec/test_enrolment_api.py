"""`/api/v1`: photos that are to be confirmed, further photos, corrections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from facerec.models import Correction, Subject
from facerec.thresholds import duplicate_point
from tests.people import ADA, BOB, nobody, portrait
from tests.web.facerec.conftest import enrolled, upload
from webapp.accounts.models import Scope, User
from webapp.accounts.services import create_api_key

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
def ada(administrator: User) -> Subject:
    return enrolled(administrator)


@pytest.fixture
def post(ada: Subject, key: dict[str, str]) -> Callable[..., Any]:
    def post(path: str, headers: dict[str, str] = key, **data: Any) -> Any:
        return Client().post(f"/api/v1{path}", data, headers=headers)

    return post


def adele(post: Callable[..., Any], **more: Any) -> Any:
    """Another photo of Ada, sent as somebody new."""
    who = {"external_id": "adele", "name": "Adele Double", "consent": "true"}
    return post("/subjects", **who, photo=upload(portrait(ADA, 1)), **more)


class TestConfirming:
    def test_a_probable_duplicate_waits(self, post) -> None:
        response = adele(post)
        assert response.status_code == 202
        body = response.json()
        assert body["templates"] == []
        [photo] = body["photos"]
        assert (photo["status"], photo["reason"], photo["looks_like"]) == (
            "confirm",
            "duplicate",
            "ada",
        )
        assert 0 <= photo["distance"] < duplicate_point(1).threshold
        assert photo["sentence"].startswith("This face looks like Ada Example")
        settled = post(f"/subjects/adele/photos/{photo['id']}", answer="enrol")
        assert (settled.status_code, settled.json()["status"]) == (200, "enrolled")
        assert Subject.objects.get(external_id="adele").templates.count() == 1
        again = post(f"/subjects/adele/photos/{photo['id']}", answer="discard")
        assert (again.status_code, again.json()["code"]) == (409, "already_settled")

    def test_discarded_with_the_person_who_came_with_it(self, post) -> None:
        [photo] = adele(post).json()["photos"]
        post(f"/subjects/adele/photos/{photo['id']}", answer="discard")
        assert not Subject.objects.filter(external_id="adele").exists()

    def test_confirmed_beforehand(self, post) -> None:
        assert adele(post, confirm="true").status_code == 201

    def test_of_this_person_alone(self, post, ada: Subject) -> None:
        [photo] = adele(post).json()["photos"]
        other = post(f"/subjects/ada/photos/{photo['id']}", answer="enrol")
        assert (other.status_code, other.json()["code"]) == (404, "unknown_photo")
        assert ada.templates.count() == 1

    def test_an_unknown_answer(self, post) -> None:
        [photo] = adele(post).json()["photos"]
        assert post(f"/subjects/adele/photos/{photo['id']}", answer="x").status_code == 422


class TestFurtherPhotos:
    def test_added(self, post, ada: Subject) -> None:
        response = post("/subjects/ada/photos", photo=upload(portrait(ADA, 1)))
        assert response.status_code == 201
        assert len(response.json()["templates"]) == 2

    def test_one_of_somebody_else_waits(self, post, ada: Subject) -> None:
        response = post("/subjects/ada/photos", photo=upload(portrait(BOB)))
        [photo] = response.json()["photos"]
        assert (response.status_code, photo["reason"]) == (202, "outlier")

    def test_the_person_stays_if_none_can_be_used(self, post, ada: Subject) -> None:
        response = post("/subjects/ada/photos", photo=upload(nobody()))
        assert (response.status_code, response.json()["code"]) == (422, "no_photo_enrolled")
        assert "kept" not in response.json()["hint"]
        assert Subject.objects.filter(pk=ada.pk).exists()

    def test_of_nobody(self, post) -> None:
        assert post("/subjects/eve/photos", photo=upload(portrait(BOB))).status_code == 404


class TestCorrections:
    def test_this_is(self, post, ada: Subject) -> None:
        answer = post("/verify", external_id="ada", photo=upload(portrait(BOB, 1))).json()
        response = post(f"/attempts/{answer['attempt']}/corrections", kind="this_is")
        assert response.status_code == 201
        said = Correction.objects.get()
        assert response.json() == {
            "id": said.pk,
            "kind": "this_is",
            "external_id": "ada",
            "face": 0,
            "with_face": True,
            "state": "quarantined",
        }
        assert ada.templates.count() == 1  # nothing is used before it is accepted

    def test_not_this_person(self, post) -> None:
        answer = post("/identify", photo=upload(portrait(ADA, 1))).json()
        path = f"/attempts/{answer['attempt']}/corrections"
        assert post(path, kind="not_this_person", face="0").json()["external_id"] == "ada"
        assert post(path, kind="not_this_person", face="1").status_code == 404
        assert post(path, kind="nonsense").status_code == 422
        assert post(path, kind="this_is", external_id="eve", face="0").status_code == 404

    def test_of_ones_own_answers_alone(self, post, operator: User) -> None:
        answer = post("/verify", external_id="ada", photo=upload(portrait(ADA, 1))).json()
        _, other = create_api_key(user=operator, scopes=[Scope.RECOGNISE])
        response = post(
            f"/attempts/{answer['attempt']}/corrections",
            headers={"authorization": f"Bearer {other}"},
            kind="not_this_person",
        )
        assert (response.status_code, response.json()["code"]) == (404, "unknown_attempt")
        assert not Correction.objects.exists()
