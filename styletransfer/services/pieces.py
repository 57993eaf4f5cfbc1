"""The use cases of pieces on the web's side: sounds, signals, volumes and clips. The worker's side
is `work_pieces`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from PIL import Image

from styletransfer.core.media import registry
from styletransfer.core.media.types import Medium, MediumError
from styletransfer.core.pieces import PieceRecipe
from styletransfer.models import Piece
from styletransfer.piece_files import INPUTS, PICTURE, PieceFolder
from styletransfer.services.limits import check_waiting
from styletransfer.services.pictures import LARGEST_INPUT, readable
from styletransfer.starters import starter as drawn
from webapp.accounts.models import User
from webapp.errors import UserFacingError
from webapp.jobs import dispatch
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

    inputs: as the recipe's kind names them. called: what each is called, a file's name or a title.

    Raises:
        UserFacingError: `too_many_jobs` (429).
    """
    check_waiting(owner)
    piece = Piece(
        owner=owner,
        title=(title.strip() or title_for(recipe, called))[:120],
        called={name: readable(called[name]) for name in recipe.kind.inputs},
        medium=recipe.medium,
        recipe=recipe.to_dict(),
        steps=recipe.steps,
    )
    folder = PieceFolder(piece.pk)
    try:
        for name in recipe.kind.inputs:
            folder.write_input(name, inputs[name])
        first = next(iter(recipe.kind.inputs))  # stands for the piece until it has a picture
        with Image.open(folder.open(f"{INPUTS}/{first}/{PICTURE}")) as picture:
            piece.width, piece.height = picture.size
            folder.write_thumb(picture)
        with transaction.atomic():
            check_waiting(owner)  # once more where nobody can come between
            piece.save(force_insert=True)
            dispatch.enqueue(piece)
    except BaseException:
        folder.delete()  # nothing is left half-made
        raise
    return piece


def read_input(upload: UploadedFile[Any] | None, *, name: str, medium: str) -> Given:
    """What was sent as the input `name`, decoded.

    Raises:
        UserFacingError: with the field `name`.
    """
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
        return registry.read(medium, data, upload.name or "" if upload else "")
    except MediumError as error:
        raise UserFacingError(
            error.code, error.message, error.hint, status=422, field=name
        ) from error


def starter_input(*, name: str, medium: str, starter: str) -> tuple[str, Given]:
    """A starter of the house for the input `name`: its title, and what it is.

    Raises:
        UserFacingError: `no_such_starter`.
    """
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
    """A title by what the inputs are called: “Bells, as Rain”."""
    return TITLES[recipe.goal].format(**{name: readable(text) for name, text in called.items()})
