"""Sign in, the one-time link, sign-up by setting, the limit on tries."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from webapp.accounts.models import User
from webapp.accounts.roles import Role, roles_of
from webapp.accounts.services import create_user, ensure_first_administrator

pytestmark = [pytest.mark.django_db, pytest.mark.redis]


def test_the_first_administrator_is_made_once() -> None:
    first = ensure_first_administrator()
    assert first is not None
    assert first.username == "admin"
    assert User.objects.get().check_password(first.password)
    assert ensure_first_administrator() is None


def test_a_given_password_is_taken_and_not_told() -> None:
    first = ensure_first_administrator(username="eva", password="from outside")
    assert first is not None
    assert first.password == ""
    assert User.objects.get(username="eva").check_password("from outside")


def test_the_link_signs_in_once_and_only_by_its_button(client: Client) -> None:
    first = ensure_first_administrator()
    assert first is not None
    assert client.get(first.link_path).status_code == 200
    assert "_auth_user_id" not in client.session  # a link's preview does not use it up
    assert client.post(first.link_path).status_code == 302
    assert client.session["_auth_user_id"] == str(User.objects.get().pk)
    again = Client().post(first.link_path)
    assert again.status_code == 410
    assert "used already" in again.content.decode()


@pytest.mark.parametrize("path", ["/welcome/MQ/x-y/", "/welcome/%20/x/", "/welcome/AAAA/1-2/"])
def test_a_wrong_link_is_refused(client: Client, path: str) -> None:
    assert client.post(path).status_code == 410


def test_sign_up_is_closed_by_default(client: Client, settings: Settings) -> None:
    assert client.get(reverse("accounts:sign_up")).status_code == 404
    settings.SIGN_UP_OPEN = True
    secret = "correct horse battery"
    form = {"username": "new", "password1": secret, "password2": secret}
    assert client.post(reverse("accounts:sign_up"), form).status_code == 302
    assert roles_of(User.objects.get(username="new")) == {Role.PAINTER}


def test_sign_up_names_what_is_wrong(client: Client, settings: Settings) -> None:
    settings.SIGN_UP_OPEN = True
    form = {"username": "new", "password1": "123", "password2": "123"}
    answer = client.post(reverse("accounts:sign_up"), form)
    assert answer.status_code == 422
    assert "too short" in answer.content.decode()
    assert not User.objects.exists()


def test_guessing_passwords_is_slowed(client: Client, settings: Settings) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "sign-in": "3/minute"}
    create_user(username="u", password="right", role=Role.PAINTER)
    wrong = {"username": "u", "password": "wrong"}
    statuses = [
        client.post("/sign-in/", wrong, REMOTE_ADDR="198.51.100.7").status_code for _ in range(4)
    ]
    assert statuses == [200, 200, 200, 429]
    elsewhere = client.post("/sign-in/", wrong, REMOTE_ADDR="198.51.100.8")
    assert elsewhere.status_code == 200


def test_a_form_without_its_token_is_refused() -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/sign-in/", {"username": "u", "password": "p"}).status_code == 403


def test_pages_carry_a_strict_policy(client: Client) -> None:
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "script-src" not in policy  # falls to default-src: no inline script anywhere
    assert "object-src 'none'" in policy
