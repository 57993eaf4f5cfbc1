"""The audit log in the admin panel."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.decorators import display

from facerec.admin.common import ReadOnly
from facerec.core.types import Outcome, Reason
from facerec.models import Attempt, AttemptFace, Mode
from facerec.wording import live_check, meaning
from webapp.jobs.models import Status

OUTCOME_COLOURS = {
    "match": "success",
    "no match": "danger",
    "not recognized": "danger",
    "cannot decide": "warning",
    "failed": "danger",
    "waiting": "info",
}


class AttemptFaceInline(TabularInline):  # type: ignore[misc]
    model = AttemptFace
    verbose_name_plural = "faces on the photo"
    fields = ("place", "answer", "subject", "shown_distance", "runner_up", "margin_to", "reason")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("facerec.view_attempt"))

    @admin.display(description="box (x, y, w, h)")
    def place(self, face: AttemptFace) -> str:
        return ", ".join(str(value) for value in face.box)

    @display(description="outcome", label=OUTCOME_COLOURS)  # type: ignore[untyped-decorator]
    def answer(self, face: AttemptFace) -> str:
        return face.get_outcome_display()

    @admin.display(description="distance")
    def shown_distance(self, face: AttemptFace) -> str:
        return _number(face.distance)

    @admin.display(description="margin")
    def margin_to(self, face: AttemptFace) -> str:
        return _number(face.margin)


@admin.register(Attempt)
class AttemptAdmin(ReadOnly):
    """The audit log."""

    list_display = (
        "asked",
        "operator",
        "mode",
        "against_whom",
        "answer",
        "liveness",
        "shown_distance",
        "shown_threshold",
    )
    list_filter = (
        "mode",
        "outcome",
        "reason",
        "liveness",
        ("created", admin.DateFieldListFilter),
        "operator",
    )
    list_filter_submit = False
    search_fields = (
        "operator",
        "subject__name",
        "subject__external_id",
        "faces__subject__name",
        "faces__subject__external_id",
    )
    search_help_text = "Operator, or the name or external id of a person"
    date_hierarchy = "created"
    list_select_related = ("subject",)
    fieldsets = (
        (None, {"fields": (("asked", "mode"), ("operator", "api_key"), "against_whom")}),
        (
            "Answer",
            {
                "fields": (
                    ("answer", "why"),
                    ("shown_distance", "shown_threshold", "gallery_size"),
                    "what_it_means",
                )
            },
        ),
        ("Was the person there?", {"fields": ("was_there", "live_check_shown")}),
        ("Made by", {"fields": (("encoder_version", "aligner_version"),)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attempt]:
        return super().get_queryset(request).prefetch_related("faces__subject")

    def get_inlines(self, request: HttpRequest, obj: Attempt | None = None) -> list[Any]:
        return [AttemptFaceInline] if obj is not None and obj.mode == Mode.IDENTIFICATION else []

    @admin.display(description="when", ordering="created")
    def asked(self, attempt: Attempt) -> str:
        return f"{timezone.localtime(attempt.created):%d %b %Y, %H:%M:%S}"

    @admin.display(description="against whom", ordering="subject__name")
    def against_whom(self, attempt: Attempt) -> str:
        if attempt.reason == Reason.UNKNOWN_PERSON:
            return "nobody enrolled"
        if attempt.mode == Mode.VERIFICATION:
            return str(attempt.subject or "a deleted person")
        matched = [face for face in attempt.faces.all() if face.outcome == Outcome.MATCH]
        named = dict.fromkeys(str(face.subject or "a deleted person") for face in matched)
        return ", ".join(named) or "everybody enrolled"

    @display(description="outcome", ordering="outcome", label=OUTCOME_COLOURS)  # type: ignore[untyped-decorator]
    def answer(self, attempt: Attempt) -> str:
        if attempt.outcome:
            return attempt.get_outcome_display()
        return "failed" if attempt.status == Status.FAILED else "waiting"

    @admin.display(description="reason")
    def why(self, attempt: Attempt) -> str:
        return attempt.sentence or "none"

    @admin.display(description="distance", ordering="distance")
    def shown_distance(self, attempt: Attempt) -> str:
        return _number(attempt.distance)

    @admin.display(description="threshold", ordering="threshold")
    def shown_threshold(self, attempt: Attempt) -> str:
        return _number(attempt.threshold)

    @admin.display(description="live check")
    def was_there(self, attempt: Attempt) -> str:
        return live_check(attempt) or "not asked for"

    @admin.display(description="its line")
    def live_check_shown(self, attempt: Attempt) -> SafeString | str:
        session = attempt.liveness_session
        if session is None:
            return "none"
        link = reverse("admin:facerec_livenesssession_change", args=[session.pk])
        return format_html('<a href="{}">{}</a>', link, session)

    @admin.display(description="what the threshold means")
    def what_it_means(self, attempt: Attempt) -> str:
        return meaning(attempt) or "nothing was compared"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
