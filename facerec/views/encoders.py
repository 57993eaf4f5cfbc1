"""Encoders: which there are, which is in use, and what putting another in use would mean."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from facerec.encoders import DISTANCE, active, as_active
from facerec.models import EncoderVersion, FacePolicy, KeptCrop, Promotion, Reencoding
from facerec.presenting.encoders import everything, rule_choices, show
from facerec.presenting.training import SHORT_RULES, comparison_table
from facerec.services.crops import keep_crops
from facerec.services.encoders import (
    consequences,
    crops_to_encode,
    delete_encoder,
    former,
    people_without_templates,
    promote,
    reencode,
    roll_back,
)
from webapp.accounts.access import role_required
from webapp.accounts.models import User
from webapp.accounts.roles import Role
from webapp.errors import UserFacingError
from webapp.jobs.dispatch import ask
from webapp.jobs.models import ACTIVE, Request, Status

administrators = role_required(Role.ADMINISTRATOR)
HISTORY = 10
PAGE = 50


@administrators
@never_cache
@require_safe
def encoders(request: HttpRequest) -> HttpResponse:
    return render(request, "facerec/encoders.html", _page())


def _page() -> dict[str, Any]:
    now = active()
    before = former()
    return {
        "here": "facerec:encoders",
        "all": everything(),
        "now": now,
        "rule": SHORT_RULES[now.decision_rule],
        "former": before,
        "former_name": as_active(before.encoder).name if before else "",
        "history": Promotion.objects.select_related("encoder", "by")[:HISTORY],
        "failed": _failed(),
        "work": Reencoding.objects.filter(status__in=ACTIVE).select_related("encoder").first(),
        "keeps_crops": FacePolicy.current().keep_crops,
        "crops": KeptCrop.objects.count(),
        "without": people_without_templates(now.backbone).count(),
        "encodable": crops_to_encode(now.backbone).values("template__subject").distinct().count(),
    }


def _failed() -> dict[str, str] | None:
    """Why the latest making of templates did not work, if it did not."""
    last = Reencoding.objects.first()
    return last.error if last and last.status == Status.FAILED else None


@administrators
@never_cache
@require_safe
def encoder(request: HttpRequest, key: str) -> HttpResponse:
    """One encoder: how it compares, and what promoting it means."""
    return render(request, "facerec/encoder.html", _one(_row(key)))


def _one(row: EncoderVersion | None) -> dict[str, Any]:
    now = active()
    shown = show(row, now)
    return {
        "here": "facerec:encoders",
        "shown": shown,
        "row": row,
        "now": now,
        "table": comparison_table(row.comparison) if row and row.comparison else None,
        "rules": rule_choices(row),
        "rule": shown.encoder.decision_rule,
        "follows": consequences(shown.encoder),
        "same_backbone": shown.encoder.backbone == now.backbone,
        "deletable": row is not None and not row.promotions.exists(),
    }


@administrators
@require_POST
def put_in_use(request: HttpRequest, key: str) -> HttpResponse:
    row = _row(key)
    try:
        if consequences(as_active(row)).lost and not request.POST.get("known"):
            raise UserFacingError(
                "not_confirmed",
                "People would have to be enrolled anew.",
                "Tick that you know this, then put it in use.",
                status=422,
                field="known",
            )
        rule = request.POST.get("decision_rule", DISTANCE)
        work = promote(row=row, rule=rule, by=cast(User, request.user))
    except UserFacingError as error:
        context = _one(row) | {"errors": [error.as_dict()]}
        return render(request, "facerec/encoder.html", context, status=error.status)
    name = as_active(row).name
    if work is None:
        messages.success(request, f"{name} is in use, from the very next photo on.")
    else:
        messages.info(
            request, f"Templates for {name} are being made from crops. Then it is put in use."
        )
    return redirect("facerec:encoders")


@administrators
@require_POST
def back(request: HttpRequest) -> HttpResponse:
    """One click to what was in use before."""
    return _told(
        request, lambda by: f"{roll_back(by=by)} is in use again, from the very next photo on."
    )


@administrators
@require_POST
def encode_crops(request: HttpRequest) -> HttpResponse:
    def start(by: User) -> str:
        reencode(by=by)
        return "Templates are being made from the kept crops."

    return _told(request, start)


@administrators
@require_POST
def cancel_work(request: HttpRequest) -> HttpResponse:
    for work in Reencoding.objects.filter(status__in=ACTIVE):
        ask(work, Request.CANCEL)
    return redirect("facerec:encoders")


@administrators
@require_POST
def crops(request: HttpRequest) -> HttpResponse:
    """Keep crops from now on, or keep none and delete those that there are."""
    keep = request.POST.get("keep") == "yes"

    def switch(by: User) -> str:
        deleted = keep_crops(keep=keep, by=by)
        if keep:
            return "Aligned crops of those who are enrolled from now on are kept, sealed."
        return f"No crops are kept any more; {deleted:,} were deleted."

    return _told(request, switch)


@administrators
@require_POST
def delete(request: HttpRequest, key: str) -> HttpResponse:
    row = _row(key)
    if row is None:
        raise Http404

    def remove(_by: User) -> str:
        delete_encoder(row=row)
        return f"{row.name} is deleted, with its thresholds."

    return _told(request, remove)


@administrators
@never_cache
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Who has to be enrolled anew for the encoder in use, or for one that is looked at."""
    chosen = as_active(_row(request.GET["encoder"])) if "encoder" in request.GET else active()
    page = Paginator(people_without_templates(chosen.backbone), PAGE)
    context = {
        "here": "facerec:encoders",
        "encoder": chosen,
        "page": page.get_page(request.GET.get("page")),
        "total": page.count,
        "query": f"encoder={request.GET['encoder']}&" if "encoder" in request.GET else "",
    }
    return render(request, "facerec/encoders_people.html", context)


def _told(request: HttpRequest, act: Any) -> HttpResponse:
    """Do it and say so on the list; what hinders it is said there, too."""
    try:
        messages.success(request, act(cast(User, request.user)))
    except UserFacingError as error:
        messages.error(request, f"{error.message} {error.hint}".strip())
    return redirect("facerec:encoders")


def _row(key: str) -> EncoderVersion | None:
    """By its number; `shipped` has no row."""
    if key == "shipped":
        return None
    found = EncoderVersion.objects.filter(pk=int(key)).first() if key.isdecimal() else None
    if found is None:
        raise Http404
    return found
