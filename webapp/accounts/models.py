"""People who sign in, and the keys by which programs act for them."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone

from webapp.accounts.roles import Role, roles_of


class User(AbstractUser):
    """A person who signs in. Roles are groups; see `webapp.accounts.roles`."""

    @property
    def roles(self) -> set[Role]:
        return roles_of(self)


class Scope(models.TextChoices):
    """What a key may be used for; never more than its user's role allows."""

    SUBJECTS = "subjects", "enrol and delete people"
    RECOGNISE = "recognise", "verify and identify"
    PAINT = "paint", "paint pictures"


SCOPE_ROLE = {
    Scope.SUBJECTS: Role.ADMINISTRATOR,
    Scope.RECOGNISE: Role.OPERATOR,
    Scope.PAINT: Role.PAINTER,
}


class ApiKey(models.Model):
    """A bearer key. Only its hash is stored: a random 256-bit key needs no slow hash."""

    PREFIX: ClassVar[str] = "lk_"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    label = models.CharField(max_length=80, blank=True, help_text="What uses it")
    scopes = models.JSONField(default=list)
    shown = models.CharField(max_length=12, editable=False)  # the first letters, to tell keys apart
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created = models.DateTimeField(auto_now_add=True)
    last_used = models.DateTimeField(null=True, blank=True, editable=False)
    revoked = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API key"
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.shown}… ({self.label or self.user})"

    @staticmethod
    def digest_of(key: str) -> str:
        return hashlib.sha256(key.encode()).hexdigest()

    @classmethod
    def new_secret(cls) -> str:
        return cls.PREFIX + secrets.token_urlsafe(32)

    def set_secret(self, secret: str) -> None:
        self.shown = secret[:9]
        self.digest = self.digest_of(secret)

    def allows(self, scope: Scope) -> bool:
        return scope in self.scopes and SCOPE_ROLE[scope] in self.user.roles

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self.scopes:
            self.scopes = [scope.value for scope in Scope]
        super().save(*args, **kwargs)

    def revoke(self) -> None:
        self.revoked = timezone.now()
        self.save(update_fields=["revoked"])
