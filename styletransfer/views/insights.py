"""A finished picture, looked into: a part of the picture's page."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from styletransfer.presenting.insights import insight_context
from styletransfer.services.insights import gram_picture, start_insight
from styletransfer.views.acting import painters
from styletransfer.views.pictures import own_job
from webapp.ratelimit import check_rate


@painters
@never_cache
@require_http_methods(["GET", "POST"])
def insight(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """POST: have the picture looked into. Both: the section, as it now is."""
    job = own_job(request, job_id)
    if request.method == "POST":
        check_rate(request, "look")
        start_insight(job=job)
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect(job)
    return render(request, "styletransfer/_insight.html", insight_context(job))


@painters
@require_safe
def gram(request: HttpRequest, job_id: UUID, layer: str, which: str) -> HttpResponse:
    """One of a layer's Gram matrices as a picture."""
    job = own_job(request, job_id)
    try:
        data = gram_picture(job, layer, which)
    except FileNotFoundError as error:
        raise Http404 from error
    response = HttpResponse(data, content_type="image/png")
    response["Cache-Control"] = "private, no-cache"
    return response
