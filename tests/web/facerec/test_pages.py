"""Verify and Identify in the browser, and who may see what."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from facerec.models import Attempt
from tests.people import ADA, BOB, group, nobody, portrait
from tests.web.bad_pictures import REFUSED, Refused
from tests.web.facerec.conftest import (
    enrolled,
    identified,
    twin_of,
    until,
    upload,
    verified,
)
from webapp.accounts.models import User

VERIFY, IDENTIFY = "/verify/", "/identify/"
HTMX = {"hx-request": "true"}


def ask(client: Client, path: str, **data: Any) -> tuple[Any, str]:
    """Post as the page does; the response, and the answer's fragment once there is one."""
    response = client.post(path, data, headers=HTMX)
    assert response.status_code == 202
    assert response.headers["HX-Retarget"] == "#answer"
    [url] = set(re.findall(r"/attempts/[0-9a-f-]+/", response.content.decode()))
    until(lambda: Attempt.objects.get(pk=url.split("/")[2]).is_final)
    return response, client.get(url, headers=HTMX).content.decode()


@pytest.fixture
def client(signed_in, operator: User) -> Client:
    return signed_in(operator)


class TestWhoMay:
    @pytest.mark.parametrize("path", [VERIFY, IDENTIFY, "/verify/people/"])
    def test_visitors_sign_in_first(self, house, path: str) -> None:
        response = Client().get(path)
        assert response.status_code == 302
        assert response.url == f"{reverse('accounts:sign_in')}?next={path}"

    @pytest.mark.parametrize("path", [VERIFY, IDENTIFY, "/verify/people/"])
    def test_painters_may_not(self, painter: User, signed_in, path: str) -> None:
        response = signed_in(painter).get(path)
        assert response.status_code == 403
        assert "may not verify and identify people" in response.content.decode()
        assert signed_in(painter).post(path, {"photo": upload(nobody())}).status_code == 403
        assert not Attempt.objects.exists()

    def test_operators_and_administrators_may(self, client, administrator, signed_in) -> None:
        for one in (client, signed_in(administrator)):
            assert one.get(VERIFY).status_code == one.get(IDENTIFY).status_code == 200

    def test_only_who_asked_sees_the_answer(
        self, administrator: User, operator: User, signed_in
    ) -> None:
        attempt = verified(operator, enrolled(administrator), portrait(ADA, 1))
        url = attempt.get_absolute_url()
        assert signed_in(operator).get(url).status_code == 200
        assert signed_in(administrator).get(url).status_code == 404
        assert Client().get(url).status_code == 302
        assert (
            signed_in(operator).get(f"/attempts/{'0' * 8}-0000-4000-8000-{'0' * 12}/").status_code
            == 404
        )

    def test_enrolment_is_told_to_administrators_alone(
        self, administrator: User, operator: User
    ) -> None:
        enrolment = enrolled(administrator).enrolments.get()
        assert enrolment.visible_to(administrator)
        assert not enrolment.visible_to(operator)


@pytest.mark.usefixtures("worker")
class TestVerify:
    def test_match(self, client: Client, administrator: User) -> None:
        enrolled(administrator)
        _, answer = ask(client, VERIFY, subject="ada", photo=upload(portrait(ADA, 1)))
        assert 'data-outcome="match"' in answer
        assert "It is Ada Example" in answer
        attempt = Attempt.objects.get()
        assert f"d = {attempt.distance:.3f}" in answer
        assert f"τ = {attempt.threshold:.3f}" in answer
        assert "one in 1,000 strangers would pass" in answer

    def test_no_match(self, client: Client, administrator: User) -> None:
        enrolled(administrator)
        _, answer = ask(client, VERIFY, subject="Ada Example", photo=upload(portrait(BOB)))
        assert 'data-outcome="no_match"' in answer
        assert "It is not Ada Example" in answer

    def test_cannot_decide(self, client: Client, administrator: User) -> None:
        enrolled(administrator)
        _, answer = ask(client, VERIFY, subject="ada", photo=upload(nobody()))
        assert "Cannot decide" in answer
        assert "No face was found." in answer
        assert 'class="ruler' not in answer

    def test_without_scripts(self, client: Client, administrator: User) -> None:
        enrolled(administrator)
        data = {"subject": "ada", "photo": upload(portrait(ADA, 1))}
        response = client.post(VERIFY, data)
        assert response.status_code == 302
        until(lambda: Attempt.objects.get().is_final)
        page = client.get(response.url).content.decode()
        assert "<!doctype html>" in page
        assert "It is Ada Example" in page


@pytest.mark.usefixtures("worker")
def test_identify_boxes_each_face(client: Client, administrator: User) -> None:
    enrolled(administrator)
    _, answer = ask(client, IDENTIFY, photo=upload(group()))
    assert answer.count('class="facebox') == 2
    assert answer.count('class="facebox match"') == 1
    assert "Ada Example" in answer
    assert "Not recognized" in answer
    boxes = re.findall(r"--x: ([\d.]+); --y: ([\d.]+); --w: ([\d.]+); --h: ([\d.]+)", answer)
    for x, y, w, h in (map(float, box) for box in boxes):
        assert 0 <= x < x + w <= 100
        assert 0 <= y < y + h <= 100
    assert "data:image" not in answer  # the photo is the browser's own and never comes back


class TestProblems:
    def test_nothing_given(self, client: Client) -> None:
        response = client.post(VERIFY, {}, headers=HTMX)
        assert response.status_code == 422
        page = response.content.decode()
        assert "2 things need a look" in page
        assert 'href="#id_subject"' in page
        assert 'href="#id_photo"' in page
        assert 'id="photo-error" hx-swap-oob="true"' in page
        assert "drop-zone" not in page  # the chosen file is not swapped away

    def test_an_unknown_person(self, client: Client) -> None:
        response = client.post(
            VERIFY, {"subject": "Eve", "photo": upload(portrait(ADA))}, headers=HTMX
        )
        assert response.status_code == 404
        assert "Nobody with this name" in response.content.decode()
        assert Attempt.objects.get().reason == "unknown_person"

    def test_what_was_typed_is_kept_without_scripts(self, client: Client) -> None:
        response = client.post(VERIFY, {"subject": "Eve <b>"})
        assert response.status_code == 404
        assert 'value="Eve &lt;b&gt;"' in response.content.decode()

    @pytest.mark.parametrize("bad", REFUSED.values(), ids=REFUSED)
    def test_bad_pictures(self, client: Client, bad: Refused) -> None:
        response = client.post(IDENTIFY, {"photo": upload(bad.make())}, headers=HTMX)
        assert response.status_code == bad.status
        page = response.content.decode()
        assert 'role="alert"' in page
        assert "Traceback" not in page
        assert not Attempt.objects.exists()

    def test_no_file(self, client: Client) -> None:
        response = client.post(IDENTIFY, {}, headers=HTMX)
        assert response.status_code == 400
        assert "There is no picture." in response.content.decode()

    def test_redis_away(self, client: Client, settings, administrator: User) -> None:
        enrolled(administrator)
        settings.REDIS_URL = "redis://127.0.0.1:1"
        data = {"subject": "ada", "photo": upload(portrait(ADA))}
        response = client.post(VERIFY, data, headers=HTMX)
        assert response.status_code == 503
        assert "Try again in a few seconds" in response.content.decode()
        assert not Attempt.objects.exists()


class TestRunnerUp:
    def test_who_came_next_is_for_administrators(
        self, client: Client, administrator: User, operator: User, signed_in
    ) -> None:
        enrolled(administrator)
        enrolled(administrator, BOB, who="Bob Example")
        mine = identified(operator, portrait(ADA, 1))
        face = mine.faces.get()
        page = client.get(mine.get_absolute_url(), headers=HTMX).content.decode()
        assert f"Next nearest: another person, {face.margin:.3f} farther" in page
        assert "Bob Example" not in page
        own = identified(administrator, portrait(ADA, 1))
        theirs = signed_in(administrator).get(own.get_absolute_url(), headers=HTMX)
        assert "Next nearest: Bob Example (bob)" in theirs.content.decode()

    def test_two_too_close(
        self, client: Client, administrator: User, operator: User, signed_in
    ) -> None:
        twin_of(enrolled(administrator))
        attempt = identified(operator, portrait(ADA, 1))
        page = client.get(attempt.get_absolute_url(), headers=HTMX).content.decode()
        assert 'data-outcome="cannot_decide"' in page
        assert "Two enrolled people are about equally near" in page
        assert "The two people differ by 0.000" in page
        assert "Ada Example" not in page
        own = identified(administrator, portrait(ADA, 1))
        theirs = signed_in(administrator).get(own.get_absolute_url(), headers=HTMX)
        assert "Ada Example (ada) and Ada Twin (twin) differ by 0.000" in theirs.content.decode()


def test_suggestions(client: Client, administrator: User) -> None:
    enrolled(administrator)
    enrolled(administrator, BOB, who="Bob Example")
    everybody = client.get("/verify/people/").content.decode()
    assert '<option value="ada">Ada Example</option>' in everybody
    assert "Bob Example" in everybody
    assert "Bob" not in client.get("/verify/people/?subject=ad").content.decode()


def test_pages_say_what_is_missing_when_nobody_is_enrolled(
    client: Client, administrator: User, signed_in
) -> None:
    assert "Nobody is enrolled yet" in client.get(VERIFY).content.decode()
    assert "Enrol somebody" not in client.get(IDENTIFY).content.decode()
    assert "Enrol somebody" in signed_in(administrator).get(IDENTIFY).content.decode()


def test_an_answer_after_deletion_names_nobody(
    client: Client, operator: User, administrator: User
) -> None:
    ada = enrolled(administrator)
    one, other = verified(operator, ada, portrait(ADA, 1)), identified(operator, portrait(ADA, 1))
    ada.delete()
    for attempt in (one, other):
        page = client.get(attempt.get_absolute_url(), headers=HTMX).content.decode()
        assert "Ada" not in page
        assert 'data-outcome="match"' in page
