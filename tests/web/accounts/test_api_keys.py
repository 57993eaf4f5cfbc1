"""Keys: stored hashed, scoped, revocable; and the API's errors."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from webapp.accounts.models import ApiKey, Scope
from webapp.accounts.roles import Role
from webapp.accounts.services import api_key_for, create_api_key, create_user
from webapp.errors import UserFacingError

pytestmark = [pytest.mark.django_db, pytest.mark.redis]


def test_only_the_hash_is_stored() -> None:
    user = create_user(username="u", password="p", role=Role.PAINTER)
    key, secret = create_api_key(user=user, label="script")
    row = ApiKey.objects.values().get()
    assert secret not in str(row)
    assert secret.startswith(key.shown)
    assert api_key_for(secret=secret) == key
    assert api_key_for(secret=secret + "x") is None


def test_a_revoked_key_and_an_inactive_user_are_out() -> None:
    user = create_user(username="u", password="p", role=Role.PAINTER)
    key, secret = create_api_key(user=user)
    key.revoke()
    assert api_key_for(secret=secret) is None
    _, second = create_api_key(user=user)
    user.is_active = False
    user.save()
    assert api_key_for(secret=second) is None


def test_a_scope_never_reaches_beyond_the_role() -> None:
    painter = create_user(username="u", password="p", role=Role.PAINTER)
    key, _ = create_api_key(user=painter)
    assert key.allows(Scope.PAINT)
    assert not key.allows(Scope.RECOGNISE)
    admin = create_user(username="a", password="p", role=Role.ADMINISTRATOR)
    narrow, _ = create_api_key(user=admin, scopes=["recognise"])
    assert narrow.allows(Scope.RECOGNISE)
    assert not narrow.allows(Scope.SUBJECTS)


def test_an_unknown_scope_is_named() -> None:
    user = create_user(username="u", password="p", role=Role.PAINTER)
    with pytest.raises(UserFacingError, match="everything"):
        create_api_key(user=user, scopes=["everything"])


def test_the_command_prints_the_key_alone_on_stdout() -> None:
    create_user(username="u", password="p", role=Role.PAINTER)
    out = io.StringIO()
    call_command("create_api_key", user="u", stdout=out, stderr=io.StringIO())
    assert api_key_for(secret=out.getvalue().strip()) is not None
    with pytest.raises(CommandError, match="no user 'nobody'"):
        call_command("create_api_key", user="nobody")


def test_the_admin_shows_a_new_key_once(client: Client) -> None:
    admin = create_user(username="a", password="p", role=Role.ADMINISTRATOR)
    client.force_login(admin)
    form = {"user": admin.pk, "label": "door", "scopes": ["recognise"]}
    page = client.post(reverse("admin:accounts_apikey_add"), form, follow=True).content.decode()
    key = ApiKey.objects.get()
    secret = page.split("not shown again: ")[1].split("<")[0].split()[0]
    assert api_key_for(secret=secret) == key
    assert key.scopes == ["recognise"]
    again = client.get(reverse("admin:accounts_apikey_changelist")).content.decode()
    assert secret not in again
    change = reverse("admin:accounts_apikey_change", args=[key.pk])
    assert secret not in client.get(change).content.decode()


@pytest.mark.parametrize(
    "header", [{}, {"authorization": "Bearer lk_wrong"}, {"authorization": "x"}]
)
def test_without_a_valid_key_the_api_says_so(client: Client, header: dict[str, str]) -> None:
    answer = client.get("/api/v1/subjects/E-1", headers=header)
    assert answer.status_code == 401
    assert answer.json()["code"] == "no_valid_key"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_key_of_the_wrong_scope_is_told_which_is_missing(client: Client) -> None:
    painter = create_user(username="u", password="p", role=Role.PAINTER)
    _, secret = create_api_key(user=painter)
    answer = client.get("/api/v1/subjects/E-1", headers={"authorization": f"Bearer {secret}"})
    assert answer.status_code == 403
    body = answer.json()
    assert body["code"] == "key_not_allowed"
    assert "subjects" in body["hint"]


def test_a_session_alone_does_not_open_the_api(client: Client) -> None:
    client.force_login(create_user(username="a", password="p", role=Role.ADMINISTRATOR))
    assert client.get("/api/v1/subjects/E-1").status_code == 401


def test_the_docs_are_there(client: Client) -> None:
    assert client.get("/api/v1/docs").status_code == 200
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    assert "/api/v1/verify" in paths
    assert "/api/v1/style-jobs" in paths
