"""What an administrator chooses for faces, and the trace that it leaves."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from facerec.models import FacePolicy
from webapp.accounts.models import User


@transaction.atomic
def change_policy(*, by: User, what: str, **fields: Any) -> FacePolicy:
    """Set fields of the policy; who, when and `what` (a sentence) go to the admin's log."""
    policy, _ = FacePolicy.objects.select_for_update().get_or_create(pk=1)
    for name, value in fields.items():
        setattr(policy, name, value)
    policy.save(update_fields=list(fields))
    LogEntry.objects.create(
        user=by,
        content_type=ContentType.objects.get_for_model(FacePolicy),
        object_id=str(policy.pk),
        object_repr=str(policy),
        action_flag=CHANGE,
        change_message=what,
    )
    return policy


def policy_changes(*, containing: str = "") -> list[LogEntry]:
    """The latest changes of the policy, newest first, by what was said of them."""
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(FacePolicy),
        change_message__contains=containing,
    )
    return list(entries.select_related("user").order_by("-action_time")[:10])
