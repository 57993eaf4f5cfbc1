"""Enrol many: send an archive, watch it, read what came of every photo."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from facerec import wording
from facerec.models import BulkEnrolment, BulkStatus, Existing
from facerec.models.bulk import CONSENT
from facerec.services.bulk import REPORT_COLUMNS, ask_bulk, delete_bulk, report_rows, start_bulk
from webapp import archives
from webapp.accounts.access import role_required
from webapp.accounts.models import User
from webapp.accounts.roles import Role
from webapp.errors import UserFacingError
from webapp.jobs.dispatch import resume as resume_job
from webapp.jobs.models import ACTIVE, Request
from webapp.ratelimit import check_rate

administrators = role_required(Role.ADMINISTRATOR)
PAGE = 20  # runs
SHOWN = 100  # refusals on a run's page; the CSV has them all
HELD_SHOWN = 10  # photos that need a look; the others come up as these are settled

CHOICES = [
    {
        "value": Existing.ADD.value,
        "label": "Add the photos",
        "hint": "to the templates they have",
    },
    {"value": Existing.SKIP.value, "label": "Leave them", "hint": "exactly as they are"},
]


@administrators
@require_http_methods(["GET", "HEAD", "POST"])
def bulk(request: HttpRequest) -> HttpResponse:
    """The form and the runs so far."""
    if request.method != "POST":
        return render(request, "facerec/bulk.html", _page(request))
    check_rate(request, "enrol")
    try:
        job = _start(request)
    except UserFacingError as error:
        context = {"errors": [error.as_dict()]}
        if getattr(request, "htmx", False):
            page = "components/error_summary.html"
            return render(request, page, context, status=error.status)
        return render(request, "facerec/bulk.html", _page(request) | context, status=error.status)
    return _go(request, job.get_absolute_url())


def _start(request: HttpRequest) -> BulkEnrolment:
    """Raises UserFacingError."""
    by = cast(User, request.user)
    wanted, upload = request.POST.get("existing", ""), request.FILES.get("archive")
    if not request.POST.get("consent"):
        raise UserFacingError(
            "consent_missing",
            "Nobody is enrolled without their consent.",
            "Ask these people, then say that they agreed.",
            status=422,
            field="consent",
        )
    return start_bulk(
        archive=archives.claim(receipt=request.POST.get("archive", ""), upload=upload, by=by),
        source=request.POST.get("archive_name", "") or getattr(upload, "name", "") or "an archive",
        existing=Existing(wanted) if wanted in Existing.values else Existing.ADD,
        consent=True,
        by=by,
    )


def _page(request: HttpRequest) -> dict[str, Any]:
    runs = Paginator(BulkEnrolment.objects.select_related("owner"), PAGE)
    return {
        "here": "facerec:bulk",
        "consent": CONSENT,
        "choices": CHOICES,
        "existing": request.POST.get("existing") or Existing.ADD.value,
        "page": runs.get_page(request.GET.get("page")),
    }


@administrators
@never_cache
@require_safe
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """One run; for htmx just what changes while it goes on."""
    return _shown(request, _run(run_id))


@administrators
@never_cache
@require_safe
def report(request: HttpRequest, run_id: UUID) -> StreamingHttpResponse:
    """Every photo of a run as CSV."""
    found = _run(run_id)
    writer = csv.writer(_Echo())

    def lines() -> Iterator[str]:
        yield "\ufeff"  # by this spreadsheets know that it is UTF-8
        yield writer.writerow(REPORT_COLUMNS)
        for row in report_rows(found):
            yield writer.writerow(row)

    answer = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="enrolment-{found.created:%Y-%m-%d}.csv"'
    return answer


class _Echo:
    """What csv writes into: gives each line back."""

    def write(self, line: str) -> str:
        return line


@administrators
@require_POST
def act(request: HttpRequest, run_id: UUID, what: str) -> HttpResponse:
    """Pause, cancel, resume."""
    found = _run(run_id)
    if what == "resume":
        resume_job(found)
    else:
        ask_bulk(job=found, request=Request(what))
    return _shown(request, found) if getattr(request, "htmx", False) else redirect(found)


@administrators
@require_POST
def delete(request: HttpRequest, run_id: UUID) -> HttpResponse:
    found = _run(run_id)
    delete_bulk(job=found)
    messages.success(request, "The report is deleted. Whoever was enrolled by it stays enrolled.")
    return _go(request, reverse("facerec:bulk"))


def _go(request: HttpRequest, url: str) -> HttpResponse:
    return HttpResponseClientRedirect(url) if getattr(request, "htmx", False) else redirect(url)


def _run(run_id: UUID) -> BulkEnrolment:
    found = BulkEnrolment.objects.select_related("owner").filter(pk=run_id).first()
    if found is None:
        raise Http404
    return found


def _shown(request: HttpRequest, found: BulkEnrolment) -> HttpResponse:
    lines = found.photos.order_by("person", "path")
    waiting = lines.select_related("photo__looks_like", "photo__enrolment__subject").filter(
        status=BulkStatus.CONFIRM, photo__isnull=False
    )
    held = [line.photo for line in waiting.select_related("photo__enrolment__owner")[:HELD_SHOWN]]
    counts = found.counts()
    context = {
        "here": "facerec:bulk",
        "run": found,
        "moving": found.status in ACTIVE,
        "counts": counts,
        "refused": lines.filter(status=BulkStatus.REFUSED)[:SHOWN],
        "skipped": lines.filter(status=BulkStatus.SKIPPED)[:SHOWN],
        "doubtful": [{"photo": p, "ruler_max": wording.ruler_max(p.distance)} for p in held if p],
        "more": {
            "refused": max(0, counts["refused"] - SHOWN),
            "skipped": max(0, counts["skipped"] - SHOWN),
            "confirm": max(0, counts["confirm"] - HELD_SHOWN),
        },
        "enrolled_people": found.photos.filter(status=BulkStatus.ENROLLED)
        .order_by()
        .values("subject")
        .distinct()
        .count(),
    }
    htmx = getattr(request, "htmx", False)
    return render(request, "facerec/_bulk_panel.html" if htmx else "facerec/bulk_run.html", context)
