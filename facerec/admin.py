"""Enrolment and the audit log in the admin panel."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Count, Max, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from facerec.core.types import Outcome
from facerec.forms import SubjectForm
from facerec.models import Attempt, AttemptFace, FaceTemplate, Mode, Subject
from facerec.services.enrolment import (
    add_photos,
    delete_subject,
    delete_template,
    enrol_subject,
)
from facerec.wording import meaning
from webapp.accounts.models import User
from webapp.jobs.models import Status

OUTCOME_COLOURS = {
    "match": "success",
    "no match": "danger",
    "not recognized": "danger",
    "cannot decide": "warning",
    "failed": "danger",
    "waiting": "info",
}
ENROLMENTS_SHOWN = 5


class ReadOnly(ModelAdmin):  # type: ignore[misc]
    """Looked at, never changed."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Subject)
class SubjectAdmin(ModelAdmin):  # type: ignore[misc]
    form = SubjectForm
    list_display = ("name", "external_id", "templates_made", "last_seen", "consent_given_at")
    search_fields = ("name", "external_id")
    readonly_fields = ("consent_given_at", "consent_by")
    change_form_after_template = "admin/facerec/subject/enrolments.html"

    class Media:
        css = {"all": ["css/enrol.css"]}

    def get_fieldsets(self, request: HttpRequest, obj: Subject | None = None) -> Any:
        if obj is None:
            who = (None, {"fields": ("name", "external_id", "consent", "photos")})
            return [who]
        fields: tuple[Any, ...] = (
            "name",
            "external_id",
            ("consent_given_at", "consent_by"),
            "photos",
        )
        if not self.has_change_permission(request, obj):
            fields = fields[:-1]
        return [(None, {"fields": fields})]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/enrolments/", view(self.enrolments), name="facerec_subject_enrolments"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subject]:
        people = super().get_queryset(request)
        return people.annotate(
            template_count=Count("templates", distinct=True), seen=Max("attempts__created")
        )

    @admin.display(description="templates", ordering="template_count")
    def templates_made(self, subject: Any) -> int:
        return int(subject.template_count)

    @admin.display(description="last asked about", ordering="seen")
    def last_seen(self, subject: Any) -> Any:
        return subject.seen

    def save_model(self, request: HttpRequest, obj: Subject, form: Any, change: bool) -> None:
        photos = form.cleaned_data.get("photos") or []
        if not change:
            enrol_subject(
                subject=obj,
                consent=form.cleaned_data["consent"],
                photos=photos,
                by=cast(User, request.user),
            )
            return
        super().save_model(request, obj, form, change)
        if photos:
            add_photos(subject=obj, photos=photos, by=cast(User, request.user))

    def response_add(
        self, request: HttpRequest, obj: Subject, post_url_continue: str | None = None
    ) -> HttpResponse:
        """To the person's page, where the enrolment's progress is shown."""
        if "_addanother" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        return HttpResponseRedirect(reverse("admin:facerec_subject_change", args=[obj.pk]))

    def response_change(self, request: HttpRequest, obj: Subject) -> HttpResponse:
        if request.FILES:
            return HttpResponseRedirect(reverse("admin:facerec_subject_change", args=[obj.pk]))
        return super().response_change(request, obj)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        subject = self.get_object(request, object_id)
        panel = self._panel(request, subject) if subject else {}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | panel)

    def enrolments(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The panel alone, when its job has news."""
        subject = self.get_object(request, str(pk))
        if subject is None or not self.has_view_permission(request, subject):
            raise Http404
        return render(request, "admin/facerec/subject/panel.html", self._panel(request, subject))

    def _panel(self, request: HttpRequest, subject: Subject) -> dict[str, Any]:
        recent = subject.enrolments.prefetch_related("photos")[:ENROLMENTS_SHOWN]
        return {
            "subject": subject,
            "enrolments": recent,
            "templates": subject.templates.select_related("photo"),
            "may_delete_templates": request.user.has_perm("facerec.delete_facetemplate"),
        }

    def delete_model(self, request: HttpRequest, obj: Subject) -> None:
        delete_subject(subject=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Subject]) -> None:
        for subject in queryset:
            delete_subject(subject=subject)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with a person, in numbers; permission for the parts is implied."""
        subjects = list(objs)
        templates = FaceTemplate.objects.filter(subject__in=subjects).count()
        lines = Attempt.objects.filter(
            Q(subject__in=subjects) | Q(faces__subject__in=subjects)
        ).distinct()
        counts = {
            "people": len(subjects),
            "templates": templates,
            "lines of the log that stay and then name nobody": lines.count(),
        }
        return [str(subject) for subject in subjects], counts, set(), []


@admin.register(FaceTemplate)
class FaceTemplateAdmin(ReadOnly):
    """Reached from a person's page, to delete one template; the numbers are never shown."""

    fields = ("subject", "encoder_version", "aligner_version", "quality", "created")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("facerec.delete_facetemplate"))

    def delete_model(self, request: HttpRequest, obj: FaceTemplate) -> None:
        request.template_of = obj.subject_id  # type: ignore[attr-defined]
        delete_template(template=obj)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        messages.success(request, "The template is deleted; nobody is compared with it any more.")
        person = request.template_of  # type: ignore[attr-defined]
        return HttpResponseRedirect(reverse("admin:facerec_subject_change", args=[person]))


class AttemptFaceInline(TabularInline):  # type: ignore[misc]
    model = AttemptFace
    verbose_name_plural = "faces on the photo"
    fields = ("place", "answer", "subject", "shown_distance", "reason")
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


@admin.register(Attempt)
class AttemptAdmin(ReadOnly):
    """The audit log."""

    list_display = (
        "asked",
        "operator",
        "mode",
        "against_whom",
        "answer",
        "shown_distance",
        "shown_threshold",
    )
    list_filter = ("mode", "outcome", "reason", ("created", admin.DateFieldListFilter), "operator")
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

    @admin.display(description="what the threshold means")
    def what_it_means(self, attempt: Attempt) -> str:
        return meaning(attempt) or "nothing was compared"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
