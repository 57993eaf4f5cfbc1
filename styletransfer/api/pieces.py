"""`/api/v1/pieces`: start, follow, hear, fetch and cancel a sound, signal, volume or clip."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import File, Form, Router, Schema, Status
from ninja.files import UploadedFile

from styletransfer.api.recipes import read_recipe
from styletransfer.core.media import registry
from styletransfer.core.pieces import KINDS, PieceRecipe
from styletransfer.models import Piece
from styletransfer.piece_files import MOMENTS, RESULT, PieceFolder
from styletransfer.services import asking
from styletransfer.services import pieces as services
from styletransfer.starters import starters as drawn
from webapp.accounts.models import Scope
from webapp.apikeys import ErrorBody, KeyAuth
from webapp.errors import UserFacingError
from webapp.ratelimit import check_rate
from webapp.serving import served

router = Router(auth=KeyAuth(Scope.PAINT))
StatusName = Literal["queued", "running", "paused", "done", "cancelled", "failed"]
EXAMPLE = '{"medium": "sound", "goal": "texture"}'


class InputBody(Schema):
    """What one input may be: a file with one of `endings`, or one of the house's `starters`."""

    medium: str
    endings: list[str]
    starters: list[str]


class NumberBody(Schema):
    smallest: float
    largest: float
    default: float


class KindBody(Schema):
    """One thing that can be made. `filters`: the first is the default."""

    medium: str
    goal: str
    inputs: dict[str, InputBody]
    filters: list[str]
    numbers: dict[str, NumberBody]


class StartedPiece(Schema):
    """A piece that waits for its maker."""

    id: UUID
    status: StatusName
    url: str
    ws: str


class FigureBody(Schema):
    """A held-out statistic; `example` is null where there is nothing to compare with."""

    name: str
    result: float
    example: float | None
    unit: str
    meaning: str


class FileBody(Schema):
    name: str
    url: str


class MomentBody(Schema):
    """A step that is kept, and the files to hear, see or turn it by."""

    step: int
    files: list[FileBody]


class PieceBody(Schema):
    """How far a piece is. `files` are there once it is done or cancelled."""

    id: UUID
    title: str
    medium: str
    goal: str
    recipe: dict[str, Any]
    status: StatusName
    step: int
    steps: int
    losses: dict[str, float] | None
    seconds_left: float | None
    extent: dict[str, Any]
    made_with: dict[str, Any]
    moments: list[int]
    figures: list[FigureBody]
    files: list[FileBody]
    error: dict[str, Any] | None


@router.get("/piece-kinds", response=list[KindBody], summary="What can be made")
def kinds(request: HttpRequest) -> list[dict[str, Any]]:
    """Media and goals, with the inputs, filters and numbers that count for each."""
    return [
        {
            "medium": medium,
            "goal": goal,
            "inputs": {name: _input(each) for name, each in kind.inputs.items()},
            "filters": list(kind.filters),
            "numbers": {
                name: dict(zip(("smallest", "largest", "default"), bounds, strict=True))
                for name, bounds in kind.numbers.items()
            },
        }
        for (medium, goal), kind in KINDS.items()
    ]


def _input(medium: str) -> dict[str, Any]:
    if medium == "picture":
        return {"medium": medium, "endings": [], "starters": [s.name for s in drawn("style")]}
    names = [starter.name for starter in registry.starters(medium)]
    return {"medium": medium, "endings": list(registry.reads(medium)), "starters": names}


@router.post(
    "/pieces",
    response={202: StartedPiece, 413: ErrorBody, 415: ErrorBody, 422: ErrorBody, 429: ErrorBody},
    summary="Make a sound, signal, volume or clip",
)
def start(
    request: HttpRequest,
    recipe: Form[str],
    content: File[UploadedFile | None] = None,
    style: File[UploadedFile | None] = None,
    content_starter: Form[str] = "",
    style_starter: Form[str] = "",
    title: Form[str] = "",
) -> Status[dict[str, Any]]:
    """`recipe` is a JSON object with at least `medium` and `goal` (see docs/pieces.md and
    `/piece-kinds`); each input that it takes is a file, or the name of a starter."""
    check_rate(request, "paint")
    cooked = read_recipe(recipe, PieceRecipe.from_dict, example=EXAMPLE, docs="docs/pieces.md")
    sent = {"content": (content, content_starter), "style": (style, style_starter)}
    inputs: dict[str, services.Given] = {}
    called: dict[str, str] = {}
    for name, medium in cooked.kind.inputs.items():
        called[name], inputs[name] = services.take_input(*sent[name], name=name, medium=medium)
    piece = services.start_piece(
        owner=request.auth.user,  # type: ignore[attr-defined]
        recipe=cooked,
        inputs=inputs,
        called=called,
        title=title,
    )
    ws = request.build_absolute_uri(f"/ws/jobs/{piece.pk}/").replace("http", "ws", 1)
    told = {"id": piece.pk, "status": piece.status, "url": _url(request, piece), "ws": ws}
    return Status(202, told)


@router.get("/pieces/{uuid:piece_id}", response={200: PieceBody, 404: ErrorBody})
def follow(request: HttpRequest, piece_id: UUID) -> dict[str, Any]:
    """How far it is."""
    return _body(request, _own(request, piece_id))


@router.delete("/pieces/{uuid:piece_id}", response={200: PieceBody, 404: ErrorBody})
def cancel(request: HttpRequest, piece_id: UUID) -> dict[str, Any]:
    """Cancel it; what was made stays. A running piece takes a moment: `status` says what it is now,
    and turns `cancelled` within a step. A finished one is left as it is."""
    return _body(request, asking.cancel_job(job=_own(request, piece_id)))


@router.get(
    "/pieces/{uuid:piece_id}/moments",
    response={200: list[MomentBody], 404: ErrorBody},
    summary="The steps that are kept",
)
def moments(request: HttpRequest, piece_id: UUID) -> list[dict[str, Any]]:
    """At most twelve, from the start to the newest; more come while it is made."""
    piece = _own(request, piece_id)
    folder = PieceFolder(piece.pk)
    return [
        {
            "step": step,
            "files": _files(request, piece, f"{MOMENTS}/{step}", folder.names(f"{MOMENTS}/{step}")),
        }
        for step in piece.moments
    ]


@router.get("/pieces/{uuid:piece_id}/moments/{int:step}/{file}", response={404: ErrorBody})
def moment_file(request: HttpRequest, piece_id: UUID, step: int, file: str) -> HttpResponse:
    """One file of a kept step."""
    return _file(request, _own(request, piece_id), f"{MOMENTS}/{step}", file)


@router.get("/pieces/{uuid:piece_id}/result/{file}", response={404: ErrorBody})
def result_file(request: HttpRequest, piece_id: UUID, file: str) -> HttpResponse:
    """One file of what was made: a WAV or FLAC, a CSV or EDF, a NIfTI or NumPy array, an MP4 or
    GIF."""
    return _file(request, _own(request, piece_id), RESULT, file)


def _file(request: HttpRequest, piece: Piece, under: str, name: str) -> HttpResponse:
    folder = PieceFolder(piece.pk)
    if name not in folder.names(under):
        raise UserFacingError(
            "no_such_file",
            "There is no such file of this piece yet.",
            "Its `files` and its moments say which there are.",
            status=404,
        )
    return served(request, folder.read(f"{under}/{name}"), name)


def _own(request: HttpRequest, piece_id: UUID) -> Piece:
    piece = Piece.objects.filter(pk=piece_id).first()
    if piece is None or not piece.visible_to(request.auth.user):  # type: ignore[attr-defined]
        raise UserFacingError(
            "no_such_job", "There is no such piece of yours.", "Check its id.", status=404
        )
    return piece


def _url(request: HttpRequest, piece: Piece) -> str:
    return request.build_absolute_uri(f"/api/v1/pieces/{piece.pk}")


def _files(
    request: HttpRequest, piece: Piece, under: str, names: list[str]
) -> list[dict[str, str]]:
    return [{"name": n, "url": f"{_url(request, piece)}/{under}/{n}"} for n in names]


def _body(request: HttpRequest, piece: Piece) -> dict[str, Any]:
    return {
        **piece.as_event(),
        "title": piece.title,
        "recipe": piece.recipe,
        "extent": piece.extent,
        "made_with": piece.made_with,
        "files": _files(request, piece, RESULT, piece.files if piece.is_final else []),
    }
