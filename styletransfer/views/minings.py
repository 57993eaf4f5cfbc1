"""Minings: start one, ask things of it, and the pictures that it found."""

from __future__ import annotations

import re
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRedirect

from styletransfer.forms.see import MiningForm
from styletransfer.mining_files import MiningFolder
from styletransfer.models import Corpus, Mining
from styletransfer.presenting.see import mining_facts
from styletransfer.services import minings as services
from styletransfer.services.patches import patch_picture
from styletransfer.views.see import layer_or_404, own_user, painters, unit_or_404
from webapp import archives
from webapp.errors import UserFacingError
from webapp.jobs.models import Request
from webapp.ratelimit import check_rate


def seen_mining(request: HttpRequest, mining_id: UUID) -> Mining:
    """The mining, if the visitor may look at it. Raises Http404."""
    mining = Mining.objects.filter(pk=mining_id).first()
    if mining is None or not mining.visible_to(request.user):
        raise Http404
    return mining


def _changed(request: HttpRequest, mining_id: UUID) -> Mining:
    """The mining, if the visitor may change it."""
    mining = seen_mining(request, mining_id)
    services.check_may_change(own_user(request), mining)
    return mining


@painters
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    check_rate(request, "mine")
    form, owner = MiningForm(request.POST), own_user(request)
    if not form.is_valid():
        return _refused(request, form.problems(), 422)
    corpus = Corpus(form.cleaned_data["corpus"])
    upload = request.FILES.get("archive")
    archive = None
    try:
        if corpus == Corpus.ARCHIVE:
            receipt = request.POST.get("archive", "")
            archive = archives.claim(receipt=receipt, upload=upload, by=owner)
        mining = services.start_mining(
            owner=owner,
            network=form.cleaned_data["network"],
            corpus=corpus,
            archive=archive,
            source=request.POST.get("archive_name", "") or getattr(upload, "name", None) or "",
        )
    except UserFacingError as error:
        return _refused(request, [error.as_dict()], error.status)
    url = mining.get_absolute_url()
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(url)
    return redirect(url)


def _refused(request: HttpRequest, errors: list[dict[str, str]], status: int) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]
        context = {"errors": errors}
        return render(request, "components/error_summary.html", context, status=status)
    error = errors[0]
    raise UserFacingError(
        error.get("code", "invalid"), error["message"], error.get("hint", ""), status=status
    )


@painters
@require_GET
def panel(request: HttpRequest, mining_id: UUID) -> HttpResponse:
    """The part of a page that depends on the mining's status."""
    return _panel(request, seen_mining(request, mining_id))


def _panel(request: HttpRequest, mining: Mining) -> HttpResponse:
    context = {
        "job": mining,
        "may_change": services.may_change(own_user(request), mining),
        "facts": mining_facts(mining),
    }
    return render(request, "styletransfer/see/_mining_panel.html", context)


@painters
@require_POST
def act(request: HttpRequest, mining_id: UUID, what: str) -> HttpResponse:
    """Pause, resume or cancel."""
    mining = _changed(request, mining_id)
    if what == "resume":
        services.resume_mining(mining=mining)
    elif what in (Request.PAUSE, Request.CANCEL):
        services.ask_mining(mining=mining, request=Request(what))
    else:
        raise Http404
    if request.htmx:  # type: ignore[attr-defined]
        return _panel(request, mining)
    return redirect(mining)


@painters
@require_POST
def delete(request: HttpRequest, mining_id: UUID) -> HttpResponse:
    services.delete_mining(mining=_changed(request, mining_id))
    url = reverse("styletransfer:see_home")
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)  # type: ignore[attr-defined]


@painters
@require_GET
def sheet(request: HttpRequest, mining_id: UUID, layer: str, number: int) -> HttpResponse:
    """Sixty-four units' sprites."""
    mining = seen_mining(request, mining_id)
    layer_or_404(mining.network, layer)
    return _file(mining, f"sheets/{layer}-{number}.jpg")


@painters
@require_GET
def patch(request: HttpRequest, mining_id: UUID, layer: str, unit: int, rank: int) -> HttpResponse:
    """One of a unit's nine, cropped to what the unit saw."""
    mining = seen_mining(request, mining_id)
    info = unit_or_404(mining.network, layer, unit)
    try:
        picture = patch_picture(mining, info, unit, rank)
    except (FileNotFoundError, IndexError) as error:
        raise Http404 from error
    return kept(HttpResponse(picture, content_type="image/png"))


@painters
@require_GET
def source(request: HttpRequest, mining_id: UUID, key: str) -> HttpResponse:
    """A picture that one of the patches was found in."""
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", key):
        raise Http404
    return _file(seen_mining(request, mining_id), f"sources/{key}.jpg")


@painters
@require_GET
def filter_picture(request: HttpRequest, mining_id: UUID, unit: int) -> HttpResponse:
    """A unit's weights, of the first layer."""
    return _file(seen_mining(request, mining_id), f"filters/{unit}.png", "image/png")


def _file(mining: Mining, name: str, kind: str = "image/jpeg") -> HttpResponse:
    try:
        data = MiningFolder(mining.pk).read(name)
    except FileNotFoundError as error:
        raise Http404 from error
    return kept(HttpResponse(data, content_type=kind))


def kept(response: HttpResponse) -> HttpResponse:
    """A mining's pictures never change: the browser need not ask again."""
    response["Cache-Control"] = "private, max-age=86400, immutable"
    return response
