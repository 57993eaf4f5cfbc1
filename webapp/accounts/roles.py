"""Who may do what: three roles, kept as Django groups.

A painter makes pictures of their own. An operator also verifies and identifies. An administrator
also enrols people, reads the log and hands out keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from webapp.accounts.models import User


class Role(StrEnum):
    PAINTER = "painter"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"


INCLUDED = {
    Role.PAINTER: {Role.PAINTER},
    Role.OPERATOR: {Role.OPERATOR, Role.PAINTER},
    Role.ADMINISTRATOR: {Role.ADMINISTRATOR, Role.OPERATOR, Role.PAINTER},
}

# Which models an administrator handles in the admin; what is missing there is read-only or absent.
ADMIN_PERMISSIONS = {
    "facerec": {
        "subject": "add change delete view",
        "facetemplate": "view delete",
        "enrolment": "add view",
        "enrolmentphoto": "view",
        "attempt": "view",
        "livenesssession": "view",
    },
    "styletransfer": {
        "stylejob": "",
        "piece": "",
        "mining": "",
    },  # what is made here is its maker's alone
    "accounts": {"user": "add change delete view", "apikey": "add change delete view"},
}


def roles_of(user: User | AnonymousUser) -> set[Role]:
    """The roles that a person has, those included in a higher one counted in."""
    if not user.is_authenticated or not user.is_active:
        return set()
    if user.is_superuser:
        return set(Role)
    held: Iterable[str] = user.groups.values_list("name", flat=True)
    return set().union(*(INCLUDED[Role(name)] for name in held if name in set(Role)))


def has_role(user: User | AnonymousUser, role: Role) -> bool:
    return role in roles_of(user)


def give_role(user: User, role: Role) -> None:
    """Give a person one role instead of any they had; administrators may open the admin panel."""
    from django.contrib.auth.models import Group

    user.groups.set([Group.objects.get_or_create(name=role.value)[0]])
    user.is_staff = role is Role.ADMINISTRATOR
    user.save(update_fields=["is_staff"])


def sync_roles(**_: Any) -> None:
    """Make the groups and give the administrators' one its permissions (after every migrate)."""
    from django.contrib.auth.models import Group, Permission
    from django.db.models import Q

    for role in Role:
        Group.objects.get_or_create(name=role.value)
    wanted = Q(pk__in=[])
    for app, models in ADMIN_PERMISSIONS.items():
        for model, actions in models.items():
            wanted |= Q(
                content_type__app_label=app,
                codename__in=[f"{action}_{model}" for action in actions.split()],
            )
    group = Group.objects.get(name=Role.ADMINISTRATOR.value)
    group.permissions.set(Permission.objects.filter(wanted))
