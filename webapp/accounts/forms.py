from __future__ import annotations

from django.contrib.auth.forms import UserCreationForm

from webapp.accounts.models import User
from webapp.accounts.roles import Role, give_role


class SignUpForm(UserCreationForm):  # type: ignore[type-arg]
    """A visitor makes themselves a painter's account, where the house allows it."""

    class Meta:
        model = User
        fields = ("username",)

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=commit)
        if commit:
            give_role(user, Role.PAINTER)
        return user
