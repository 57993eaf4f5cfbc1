"""The pages of pieces: make one, one piece, their gallery. A painter sees only their own."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from styletransfer.core.pieces import MEDIA
from styletransfer.folders import THUMB
from styletransfer.forms.pieces import PieceForm, goals_of
from styletransfer.models import Piece
from styletransfer.piece_files import INPUTS, MOMENTS, RESULT, PieceFolder
from styletransfer.presenting import pieces as presenting
from styletransfer.services import pieces as services
from styletransfer.services.starter_shows import show
from styletransfer.views.acting import acts, deletes, painters
from styletransfer.views.pictures import PAGE, as_uuid
from webapp.accounts.models import User
from webapp.jobs.models import ACTIVE
from webapp.ratelimit import check_rate
from webapp.serving import served


def own_piece(request: HttpRequest, piece_id: UUID) -> Piece:
    """The piece, if it is the visitor's. Raises Http404."""
    piece = Piece.objects.filter(pk=piece_id).first()
    if piece is None or not piece.visible_to(request.user):
        raise Http404
    return piece


@painters
@require_http_methods(["GET", "POST"])
def make(request: HttpRequest, medium: str) -> HttpResponse:
    if medium not in MEDIA:
        raise Http404
    owner = cast(User, request.user)
    sent = request.POST if request.method == "POST" else request.GET
    like = services.earlier_piece(owner=owner, piece_id=as_uuid(sent.get("like")))
    if like is not None and like.medium != medium:
        like = None
    goals = goals_of(medium)
    asked = sent.get("goal") or (like.goal if like else "")
    goal = asked if asked in goals else goals[0]
    if request.method == "GET":
        values = PieceForm.values_of(medium, goal, like)
        context = presenting.make_context(medium, goal, values, like=like)
        return render(request, "styletransfer/pieces/make.html", context)
    check_rate(request, "paint")
    form = PieceForm(request.POST, request.FILES, owner=owner, medium=medium, goal=goal)
    if not form.is_valid():
        return _refused(request, form, like)
    given = form.cleaned_data
    piece = services.start_piece(
        owner=owner,
        recipe=given["recipe"],
        inputs=given["inputs"],
        called=given["called"],
        title=given["title"],
    )
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(piece.get_absolute_url())
    return redirect(piece)


def _refused(request: HttpRequest, form: PieceForm, like: Piece | None) -> HttpResponse:
    errors = form.problems()
    if request.htmx:  # type: ignore[attr-defined]
        context: dict[str, Any] = {"errors": errors, "by_field": form.by_field()}
        return render(request, "styletransfer/_paint_errors.html", context, status=422)
    values = dict(request.POST.items())
    context = presenting.make_context(form.medium, form.goal, values, like=like, errors=errors)
    return render(request, "styletransfer/pieces/make.html", context, status=422)


@painters
@require_GET
def starter(request: HttpRequest, medium: str, name: str, file: str) -> HttpResponse:
    """A starter's picture, or the sound of it."""
    try:
        response = served(request, show(medium, name, file), file)
    except KeyError as error:
        raise Http404 from error
    response["Cache-Control"] = "private, max-age=3600"
    return response


@painters
@require_GET
def piece(request: HttpRequest, piece_id: UUID) -> HttpResponse:
    found = own_piece(request, piece_id)
    return render(request, "styletransfer/pieces/piece.html", _context(found))


@painters
@require_GET
def panel(request: HttpRequest, piece_id: UUID) -> HttpResponse:
    """The parts of the piece's page that depend on its status."""
    return _panel(request, own_piece(request, piece_id))


def _panel(request: HttpRequest, found: Piece) -> HttpResponse:
    return render(request, "styletransfer/pieces/_panel.html", _context(found))


def _context(found: Piece) -> dict[str, Any]:
    def url(name: str) -> str:
        return reverse(f"styletransfer:piece_{name}", args=[found.pk])

    again = reverse("styletransfer:make", args=[found.medium])
    return {
        "job": found,
        "recipe": found.cooked,
        "facts": presenting.facts(found),
        "layers": presenting.layers(found),
        "summary": presenting.summary(found),
        "inputs": presenting.inputs_shown(found),
        "figures": presenting.figure_rows(found),
        "filters": presenting.filters_said(found),
        "downloads": presenting.downloads(found),
        "acts": {name: url(name) for name in ("cancel", "pause", "resume", "delete")},
        "again": f"{again}?like={found.pk}",
        "again_word": "Make again, differently",
        "running_word": "In the making",
        "moments_base": f"{found.get_absolute_url()}moments/",
    }


@painters
@require_GET
@cache_control(private=True, no_store=True)
def curve(request: HttpRequest, piece_id: UUID) -> HttpResponse:
    """The stored curve: float32 little-endian rows (total, content, style)."""
    found = own_piece(request, piece_id)
    return HttpResponse(bytes(found.curve), content_type="application/octet-stream")


def _file(
    request: HttpRequest, found: Piece, under: str, name: str, *, as_file: str = ""
) -> HttpResponse:
    folder = PieceFolder(found.pk)
    if name not in folder.names(under):  # and nothing leads out of the folder
        raise Http404
    data = folder.read(f"{under}/{name}".lstrip("/"))
    return served(request, data, name, as_file=as_file)


@painters
@require_GET
def thumb(request: HttpRequest, piece_id: UUID) -> HttpResponse:
    return _file(request, own_piece(request, piece_id), "", THUMB)


@painters
@require_GET
def given(request: HttpRequest, piece_id: UUID, name: str, file: str) -> HttpResponse:
    """A file of an input's exhibit."""
    return _file(request, own_piece(request, piece_id), f"{INPUTS}/{name}", file)


@painters
@require_GET
def moment(request: HttpRequest, piece_id: UUID, step: int, file: str) -> HttpResponse:
    """A file of a moment's exhibit."""
    return _file(request, own_piece(request, piece_id), f"{MOMENTS}/{step}", file)


@painters
@require_GET
def result(request: HttpRequest, piece_id: UUID, file: str) -> HttpResponse:
    found = own_piece(request, piece_id)
    as_file = ""
    if "download" in request.GET:
        as_file = f"{slugify(found.title) or found.medium}.{file.split('.', 1)[-1]}"
    return _file(request, found, RESULT, file, as_file=as_file)


@painters
@require_GET
def gallery(request: HttpRequest) -> HttpResponse:
    mine = Piece.objects.filter(owner=cast(User, request.user)).defer("curve")
    page = Paginator(mine, PAGE).get_page(request.GET.get("page"))
    context = {
        "here": "pieces",
        "page": page,
        "hung": [(each, presenting.summary(each)) for each in page],
        "moving": any(each.status in ACTIVE for each in page),
    }
    return render(request, "styletransfer/pieces/gallery.html", context)


cancel, pause, resume = acts(own_piece, _panel)
delete = deletes(own_piece, "styletransfer:pieces")
