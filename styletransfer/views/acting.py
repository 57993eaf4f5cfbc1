"""What is asked of a picture or a piece by a button: one view for each, made for either kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from styletransfer.models import Piece, StyleJob
from styletransfer.services import asking
from webapp.accounts.access import role_required
from webapp.accounts.roles import Role

J = TypeVar("J", bound=StyleJob | Piece)
View = Callable[..., HttpResponse]
painters = role_required(Role.PAINTER)


def acts(
    own: Callable[[HttpRequest, UUID], J], panel: Callable[[HttpRequest, J], HttpResponse]
) -> tuple[View, View, View]:
    """The views `cancel`, `pause` and `resume`. own: finds the visitor's. panel: shows it anew for
    htmx; a plain form is sent to its page."""

    def made(act: Callable[..., J]) -> View:
        @painters
        @require_POST
        def view(request: HttpRequest, **ids: UUID) -> HttpResponse:
            (job_id,) = ids.values()
            found = act(job=own(request, job_id))
            return panel(request, found) if request.htmx else redirect(found)  # type: ignore[attr-defined]

        return view

    return made(asking.cancel_job), made(asking.pause_job), made(asking.resume_job)


def deletes(own: Callable[[HttpRequest, UUID], StyleJob | Piece], gallery: str) -> View:
    """The view `delete`; afterwards one stands before the wall of that URL name."""

    @painters
    @require_POST
    def view(request: HttpRequest, **ids: UUID) -> HttpResponse:
        (job_id,) = ids.values()
        found = own(request, job_id)
        asking.delete_job(job=found)
        messages.success(request, f"“{found.title}” is deleted, with all that belonged to it.")
        url = reverse(gallery)
        return HttpResponseClientRedirect(url) if request.htmx else redirect(url)  # type: ignore[attr-defined]

    return view
