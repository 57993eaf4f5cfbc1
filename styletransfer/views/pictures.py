"""The pages of pictures: paint, one picture, the gallery. A painter sees only their own."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from styletransfer.files import CONTENT, RESULT, STYLE, THUMB, PictureFolder
from styletransfer.forms.pictures import PaintForm
from styletransfer.models import StyleJob
from styletransfer.presenting.insights import insight_context
from styletransfer.presenting.pictures import facts, layers, paint_context, summary
from styletransfer.services import pictures as services
from styletransfer.views.acting import acts, deletes, painters
from webapp.accounts.models import User
from webapp.jobs.models import ACTIVE
from webapp.ratelimit import check_rate

PAGE = 24  # pictures on one page of the gallery


def own_job(request: HttpRequest, job_id: UUID) -> StyleJob:
    """The job, if it is the visitor's. Raises Http404."""
    job = StyleJob.objects.filter(pk=job_id).first()
    if job is None or not job.visible_to(request.user):
        raise Http404
    return job


@painters
@require_http_methods(["GET", "POST"])
def paint(request: HttpRequest) -> HttpResponse:
    owner = cast(User, request.user)
    if request.method == "GET":
        like = services.earlier_job(owner=owner, job_id=as_uuid(request.GET.get("like")))
        values = PaintForm.values_of(like)
        return render(request, "styletransfer/paint.html", paint_context(values, like=like))
    check_rate(request, "paint")
    form = PaintForm(request.POST, request.FILES, owner=owner)
    if not form.is_valid():
        errors = form.problems()
        if request.htmx:  # type: ignore[attr-defined]
            context = {"errors": errors, "by_field": form.by_field()}
            return render(request, "styletransfer/_paint_errors.html", context, status=422)
        context = paint_context(dict(request.POST.items()), errors=errors)
        return render(request, "styletransfer/paint.html", context, status=422)
    given = form.cleaned_data
    made = services.start_job(
        owner=owner,
        content=given["content"],
        style=given["style"],
        recipe=given["recipe"],
        title=given["title"],
    )
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(made.get_absolute_url())
    return redirect(made)


def as_uuid(text: str | None) -> UUID | None:
    """What the address says, if it is one."""
    try:
        return UUID(text or "")
    except ValueError:
        return None


@painters
@require_GET
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    found = own_job(request, job_id)
    context = _job_context(found) | insight_context(found)
    return render(request, "styletransfer/job.html", context)


@painters
@require_GET
def panel(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The part of the job's page that depends on its status."""
    return _panel(request, own_job(request, job_id))


def _panel(request: HttpRequest, found: StyleJob) -> HttpResponse:
    return render(request, "styletransfer/_panel.html", _job_context(found))


def _job_context(found: StyleJob) -> dict[str, Any]:
    def url(name: str) -> str:
        return reverse(f"styletransfer:{name}", args=[found.pk])

    return {
        "job": found,
        "recipe": found.cooked,
        "facts": facts(found),
        "layers": layers(found),
        "summary": summary(found),
        "acts": {name: url(name) for name in ("cancel", "pause", "resume", "delete")},
        "downloads": [(f"{url('result')}?download", "PNG")] if found.has_picture else [],
        "again": f"{reverse('styletransfer:paint')}?like={found.pk}",
        "again_word": "Paint again, differently",
    }


@painters
@require_GET
@cache_control(private=True, no_store=True)
def curve(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The stored curve: float32 little-endian rows (total, content, style)."""
    found = own_job(request, job_id)
    return HttpResponse(bytes(found.curve), content_type="application/octet-stream")


@painters
@require_GET
def gallery(request: HttpRequest) -> HttpResponse:
    mine = StyleJob.objects.filter(owner=cast(User, request.user)).defer("curve")
    page = Paginator(mine, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "hung": [(job, summary(job)) for job in page],
        "moving": any(job.status in ACTIVE for job in page),
    }
    return render(request, "styletransfer/gallery.html", context)


def _file(request: HttpRequest, job_id: UUID, name: str, kind: str) -> HttpResponse:
    """One of the job's files, whole: they are small, and ASGI would stream them no better."""
    found = own_job(request, job_id)
    if name == RESULT and not found.has_picture:
        raise Http404
    try:
        with PictureFolder(found.pk).open(name) as file:
            response = HttpResponse(file.read(), content_type=kind)
    except FileNotFoundError as error:
        raise Http404 from error
    if "download" in request.GET:
        response["Content-Disposition"] = content_disposition_header(True, download_name(found))
    response["Cache-Control"] = "private, no-cache" if name in (RESULT, THUMB) else "private"
    return response


def download_name(found: StyleJob) -> str:
    return f"{slugify(found.title) or 'picture'}.png"


@painters
@require_GET
def result(request: HttpRequest, job_id: UUID) -> HttpResponse:
    return _file(request, job_id, RESULT, "image/png")


@painters
@require_GET
def content(request: HttpRequest, job_id: UUID) -> HttpResponse:
    return _file(request, job_id, CONTENT, "image/jpeg")


@painters
@require_GET
def style(request: HttpRequest, job_id: UUID) -> HttpResponse:
    return _file(request, job_id, STYLE, "image/jpeg")


@painters
@require_GET
def thumb(request: HttpRequest, job_id: UUID) -> HttpResponse:
    return _file(request, job_id, THUMB, "image/jpeg")


cancel, pause, resume = acts(own_job, _panel)
delete = deletes(own_job, "styletransfer:gallery")
