"""People and keys in the admin panel."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from webapp.accounts.models import ApiKey, Scope, User
from webapp.accounts.roles import Role, give_role

admin.site.unregister(Group)  # roles are fixed; see webapp.accounts.roles


def _role_field() -> forms.ChoiceField:
    return forms.ChoiceField(choices=[(role.value, role.value) for role in Role])


class PersonAddForm(UserCreationForm):  # type: ignore[misc]
    role = _role_field()


class PersonChangeForm(UserChangeForm):  # type: ignore[misc]
    role = _role_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = self.instance.roles
        self.fields["role"].initial = next((r for r in reversed(Role) if r in held), Role.PAINTER)


@admin.register(User)
class PersonAdmin(UserAdmin, ModelAdmin):  # type: ignore[misc,type-arg]
    form = PersonChangeForm
    add_form = PersonAddForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "role", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    fieldsets = (
        (None, {"fields": ("username", "password", "role", "is_active")}),
        ("Who", {"fields": ("first_name", "last_name", "email")}),
        ("When", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "role", "password1", "password2")}),)
    readonly_fields = ("last_login", "date_joined")

    @admin.display(description="role")
    def role(self, person: User) -> str:
        return ", ".join(g.name for g in person.groups.all()) or "none"

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        people = super().get_queryset(request).prefetch_related("groups")
        # Only a superuser may touch a superuser, or anybody could make themselves one.
        return people if request.user.is_superuser else people.filter(is_superuser=False)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        give_role(form.instance, Role(form.cleaned_data["role"]))


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices, widget=forms.CheckboxSelectMultiple, initial=Scope.values
    )

    class Meta:
        model = ApiKey
        fields = ("user", "label", "scopes")


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):  # type: ignore[misc]
    form = ApiKeyForm
    list_display = ("shown", "user", "label", "created", "last_used", "revoked")
    list_filter = ("user",)
    actions = ("revoke",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # revoked keys stay, so that the log can name them

    def get_readonly_fields(
        self, request: HttpRequest, obj: ApiKey | None = None
    ) -> tuple[str, ...]:
        return ("user", "created", "last_used", "revoked") if obj else ()

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if not change:
            secret = ApiKey.new_secret()
            obj.set_secret(secret)
            messages.warning(request, f"Copy the key now, it is not shown again: {secret}")
        super().save_model(request, obj, form, change)

    @admin.action(description="Revoke the chosen keys")
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        for key in keys.filter(revoked=None):
            key.revoke()
        messages.success(request, "Revoked. Programs that use them are refused from now on.")
