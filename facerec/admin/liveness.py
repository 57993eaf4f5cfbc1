"""Live checks in the audit log: what was measured, which nobody else is told."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from facerec.admin.common import ReadOnly
from facerec.models import Attempt, LivenessSession

STATE_COLOURS = {
    "passed": "success",
    "failed": "danger",
    "inconclusive": "warning",
    "broken off": "warning",
    "running": "info",
    "not begun": "info",
}


@admin.register(LivenessSession)
class LivenessSessionAdmin(ReadOnly):
    list_display = ("opened", "operator", "purpose", "result", "why", "took", "frames")
    list_filter = ("state", "purpose", ("created", admin.DateFieldListFilter), "operator")
    list_filter_submit = False
    search_fields = ("operator",)
    search_help_text = "Operator"
    date_hierarchy = "created"
    list_select_related = ("attempt",)
    fieldsets = (
        (None, {"fields": (("opened", "purpose"), ("operator", "api_key"), "used_for")}),
        ("Result", {"fields": (("result", "why"), ("took", "frames", "resumes"))}),
        ("What was measured", {"fields": ("measured", "asked_for", "judge_version")}),
    )

    @admin.display(description="when", ordering="created")
    def opened(self, session: LivenessSession) -> str:
        return f"{timezone.localtime(session.created):%d %b %Y, %H:%M:%S}"

    @display(description="result", ordering="state", label=STATE_COLOURS)  # type: ignore[untyped-decorator]
    def result(self, session: LivenessSession) -> str:
        return session.get_state_display()

    @admin.display(description="grounds")
    def why(self, session: LivenessSession) -> str:
        problem = session.scores.get("problem", "")
        return ", ".join([*session.grounds, *([problem] if problem else [])]).replace("_", " ")

    @admin.display(description="took")
    def took(self, session: LivenessSession) -> str:
        if session.begun is None or session.finished is None:
            return ""
        return f"{(session.finished - session.begun).total_seconds():.1f} s"

    @admin.display(description="used for")
    def used_for(self, session: LivenessSession) -> SafeString | str:
        attempt = Attempt.objects.filter(liveness_session=session).first()
        if attempt is None:
            return "nothing"
        link = reverse("admin:facerec_attempt_change", args=[attempt.pk])
        return format_html('<a href="{}">{}</a>', link, attempt)

    @admin.display(description="scores")
    def measured(self, session: LivenessSession) -> SafeString | str:
        rows = sorted(session.scores.items())
        if not rows:
            return "nothing"
        lines = format_html_join(
            "",
            "<tr><th scope='row'>{}</th><td>{}</td></tr>",
            ((name.replace("_", " "), _shown(value)) for name, value in rows),
        )
        return format_html("<table class='measured'>{}</table>", lines)

    @admin.display(description="asked for")
    def asked_for(self, session: LivenessSession) -> str:
        steps = [step["movement"].replace("_", " ") for step in session.challenge]
        return ", then ".join(steps)


def _shown(value: object) -> str:
    if value is None:
        return "not measured"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
