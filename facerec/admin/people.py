"""Enrolment in the admin panel."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Count, Max, Prefetch, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin

from facerec.admin.common import ReadOnly
from facerec.forms.faces import SubjectForm
from facerec.models import (
    Attempt,
    Correction,
    EnrolmentPhoto,
    FaceTemplate,
    PhotoStatus,
    Subject,
)
from facerec.services.enrolment import (
    add_photos,
    delete_subject,
    delete_template,
    enrol_subject,
)
from facerec.wording import ruler_max
from webapp.accounts.models import User
from webapp.accounts.roles import Role, has_role

ENROLMENTS_SHOWN = 5


@admin.register(Subject)
class SubjectAdmin(ModelAdmin):  # type: ignore[misc]
    form = SubjectForm
    list_display = ("name", "external_id", "templates_made", "last_seen", "consent_given_at")
    search_fields = ("name", "external_id")
    readonly_fields = ("consent_given_at", "consent_by")
    change_form_outer_after_template = "admin/facerec/subject/enrolments.html"

    class Media:
        css = {
            "all": ["css/display.css", "css/drop-zone.css", "css/quarantine.css", "css/enrol.css"]
        }

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
        photos = EnrolmentPhoto.objects.select_related("looks_like", "template")
        recent = subject.enrolments.prefetch_related(Prefetch("photos", photos))
        counter_examples = subject.corrections.filter(
            kind=Correction.Kind.NOT_THIS_PERSON, state=Correction.State.ACCEPTED
        ).exclude(encoding=None)
        held = photos.filter(enrolment__subject=subject, status=PhotoStatus.CONFIRM)
        current = FaceTemplate.current.filter(subject=subject)
        return {
            "subject": subject,
            "enrolments": recent[:ENROLMENTS_SHOWN],
            "held": held.order_by("enrolment__created", "position"),
            "templates": subject.templates.select_related("photo", "correction__said_by"),
            "current": set(current.values_list("pk", flat=True)),
            "counter_examples": counter_examples.select_related("said_by"),
            "may_delete_templates": request.user.has_perm("facerec.delete_facetemplate"),
            "may_judge": has_role(request.user, Role.ADMINISTRATOR),
            "ruler_max": ruler_max(),
            "next": reverse("admin:facerec_subject_change", args=[subject.pk]),
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
