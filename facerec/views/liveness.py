"""The page Liveness: where a live check is required, what it is worth, and trying it."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from facerec.forms.liveness import SPECIES, LivenessPolicyForm
from facerec.models import FacePolicy
from facerec.models.policy import Movements, PassiveCues
from facerec.presenting import liveness as presenting
from facerec.services.liveness_policy import choose_liveness
from webapp.accounts.access import role_required
from webapp.accounts.models import User
from webapp.accounts.roles import Role

CUES = [(PassiveCues.LOG.value, "Only log them"), (PassiveCues.DECIDE.value, "Refuse by them")]
MOVEMENTS = [(Movements.THREE.value, "Three"), (Movements.FOUR.value, "Four")]


@role_required(Role.ADMINISTRATOR)
@never_cache
@require_safe
def liveness(request: HttpRequest) -> HttpResponse:
    return render(request, "facerec/liveness.html", _page())


@role_required(Role.ADMINISTRATOR)
@never_cache
@require_safe
def latest(request: HttpRequest) -> HttpResponse:
    """The last live checks alone: the page fetches them when one is over."""
    return render(request, "facerec/liveness_latest.html", {"latest": presenting.latest()})


@role_required(Role.ADMINISTRATOR)
@require_POST
def policy(request: HttpRequest) -> HttpResponse:
    form = LivenessPolicyForm(request.POST)
    if not form.is_valid():
        problems = [
            {"field": name, "message": str(found[0]), "hint": ""}
            for name, found in form.errors.items()
        ]
        context = _page() | {"policy_errors": problems}
        return render(request, "facerec/liveness.html", context, status=422)
    if choose_liveness(by=cast(User, request.user), **form.cleaned_data):
        messages.success(request, "From now on, it is so: for the pages and for the API.")
    else:
        messages.info(request, "It was so before; nothing has changed.")
    return redirect("facerec:liveness")


def _page() -> dict[str, Any]:
    chosen = FacePolicy.current()
    return {
        "here": "facerec:liveness",
        "policy": chosen,
        "cues": CUES,
        "movements": MOVEMENTS,
        "history": presenting.policy_history(),
        "figures": presenting.figures(passive=chosen.passive_cues == PassiveCues.DECIDE),
        "species": SPECIES,
        "latest": presenting.latest(),
    }
