"""Use cases around people and keys."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes, force_str
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from webapp.accounts.models import ApiKey, Scope, User
from webapp.accounts.roles import Role, give_role
from webapp.errors import UserFacingError


class SignInLink(PasswordResetTokenGenerator):
    """One-time sign-in tokens: signing in changes `last_login`, which the token covers."""

    key_salt = "likeness.sign-in-link"


sign_in_link = SignInLink()


@dataclass(frozen=True)
class FirstAdministrator:
    """What is told once, on the first start. `password` is empty when it came from outside."""

    username: str
    password: str
    link_path: str


@transaction.atomic
def ensure_first_administrator(
    *, username: str = "admin", password: str = ""
) -> FirstAdministrator | None:
    """Make the first administrator where there is none yet; None where there is one."""
    if User.objects.filter(is_superuser=True).exists():
        return None
    generated = "" if password else secrets.token_urlsafe(12)
    user = User.objects.create_superuser(username=username, password=password or generated)
    give_role(user, Role.ADMINISTRATOR)
    return FirstAdministrator(username, generated, link_path_for(user))


def link_path_for(user: User) -> str:
    """The path of a one-time sign-in link; it lives `PASSWORD_RESET_TIMEOUT` seconds."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return reverse("accounts:welcome", args=[uid, sign_in_link.make_token(user)])


def user_for_link(*, uid: str, token: str) -> User | None:
    """The person whom a one-time link signs in; None where it is wrong, old or used."""
    try:
        user = User.objects.get(pk=force_str(urlsafe_base64_decode(uid)), is_active=True)
    except (User.DoesNotExist, ValueError, OverflowError):
        return None
    return user if sign_in_link.check_token(user, token) else None


@transaction.atomic
def create_user(*, username: str, password: str, role: Role) -> User:
    user = User.objects.create_user(username=username, password=password)
    give_role(user, role)
    return user


def create_api_key(
    *, user: User, label: str = "", scopes: Sequence[str] = ()
) -> tuple[ApiKey, str]:
    """Make a key; the secret is returned this once and only its hash is kept."""
    unknown = set(scopes) - set(Scope.values)
    if unknown:
        raise UserFacingError(
            "unknown_scope",
            f"There is no scope {', '.join(sorted(unknown))}.",
            f"Choose from {', '.join(Scope.values)}.",
        )
    secret = ApiKey.new_secret()
    key = ApiKey(user=user, label=label, scopes=list(scopes))
    key.set_secret(secret)
    key.save()
    return key, secret


def api_key_for(*, secret: str) -> ApiKey | None:
    """The live key that a secret belongs to, noted as used (at most once a minute)."""
    key = (
        ApiKey.objects.select_related("user")
        .filter(digest=ApiKey.digest_of(secret), revoked=None, user__is_active=True)
        .first()
    )
    now = timezone.now()
    if key and (key.last_used is None or now - key.last_used > timedelta(minutes=1)):
        ApiKey.objects.filter(pk=key.pk).update(last_used=now)
    return key
