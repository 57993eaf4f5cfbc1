"""Pages that belong to neither half."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from webapp.accounts.access import role_required
from webapp.accounts.roles import Role
from webapp.health import report


@role_required(Role.ADMINISTRATOR)
def status(request: HttpRequest) -> HttpResponse:
    """How the house is: device, models, Redis, database, queues, workers."""
    return render(request, "status.html", {"report": report()})
