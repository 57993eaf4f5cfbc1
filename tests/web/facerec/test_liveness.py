"""Live checks: who may open one, when there is a pause, and how one that nobody ends is ended."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from facerec.core.liveness.challenge import STEPS
from facerec.models import Attempt, FacePolicy, LivenessSession, LivenessState, Purpose
from facerec.services import liveness_store as store
from facerec.services.liveness import (
    OPEN_AT_ONCE,
    TIME_TO_BEGIN,
    NotBegun,
    Refusal,
    begin,
    find_session,
    open_session,
    settle,
    settle_stale,
)
from facerec.services.liveness_lock import locked_until
from tests.people import ADA, portrait
from tests.web.facerec.conftest import enrolled, verified
from tests.web.facerec.live import ended
from webapp.accounts.models import Scope, User
from webapp.accounts.roles import sync_roles
from webapp.accounts.services import create_api_key
from webapp.errors import UserFacingError
from webapp.jobs.redis import client as redis_client

PAGE, API = "/liveness/sessions/", "/api/v1/liveness-sessions"


@pytest.fixture
def client(signed_in, operator: User) -> Client:
    return signed_in(operator)


def guard(user: User, *scopes: Scope) -> dict[str, str]:
    secret = create_api_key(user=user, scopes=scopes or [Scope.RECOGNISE])[1]
    return {"authorization": f"Bearer {secret}"}


def refused(call: Callable[[], Any]) -> UserFacingError:
    with pytest.raises(UserFacingError) as error:
        call()
    return error.value


class TestOpening:
    def test_by_the_page(self, client: Client, operator: User) -> None:
        response = client.post(PAGE, {"purpose": "verification"})
        assert response.status_code == 201
        body = response.json()
        session = LivenessSession.objects.get()
        assert body == {
            "id": str(session.pk),
            "nonce": body["nonce"],
            "socket": f"/ws/liveness/{session.pk}/",
            "expires_in": 120,
            "steps": STEPS,
            "width": 480,
            "height": 360,
            "fps": 10,
            "credits": 3,
            "max_bytes": 100_000,
        }
        assert (session.owner, session.operator, session.api_key) == (operator, "olive", None)
        assert session.state == LivenessState.WAITING
        assert session.expires - timezone.now() <= TIME_TO_BEGIN

    def test_as_many_movements_as_the_policy_says(self, operator: User) -> None:
        FacePolicy.objects.create(pk=1, liveness_steps=4)
        opened = open_session(purpose="verification", by=operator)
        assert opened.as_dict()["steps"] == len(opened.session.challenge) == 4

    @pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
    def test_by_the_api(self, house, operator: User, kind: str) -> None:
        sent = '{"purpose": "identification"}' if "json" in kind else "purpose=identification"
        response = Client().post(API, sent, content_type=kind, headers=guard(operator))
        assert response.status_code == 201
        session = LivenessSession.objects.get()
        assert response.json()["id"] == str(session.pk)
        assert (session.purpose, session.api_key.user) == ("identification", operator)

    def test_of_the_nonce_only_the_hash_is_kept(self, operator: User) -> None:
        opened = open_session(purpose=Purpose.VERIFICATION, by=operator)
        assert len(opened.nonce) >= 43  # 256 bits
        kept = str(LivenessSession.objects.values().get())
        assert opened.nonce not in kept
        assert hashlib.sha256(opened.nonce.encode()).hexdigest() in kept

    def test_nobody_is_told_the_challenge(self, client: Client, operator: User) -> None:
        said = client.post(PAGE, {"purpose": "verification"}).content.decode()
        [movement, *_] = [step["movement"] for step in LivenessSession.objects.get().challenge]
        assert movement not in said

    def test_but_whoever_records_for_the_bench(self, administrator: User, signed_in) -> None:
        body = signed_in(administrator).post(PAGE, {"purpose": "recording"}).json()
        assert body["challenge"] == LivenessSession.objects.get().challenge

    def test_challenges_differ(self, operator: User) -> None:
        asked = {
            str(open_session(purpose=Purpose.VERIFICATION, by=operator).session.challenge)
            for _ in range(8)
        }
        assert len(asked) == 8

    @pytest.mark.parametrize("purpose", ["", "entry"])
    def test_a_purpose_is_needed(self, client: Client, purpose: str) -> None:
        response = client.post(PAGE, {"purpose": purpose})
        assert (response.status_code, response.json()["code"]) == (422, "unknown_purpose")

    @pytest.mark.parametrize("purpose", [Purpose.TRIAL, Purpose.RECORDING])
    def test_trials_and_recordings_are_for_administrators(
        self, client: Client, administrator: User, purpose: str
    ) -> None:
        response = client.post(PAGE, {"purpose": purpose})
        assert (response.status_code, response.json()["code"]) == (403, "not_allowed")
        assert open_session(purpose=purpose, by=administrator)

    def test_a_painter_may_not(self, painter: User, signed_in) -> None:
        assert signed_in(painter).post(PAGE, {"purpose": "verification"}).status_code == 403
        assert not LivenessSession.objects.exists()

    def test_a_visitor_signs_in_first(self, house) -> None:
        assert Client().post(PAGE, {"purpose": "verification"}).status_code == 302

    def test_another_sites_form_opens_nothing(self, operator: User) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(operator)
        assert browser.post(PAGE, {"purpose": "verification"}).status_code == 403
        assert not LivenessSession.objects.exists()

    def test_a_key_needs_the_scope(self, administrator: User) -> None:
        headers = guard(administrator, Scope.PAINT)
        response = Client().post(API, {"purpose": "verification"}, headers=headers)
        assert (response.status_code, response.json()["code"]) == (403, "key_not_allowed")
        assert Client().post(API, {"purpose": "verification"}).status_code == 401

    @pytest.mark.parametrize("body", ["[]", "{", '"verification"', '{"purpose": {}}'])
    def test_json_that_says_nothing(self, operator: User, body: str) -> None:
        response = Client().post(
            API, body, content_type="application/json", headers=guard(operator)
        )
        assert (response.status_code, response.json()["code"]) == (422, "unknown_purpose")

    def test_too_often(self, client: Client, settings) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "liveness": "2/minute"}
        codes = [client.post(PAGE, {"purpose": "verification"}).status_code for _ in range(3)]
        assert codes == [201, 201, 429]


class TestHowOneStands:
    def test_its_owner_is_told_the_state_and_no_more(self, client: Client, operator: User) -> None:
        session = ended(operator, state=LivenessState.FAILED, grounds=["flat"], scores={"n": 1.0})
        for answer in (
            client.get(f"{PAGE}{session.pk}/"),
            Client().get(f"{API}/{session.pk}", headers=guard(operator)),
        ):
            assert answer.json() == {"id": str(session.pk), "state": "failed"}

    def test_nobody_else_is(self, client: Client, administrator: User) -> None:
        session = ended(administrator)
        assert client.get(f"{PAGE}{session.pk}/").status_code == 404
        response = client.get(f"{PAGE}00000000-0000-0000-0000-000000000000/")
        assert (response.status_code, response.json()["code"]) == (404, "unknown_session")


class TestSeveralAtOnce:
    def test_a_page_that_was_loaded_anew_ends_the_one_that_waits(self, operator: User) -> None:
        first = open_session(purpose=Purpose.VERIFICATION, by=operator).session
        second = open_session(purpose=Purpose.VERIFICATION, by=operator).session
        first.refresh_from_db()
        assert (first.state, second.state) == (LivenessState.ABANDONED, LivenessState.WAITING)
        assert locked_until(operator) is None  # nothing was told, so nothing was failed

    def test_but_never_one_that_runs(self, operator: User) -> None:
        opened = open_session(purpose=Purpose.VERIFICATION, by=operator)
        running = begin(session=opened.session, nonce=opened.nonce, holder="a").session
        open_session(purpose=Purpose.VERIFICATION, by=operator)
        running.refresh_from_db()
        assert running.state == LivenessState.RUNNING

    def test_a_key_has_a_few(self, operator: User) -> None:
        key = create_api_key(user=operator)[0]
        for _ in range(OPEN_AT_ONCE):
            open_session(purpose=Purpose.VERIFICATION, by=operator, api_key=key)
        error = refused(
            lambda: open_session(purpose=Purpose.VERIFICATION, by=operator, api_key=key)
        )
        assert (error.code, error.status) == ("liveness_busy", 429)
        assert open_session(purpose=Purpose.VERIFICATION, by=operator)  # the page has its own


class TestLock:
    def fail(self, by: User, *ago: float, **fields: Any) -> None:
        for seconds in ago:
            ended(by, ago=seconds, **({"state": LivenessState.FAILED} | fields))

    def open(self, by: User) -> Any:
        return open_session(purpose=Purpose.VERIFICATION, by=by)

    def test_five_failures_in_three_minutes(self, operator: User) -> None:
        self.fail(operator, 170, 120, 60, 30)
        self.open(operator)
        self.fail(operator, 1)
        error = refused(lambda: self.open(operator))
        assert (error.code, error.status) == ("liveness_locked", 429)
        assert 295 <= error.details["seconds"] <= 299
        assert "5 minutes" in error.hint

    def test_it_lasts_five_minutes_from_the_fifth(self, operator: User) -> None:
        self.fail(operator, 450, 400, 350, 310, 295)
        error = refused(lambda: self.open(operator))
        assert error.details["seconds"] in (4, 5)
        assert "seconds" in error.hint
        LivenessSession.objects.update(finished=timezone.now() - timedelta(seconds=301))
        self.open(operator)

    def test_a_slower_five_do_not(self, operator: User) -> None:
        self.fail(operator, 200, 150, 100, 50, 1)
        self.open(operator)

    @pytest.mark.parametrize("state", [LivenessState.INCONCLUSIVE, LivenessState.ABANDONED])
    def test_breaking_off_what_goes_wrong_does_not_help(self, operator: User, state: str) -> None:
        self.fail(operator, 5, 4, 3, 2, 1, state=state)
        assert refused(lambda: self.open(operator)).code == "liveness_locked"

    def test_what_was_never_told_a_movement_does_not_count(self, operator: User) -> None:
        self.fail(operator, 5, 4, 3, 2, 1, begun=None)
        self.open(operator)

    @pytest.mark.parametrize(
        "fields", [{"state": LivenessState.PASSED}, {"purpose": Purpose.RECORDING}]
    )
    def test_nor_do_passes_and_recordings(self, administrator: User, fields: dict) -> None:
        self.fail(administrator, 5, 4, 3, 2, 1, **fields)
        self.open(administrator)

    def test_a_pass_in_between_does_not_help(self, operator: User) -> None:
        self.fail(operator, 9, 8, 7, 6)
        ended(operator, ago=5)
        self.fail(operator, 1)
        assert refused(lambda: self.open(operator)).code == "liveness_locked"

    def test_others_are_not_locked(self, operator: User, administrator: User) -> None:
        self.fail(operator, 5, 4, 3, 2, 1)
        self.open(administrator)

    def test_one_that_was_opened_before_is_not_begun(self, operator: User) -> None:
        opened = self.open(operator)
        self.fail(operator, 5, 4, 3, 2, 1)
        with pytest.raises(NotBegun) as refusal:
            begin(session=opened.session, nonce=opened.nonce, holder="a")
        assert refusal.value.why is Refusal.OVER

    def test_the_page_is_told_when(self, client: Client, operator: User) -> None:
        self.fail(operator, 5, 4, 3, 2, 1)
        response = client.post(PAGE, {"purpose": "verification"})
        assert (response.status_code, response.json()["code"]) == (429, "liveness_locked")
        assert "Try again in" in response.json()["hint"]


class TestEnds:
    @pytest.fixture
    def waiting(self, operator: User) -> LivenessSession:
        return open_session(purpose=Purpose.VERIFICATION, by=operator).session

    @pytest.fixture
    def running(self, operator: User) -> LivenessSession:
        opened = open_session(purpose=Purpose.VERIFICATION, by=operator)
        return begin(session=opened.session, nonce=opened.nonce, holder="a").session

    def late(self, session: LivenessSession, by: float) -> LivenessSession:
        session.expires = timezone.now() - timedelta(seconds=by)
        session.save()
        return session

    def test_one_that_nobody_began(self, waiting: LivenessSession, operator: User) -> None:
        assert settle(waiting).state == LivenessState.WAITING
        self.late(waiting, 0.1)
        found = find_session(session_id=waiting.pk, by=operator)
        assert (found.state, found.finished) == (LivenessState.ABANDONED, waiting.expires)

    def test_one_that_ran_too_long(self, running: LivenessSession) -> None:
        assert settle(self.late(running, 1)).state == LivenessState.RUNNING  # the judge's moment
        assert settle(self.late(running, 4)).state == LivenessState.ABANDONED

    def test_one_that_fell_silent(self, running: LivenessSession) -> None:
        assert settle(running).state == LivenessState.RUNNING
        redis_client().set(store.key_of(running.pk, "seen"), f"{time.time() - 11:.6f}")
        settle_stale()
        running.refresh_from_db()
        assert running.state == LivenessState.ABANDONED

    def test_one_that_redis_forgot(self, running: LivenessSession) -> None:
        redis_client().flushall()
        assert settle(running).state == LivenessState.ABANDONED

    def test_a_verdict_stays(self, operator: User) -> None:
        passed = self.late(ended(operator), 100)
        assert settle(passed).state == LivenessState.PASSED

    def test_what_it_had_in_redis_goes_with_it(self, running: LivenessSession) -> None:
        redis_client().rpush(store.key_of(running.pk, "frames"), b"frame")
        redis_client().set(store.key_of(running.pk, "judge"), b"knows")
        settle(self.late(running, 4))
        left = {key.decode().rpartition(":")[2] for key in redis_client().scan_iter("liveness:*")}
        assert left == {"holder", "seen"}  # which run out by themselves


class TestAuditLog:
    @pytest.fixture
    def admin(self, administrator: User, signed_in) -> Client:
        sync_roles()
        return signed_in(administrator)

    def test_what_it_shows(self, admin: Client, operator: User) -> None:
        scores = {"parallax_1": 0.01234567, "cues": None}
        session = ended(operator, state=LivenessState.FAILED, grounds=["flat"], scores=scores)
        page = admin.get("/admin/facerec/livenesssession/").content.decode()
        for shown in ("olive", "flat", "9.0 s"):
            assert shown in page
        url = reverse("admin:facerec_livenesssession_change", args=[session.pk])
        one = admin.get(url).content.decode()
        for shown in ("parallax 1", "0.01235", "not measured", "turn left"):
            assert shown in one
        assert admin.post(url, {"state": "passed"}).status_code == 403

    def test_a_question_and_its_live_check_name_each_other(
        self, admin: Client, administrator: User, operator: User
    ) -> None:
        session = ended(operator)
        attempt = verified(operator, enrolled(administrator), portrait(ADA, 1))
        Attempt.objects.filter(pk=attempt.pk).update(liveness_session=session, liveness="passed")
        of_session = reverse("admin:facerec_livenesssession_change", args=[session.pk])
        of_attempt = reverse("admin:facerec_attempt_change", args=[attempt.pk])
        assert of_attempt in admin.get(of_session).content.decode()
        page = admin.get(of_attempt).content.decode()
        assert of_session in page
        assert "Live check passed" in page

    def test_who_vouched_and_how(self, admin: Client, operator: User) -> None:
        attempt = Attempt.objects.create(
            owner=operator,
            operator="olive",
            mode="verification",
            liveness="vouched",
            vouched="stands before me",
        )
        url = reverse("admin:facerec_attempt_change", args=[attempt.pk])
        page = admin.get(url).content.decode()
        assert "olive vouched for the person (stands before me)" in page
        found = admin.get("/admin/facerec/attempt/?liveness__exact=vouched").context["cl"]
        assert found.result_count == 1

    def test_an_operator_does_not_get_in(self, client: Client) -> None:
        assert client.get("/admin/facerec/livenesssession/").status_code == 302

    def test_no_column_could_hold_a_picture(self) -> None:
        kinds = {field.get_internal_type() for field in LivenessSession._meta.fields}
        assert not kinds & {"BinaryField", "FileField", "ImageField"}
