"""Training runs: start one, watch it, judge what came of it."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from facerec.core.training_config import TrainingConfig
from facerec.forms.training import KINDS, MINERS, TrainingForm, initial_of
from facerec.models import TrainingRun
from facerec.presenting.training import comparison_table, facts, stages, verdict
from facerec.services.archives import opened
from facerec.services.training import ask_run, delete_run, start_training
from webapp import archives
from webapp.accounts.access import role_required
from webapp.accounts.models import User
from webapp.accounts.roles import Role
from webapp.errors import UserFacingError
from webapp.jobs.dispatch import resume as resume_job
from webapp.jobs.models import ACTIVE, Request
from webapp.ratelimit import check_rate

administrators = role_required(Role.ADMINISTRATOR)
PAGE = 20


@administrators
@require_http_methods(["GET", "HEAD", "POST"])
def training(request: HttpRequest) -> HttpResponse:
    """The form and the runs so far."""
    if request.method != "POST":
        return render(request, "facerec/training.html", _page(request, _form_for(request)))
    check_rate(request, "enrol")
    form = TrainingForm(request.POST)
    by = cast(User, request.user)
    if form.is_valid():
        upload = request.FILES.get("archive")
        try:
            archive = archives.claim(receipt=request.POST.get("archive", ""), upload=upload, by=by)
            _look_into(archive)
        except UserFacingError as error:
            return _refused(request, form, [error.as_dict()], error.status)
        run = start_training(
            name=form.cleaned_data["name"],
            config=form.config,
            by=by,
            source=request.POST.get("archive_name", "")
            or getattr(upload, "name", "")
            or "an archive",
            archive=archive,
        )
        if getattr(request, "htmx", False):
            return HttpResponseClientRedirect(run.get_absolute_url())
        return redirect(run)
    errors = [
        {"field": name, "message": f"{form[name].label}: {' '.join(map(str, found))}"}
        for name, found in form.errors.items()
    ]
    return _refused(request, form, errors, 422)


def _look_into(archive: UUID) -> None:
    """What is wrong with the archive as a whole is told at once, not when its turn comes."""
    try:
        with opened(archive):
            pass
    except UserFacingError:
        archives.discard(archive)
        raise


def _form_for(request: HttpRequest) -> TrainingForm:
    """Empty, or as an earlier run had it."""
    like = request.GET.get("like", "")
    try:
        run = TrainingRun.objects.filter(pk=UUID(like)).first() if like else None
    except ValueError:
        run = None
    if run is None:
        return TrainingForm()
    return TrainingForm(initial=initial_of(TrainingConfig.from_dict(run.config), run.name))


def _refused(
    request: HttpRequest, form: TrainingForm, errors: list[dict[str, Any]], status: int
) -> HttpResponse:
    context = {"errors": errors}
    if getattr(request, "htmx", False):
        return render(request, "components/error_summary.html", context, status=status)
    return render(request, "facerec/training.html", _page(request, form) | context, status=status)


def _page(request: HttpRequest, form: TrainingForm) -> dict[str, Any]:
    runs = Paginator(TrainingRun.objects.defer("curve", "report"), PAGE)
    return {
        "here": "facerec:training",
        "form": form,
        "kinds": KINDS,
        "miners": MINERS,
        "value_of": {name: form[name].value() for name in form.fields},
        "page": runs.get_page(request.GET.get("page")),
    }


@administrators
@never_cache
@require_safe
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    return render(request, "facerec/training_run.html", _run_page(_run(run_id)))


@administrators
@never_cache
@require_safe
def panel(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The part of the run's page that depends on its status."""
    return render(request, "facerec/_training_panel.html", _run_page(_run(run_id)))


@administrators
@never_cache
@require_safe
def points(request: HttpRequest, run_id: UUID) -> JsonResponse:
    """{points: […]}: the curve from point number `from` on."""
    try:
        first = max(0, int(request.GET.get("from", 0)))
    except ValueError:
        first = 0
    return JsonResponse({"points": _run(run_id).curve[first:]})


@administrators
@require_POST
def cancel(request: HttpRequest, run_id: UUID) -> HttpResponse:
    return _asked(request, run_id, Request.CANCEL)


@administrators
@require_POST
def pause(request: HttpRequest, run_id: UUID) -> HttpResponse:
    return _asked(request, run_id, Request.PAUSE)


@administrators
@require_POST
def resume(request: HttpRequest, run_id: UUID) -> HttpResponse:
    found = _run(run_id)
    resume_job(found)
    return _after(request, found)


@administrators
@require_POST
def delete(request: HttpRequest, run_id: UUID) -> HttpResponse:
    found = _run(run_id)
    delete_run(run=found)
    messages.success(request, f"The run {found.name} is deleted. Its encoder stays.")
    url = reverse("facerec:training")
    return HttpResponseClientRedirect(url) if getattr(request, "htmx", False) else redirect(url)


def _asked(request: HttpRequest, run_id: UUID, what: Request) -> HttpResponse:
    found = _run(run_id)
    ask_run(run=found, request=what)
    return _after(request, found)


def _after(request: HttpRequest, found: TrainingRun) -> HttpResponse:
    """The panel anew for htmx, the page for a plain form."""
    if getattr(request, "htmx", False):
        return render(request, "facerec/_training_panel.html", _run_page(found))
    return redirect(found)


def _run(run_id: UUID) -> TrainingRun:
    found = TrainingRun.objects.select_related("owner").filter(pk=run_id).first()
    if found is None:
        raise Http404
    return found


def _run_page(found: TrainingRun) -> dict[str, Any]:
    return {
        "here": "facerec:training",
        "run": found,
        "moving": found.status in ACTIVE,
        "facts": facts(found),
        "stages": stages(found),
        "verdict": verdict(found.report) if found.report else None,
        "table": comparison_table(found.report) if found.report else None,
        "encoder": found.encoders.first(),
    }
