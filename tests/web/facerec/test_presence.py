"""Questions where the person must be there: a live check's own frame is compared, once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from facerec.models import Attempt, FacePolicy, Liveness, LivenessState, Purpose
from facerec.services import liveness_store as store
from facerec.services.attempts import start_identification, start_verification
from facerec.services.liveness import open_session
from facerec.services.photos import PROBE_LIFE, probe_key
from facerec.services.presence import presence_of, take_face
from tests.people import ADA, BOB, portrait
from tests.web.facerec.conftest import answered, enrolled, upload, verified
from tests.web.facerec.live import ended, frame_of, require
from tests.web.facerec.test_pages import ask
from webapp.accounts.models import User
from webapp.errors import UserFacingError
from webapp.jobs.models import Status
from webapp.jobs.redis import client as redis_client

NO_ID = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def ada(administrator: User):
    return enrolled(administrator)


@pytest.fixture
def face():
    return frame_of(portrait(ADA, 1))


@pytest.fixture
def post(house: None, key: dict[str, str]) -> Callable[..., Any]:
    def post(path: str, **data: Any) -> Any:
        return Client(raise_request_exception=False).post(f"/api/v1{path}", data, headers=key)

    return post


def refused(call: Callable[[], Any]) -> UserFacingError:
    with pytest.raises(UserFacingError) as error:
        call()
    return error.value


@pytest.mark.usefixtures("worker")
class TestOverTheApi:
    def test_verified_by_its_own_frame(self, post, ada, administrator: User, face) -> None:
        require(verification=True)
        session = ended(administrator, face=face)
        body = post("/verify", external_id="ada", liveness_session=session.pk).json()
        assert (body["outcome"], body["liveness"], body["reason"]) == ("match", "passed", None)
        attempt = Attempt.objects.get()
        assert attempt.liveness_session == session
        assert (attempt.width, attempt.height) == (480, 360)
        require(verification=False)
        assert body["distance"] == verified(administrator, ada, face).distance

    def test_another_persons_live_face_does_not_match(self, post, ada, administrator) -> None:
        session = ended(administrator, face=frame_of(portrait(BOB)))
        body = post("/verify", external_id="ada", liveness_session=session.pk).json()
        assert (body["outcome"], body["liveness"]) == ("no_match", "passed")

    def test_identified(self, post, ada, administrator: User, face) -> None:
        require(identification=True)
        session = ended(administrator, face=face, purpose=Purpose.IDENTIFICATION)
        body = post("/identify", liveness_session=session.pk).json()
        assert (body["outcome"], body["liveness"]) == ("match", "passed")
        assert [found["external_id"] for found in body["faces"]] == ["ada"]

    def test_only_the_judged_face_is_answered_for(self, post, ada, administrator: User) -> None:
        beside = frame_of(portrait(BOB), portrait(ADA, 1))  # Ada looks over Bob's shoulder
        body = post("/identify", photo=upload(beside)).json()
        assert {found["outcome"] for found in body["faces"]} == {"match", "not_recognized"}
        session = ended(administrator, face=beside, purpose=Purpose.IDENTIFICATION)
        body = post("/identify", liveness_session=session.pk).json()
        [judged] = body["faces"]
        assert (judged["outcome"], judged["external_id"]) == ("not_recognized", None)

    def test_a_second_use(self, post, ada, administrator: User, face) -> None:
        session = ended(administrator, face=face)
        first, again = (
            post("/verify", external_id="ada", liveness_session=session.pk) for _ in range(2)
        )
        assert first.status_code == 200
        assert (again.status_code, again.json()["code"]) == (409, "liveness_spent")
        assert Attempt.objects.count() == 1

    def test_one_that_was_not_passed(self, post, ada, administrator: User) -> None:
        for state in (LivenessState.FAILED, LivenessState.INCONCLUSIVE, LivenessState.ABANDONED):
            session = ended(administrator, state=state, begun=None)
            body = post("/verify", external_id="ada", liveness_session=session.pk).json()
            assert (body["outcome"], body["reason"]) == ("cannot_decide", "not_live")
            assert (body["liveness"], body["distance"], body["threshold"]) == ("failed", None, None)
            assert Attempt.objects.get(liveness_session=session).status == Status.DONE

    @pytest.mark.parametrize("with_photo", [True, False])
    def test_required_and_not_shown(self, post, ada, with_photo: bool) -> None:
        require(verification=True, identification=True)
        photo = {"photo": upload(portrait(ADA, 1))} if with_photo else {}
        verdict = post("/verify", external_id="ada", **photo).json()
        found = post("/identify", **photo).json()
        for body in (verdict, found):
            assert (body["outcome"], body["reason"]) == ("cannot_decide", "liveness_missing")
            assert body["liveness"] == "missing"
        assert found["faces"] == []
        assert set(Attempt.objects.values_list("distance", flat=True)) == {None}

    def test_each_mode_has_its_own_policy(self, post, ada) -> None:
        require(verification=False, identification=True)
        assert post("/identify", photo=upload(portrait(ADA, 1))).json()["faces"] == []
        body = post("/verify", external_id="ada", photo=upload(portrait(ADA, 1))).json()
        assert (body["outcome"], body["liveness"]) == ("match", None)

    def test_vouched_for(self, post, ada) -> None:
        require(verification=True, alternative=True)
        data = {"external_id": "ada", "photo": upload(portrait(ADA, 1)), "vouched": " at my desk "}
        body = post("/verify", **data).json()
        assert (body["outcome"], body["liveness"]) == ("match", "vouched")
        attempt = Attempt.objects.get()
        assert (attempt.operator, attempt.vouched) == ("grace", "at my desk")

    def test_nothing_said_is_not_vouched(self, post, ada) -> None:
        require(verification=True, alternative=True)
        data = {"external_id": "ada", "photo": upload(portrait(ADA, 1)), "vouched": "  "}
        assert post("/verify", **data).json()["reason"] == "liveness_missing"

    @pytest.mark.parametrize(
        ("data", "status", "code"),
        [
            ({"vouched": "at my desk"}, 403, "vouching_not_allowed"),
            ({"liveness_session": NO_ID}, 404, "unknown_session"),
            ({"liveness_session": "none"}, 422, "invalid_request"),
        ],
    )
    def test_refused(self, post, ada, data: dict, status: int, code: str) -> None:
        response = post("/verify", external_id="ada", **data)
        assert (response.status_code, response.json()["code"]) == (status, code)
        assert not Attempt.objects.exists()


class TestWhatIsTaken:
    """`presence_of`, before anything is asked."""

    def of(self, by: User, **options: Any) -> Any:
        return presence_of(mode=Purpose.VERIFICATION, by=by, has_photo=False, **options)

    def test_somebody_elses(self, operator: User, administrator: User) -> None:
        session = ended(administrator)
        assert refused(lambda: self.of(operator, session=session.pk)).code == "unknown_session"
        assert self.of(administrator, session=session.pk).session == session

    @pytest.mark.parametrize("purpose", [Purpose.IDENTIFICATION, Purpose.TRIAL, Purpose.RECORDING])
    def test_made_for_something_else(self, administrator: User, purpose: str) -> None:
        session = ended(administrator, purpose=purpose)
        error = refused(lambda: self.of(administrator, session=session.pk))
        assert (error.code, error.status) == ("liveness_purpose", 409)

    def test_not_finished(self, operator: User) -> None:
        session = open_session(purpose=Purpose.VERIFICATION, by=operator).session
        error = refused(lambda: self.of(operator, session=session.pk))
        assert (error.code, error.status) == ("liveness_not_finished", 409)

    @pytest.mark.parametrize("beside", [{"vouched": "at my desk"}, {"has_photo": True}])
    def test_a_photo_or_a_word_beside_it(self, operator: User, beside: dict) -> None:
        session = ended(operator)
        options = {"mode": "verification", "by": operator, "session": session.pk}
        error = refused(lambda: presence_of(**({"has_photo": False} | options | beside)))
        assert (error.code, error.status) == ("photo_and_session", 422)

    def test_too_many_words(self, operator: User) -> None:
        require(alternative=True)
        assert refused(lambda: self.of(operator, vouched="x" * 201)).code == "vouched_too_long"
        assert self.of(operator, vouched="x" * 200).liveness == Liveness.VOUCHED

    def test_not_asked_for(self, operator: User) -> None:
        presence = self.of(operator)
        assert (presence.liveness, presence.needs_photo) == ("", True)


class TestTheFrame:
    def test_it_lies_there_for_two_minutes_and_moves_once(self, operator: User) -> None:
        session = ended(operator)
        face = store.key_of(session.pk, "face")
        assert 115 < redis_client().ttl(face) <= 120
        attempt = start_verification(
            subject=None,  # type: ignore[arg-type]
            by=operator,
            presence=presence_of(
                mode="verification", by=operator, session=session.pk, has_photo=False
            ),
        )
        assert not redis_client().exists(face)
        assert 0 < redis_client().ttl(probe_key(attempt.pk)) <= PROBE_LIFE
        assert refused(lambda: take_face(session, attempt.pk)).code == "liveness_spent"

    def test_one_that_is_too_old(self, operator: User) -> None:
        session = ended(operator)
        redis_client().delete(store.key_of(session.pk, "face"))
        presence = presence_of(
            mode="identification",
            by=operator,
            session=ended(operator, purpose=Purpose.IDENTIFICATION).pk,
            has_photo=False,
        )
        redis_client().delete(store.key_of(presence.session.pk, "face"))
        error = refused(lambda: start_identification(by=operator, presence=presence))
        assert (error.code, error.status) == ("liveness_spent", 409)
        assert not Attempt.objects.exists()

    @pytest.mark.parametrize("state", [LivenessState.PASSED, LivenessState.FAILED])
    def test_of_many_at_once_one_gets_it(self, operator: User, state: str) -> None:
        session = ended(operator, state=state)
        outcomes: list[str] = []

        def use() -> None:
            try:
                presence = presence_of(
                    mode="verification", by=operator, session=session.pk, has_photo=False
                )
                start_verification(subject=None, by=operator, presence=presence)  # type: ignore[arg-type]
                outcomes.append("started")
            except UserFacingError as error:
                outcomes.append(error.code)
            finally:
                connection.close()

        threads = [threading.Thread(target=use) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["liveness_spent"] * 5 + ["started"]


class TestTheWorkersLook:
    def test_required_after_the_question_was_asked(self, ada, operator: User) -> None:
        attempt = start_verification(subject=ada, image=portrait(ADA, 1), by=operator)
        require(verification=True)
        answered(attempt)
        assert (attempt.outcome, attempt.reason) == ("cannot_decide", "liveness_missing")
        assert attempt.liveness == Liveness.MISSING
        assert not redis_client().exists(probe_key(attempt.pk))

    def test_who_asks_without_a_word_is_under_the_policy_too(self, ada, operator: User) -> None:
        require(verification=True)
        attempt = start_verification(subject=ada, image=portrait(ADA, 1), by=operator)
        assert (attempt.status, attempt.reason) == (Status.DONE, "liveness_missing")
        assert not redis_client().exists(probe_key(attempt.pk))


@pytest.mark.usefixtures("worker")
class TestOnThePages:
    @pytest.fixture
    def client(self, signed_in, operator: User) -> Client:
        return signed_in(operator)

    def test_verified_and_identified(self, client: Client, ada, operator: User, face) -> None:
        require(verification=True, identification=True)
        session = ended(operator, face=face)
        _, answer = ask(client, "/verify/", subject="ada", liveness_session=str(session.pk))
        assert "It is Ada Example" in answer
        assert "Live check passed" in answer
        session = ended(operator, face=face, purpose=Purpose.IDENTIFICATION)
        _, answer = ask(client, "/identify/", liveness_session=str(session.pk))
        assert "Ada Example" in answer

    def test_required_and_not_shown(self, client: Client, ada) -> None:
        require(verification=True)
        _, answer = ask(client, "/verify/", subject="ada", photo=upload(portrait(ADA, 1)))
        assert "Cannot decide" in answer
        assert "A live check is required here" in answer

    def test_vouched_for(self, client: Client, ada) -> None:
        require(verification=True, alternative=True)
        photo = upload(portrait(ADA, 1))
        _, answer = ask(client, "/verify/", subject="ada", photo=photo, vouched="known to me")
        assert "It is Ada Example" in answer
        assert "olive vouched for the person (known to me)" in answer

    @pytest.mark.parametrize(
        ("data", "status", "sentence"),
        [
            ({"liveness_session": "x"}, 404, "There is no such live check"),
            ({"vouched": "known to me"}, 403, "Nobody may vouch for a person"),
            ({}, 400, "There is no picture"),
        ],
    )
    def test_refused_with_a_sentence(
        self, client: Client, ada, data: dict, status: int, sentence: str
    ) -> None:
        response = client.post("/verify/", {"subject": "ada"} | data)
        assert response.status_code == status
        assert sentence in response.content.decode()
        assert not Attempt.objects.exists()

    def test_the_policy_is_told_to_the_pages(self, client: Client, ada) -> None:
        FacePolicy.objects.all().delete()
        live = client.get("/verify/").context["live"]
        assert live == {"purpose": "verification", "required": False, "alternative": False}
        require(identification=True, alternative=True)
        live = client.get("/identify/").context["live"]
        assert live == {"purpose": "identification", "required": True, "alternative": True}
