"""Three roles, what each includes, and who may give them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.test import Client
from django.urls import reverse

from webapp.accounts.models import User
from webapp.accounts.roles import Role, give_role, has_role, roles_of
from webapp.accounts.services import create_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.PAINTER, {Role.PAINTER}),
        (Role.OPERATOR, {Role.OPERATOR, Role.PAINTER}),
        (Role.ADMINISTRATOR, set(Role)),
    ],
)
def test_a_role_includes_the_lower_ones(role: Role, expected: set[Role]) -> None:
    user = create_user(username="u", password="p", role=role)
    assert roles_of(user) == expected
    assert user.is_staff == (role is Role.ADMINISTRATOR)


def test_visitors_and_inactive_people_have_none() -> None:
    user = create_user(username="u", password="p", role=Role.OPERATOR)
    user.is_active = False
    assert roles_of(user) == set()
    assert roles_of(AnonymousUser()) == set()


def test_giving_a_role_replaces_the_former_one() -> None:
    user = create_user(username="u", password="p", role=Role.ADMINISTRATOR)
    give_role(user, Role.PAINTER)
    user = User.objects.get()
    assert not has_role(user, Role.OPERATOR)
    assert not user.is_staff


def test_administrators_handle_people_but_never_pictures() -> None:
    names = set(
        Group.objects.get(name="administrator").permissions.values_list("codename", flat=True)
    )
    assert {"add_user", "add_apikey", "delete_subject", "view_attempt"} <= names
    assert not {name for name in names if name.endswith("stylejob")}
    assert "change_attempt" not in names
    assert "delete_attempt" not in names


def test_an_administrator_cannot_touch_a_superuser(client: Client) -> None:
    root = User.objects.create_superuser(username="zeus", password="p")
    client.force_login(create_user(username="a", password="p", role=Role.ADMINISTRATOR))
    answer = client.get(reverse("admin:accounts_user_change", args=[root.pk]))
    assert answer.status_code == 302  # the admin's answer to what is not there
    assert "zeus" not in client.get(reverse("admin:accounts_user_changelist")).content.decode()


def test_an_administrator_makes_an_operator_in_the_admin(client: Client) -> None:
    client.force_login(create_user(username="a", password="p", role=Role.ADMINISTRATOR))
    secret = "correct horse battery"
    form = {"username": "op", "role": "operator", "password1": secret, "password2": secret}
    answer = client.post(reverse("admin:accounts_user_add"), {**form, "usable_password": "true"})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    assert roles_of(User.objects.get(username="op")) == {Role.OPERATOR, Role.PAINTER}


def test_status_is_for_administrators(client: Client, redis_url: str) -> None:
    assert client.get("/status/").status_code == 302
    client.force_login(create_user(username="p", password="p", role=Role.PAINTER))
    refused = client.get("/status/")
    assert refused.status_code == 403
    assert "Ask an administrator" in refused.content.decode()
    client.force_login(create_user(username="a", password="p", role=Role.ADMINISTRATOR))
    assert client.get("/status/").status_code == 200
