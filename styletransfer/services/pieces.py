"""The use cases of pieces on the web's side: sounds, signals, volumes and clips. The worker's side
is `work_pieces`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from PIL import Image

from styletransfer.core.media import registry
from styletransfer.core.media.types import Medium, MediumError
from styletransfer.core.pieces import PieceRecipe
from styletransfer.models import Piece
from styletransfer.piece_files import INPUTS, PICTURE, PieceFolder
from styletransfer.services.beginning import beginning
from styletransfer.services.pictures import LARGEST_INPUT, readable
from styletransfer.starters import starter as drawn
from webapp.accounts.models import User
from webapp.errors import UserFacingError
from webapp.uploads import decode_picture, read_bytes, read_picture

Given = Medium | Image.Image
TITLES = {
    "transfer": "{content}, as {style}",
    "texture": "More of {style}",
    "solid": "{style}, in the round",
}


def start_piece(
    *,
    owner: User,
    recipe: PieceRecipe,
    inputs: Mapping[str, Given],
    called: Mapping[str, str],
    title: str = "",
) -> Piece:
    """Store the inputs and send the piece to the painters' queue.

    inputs: as the recipe's kind names them. called: what each is called.

    Raises:
        UserFacingError: `too_many_jobs` (429).
    """
    piece = Piece(
        owner=owner,
        title=(title.strip() or title_for(recipe, called))[:120],
        called={name: called[name] for name in recipe.kind.inputs},
        notes={n: note for n in recipe.kind.inputs if (note := getattr(inputs[n], "note", ""))},
        medium=recipe.medium,
        recipe=recipe.to_dict(),
        steps=recipe.steps,
    )
    folder = PieceFolder(piece.pk)
    with beginning(piece, folder):
        for name in recipe.kind.inputs:
            folder.write_input(name, inputs[name])
        first = next(iter(recipe.kind.inputs))  # stands for the piece until it has a picture
        with Image.open(folder.open(f"{INPUTS}/{first}/{PICTURE}")) as picture:
            piece.width, piece.height = picture.size
            folder.write_thumb(picture)
    return piece


def take_input(
    upload: UploadedFile[Any] | None, starter: str, *, name: str, medium: str
) -> tuple[str, Given]:
    """What the input `name` is called, and what it is: what was sent, else the starter.

    Raises:
        UserFacingError: with the field `name`.
    """
    if upload is None and starter:
        return _starter(starter, name=name, medium=medium)
    given = _read(upload, name=name, medium=medium)
    return readable((upload and upload.name) or ""), given


def _read(upload: UploadedFile[Any] | None, *, name: str, medium: str) -> Given:
    if medium == "picture":
        return read_picture(upload, field=name, max_side=LARGEST_INPUT)
    data = read_bytes(
        upload,
        field=name,
        max_mb=settings.MAX_MEDIUM_MB,
        what=medium,
        smaller="Take a shorter or smaller part of it",
    )
    try:
        return registry.read(medium, data, (upload and upload.name) or "")
    except MediumError as error:
        raise UserFacingError(
            error.code, error.message, error.hint, status=422, field=name
        ) from error


def _starter(starter: str, *, name: str, medium: str) -> tuple[str, Given]:
    if medium == "picture" and (picture := drawn("style", starter)):
        data = picture.path.read_bytes()
        return picture.title, decode_picture(data, field=name, max_side=LARGEST_INPUT)
    if medium != "picture":
        for each in registry.starters(medium):
            if each.name == starter:
                return each.title, each.make()
    raise UserFacingError(
        "no_such_starter",
        f"There is no {medium} “{starter[:60]}” to begin with.",
        "Choose one of those that are shown, or a file of your own.",
        status=422,
        field=name,
    )


def earlier_piece(*, owner: User, piece_id: UUID | None) -> Piece | None:
    """A piece of one's own to make again with other settings; None where there is none."""
    return Piece.objects.filter(owner=owner, pk=piece_id).first() if piece_id else None


def title_for(recipe: PieceRecipe, called: Mapping[str, str]) -> str:
    """A title by what the inputs are called: “A voice, as rain”."""
    title = TITLES[recipe.goal].format(**{name: _within(text) for name, text in called.items()})
    return title[0].upper() + title[1:]


def _within(name: str) -> str:
    """A name inside a sentence: without its article's capital."""
    return name[0].lower() + name[1:] if name.startswith(("A ", "An ", "The ")) else name
