"""`/api/v1/networks/…/units/…`: where in a photo a unit answers, and the picture made for it."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from ninja import File, Router, Schema, Status
from ninja.files import UploadedFile

from styletransfer.core.visualise.layers import LayerInfo
from styletransfer.services.excited import ExcitedFolder, progress, start_exciting
from styletransfer.services.looks import MAX_SIDE, start_look, take_answer
from styletransfer.services.networks import find_layer
from webapp.accounts.models import Scope, User
from webapp.apikeys import AsyncKeyAuth, ErrorBody, KeyAuth
from webapp.errors import UserFacingError
from webapp.ratelimit import check_rate
from webapp.uploads import read_picture

router = Router(auth=KeyAuth(Scope.PAINT))
PATIENCE = 20.0  # seconds that a request waits for its worker
POLL = 0.05  # seconds
ERRORS = dict.fromkeys((401, 403, 404, 409, 410, 413, 415, 422, 429, 503), ErrorBody)
UNIT = "/networks/{network}/layers/{layer}/units/{int:unit}"


class HeatOut(Schema):
    """`peak` is the unit's largest activation, within `box` (left, top, right, bottom) of the
    `width` × `height` that the network saw: `picture`, a JPEG in base64. `overlay` is a PNG in
    base64 of the same size, clear where the unit is silent. `strongest`: [unit, activation] of
    those of the layer that answer most."""

    peak: float
    box: list[int]
    width: int
    height: int
    picture: str
    overlay: str
    strongest: list[tuple[int, float]]
    milliseconds: float


class ExcitedOut(Schema):
    """Once `done`, `activation` is what the picture at `url` reaches; until then `step` of
    `steps` are made (0: it waits)."""

    done: bool
    step: int = 0
    steps: int = 0
    activation: float | None = None
    url: str


@router.post(
    f"{UNIT}/heat",
    response={200: HeatOut, **ERRORS},
    auth=AsyncKeyAuth(Scope.PAINT),
    summary="Where in a photo a unit answers",
)
async def heat(
    request: HttpRequest, network: str, layer: str, unit: int, photo: File[UploadedFile]
) -> dict[str, Any]:
    """The photo is looked at and forgotten."""
    user = user_of(request)

    @sync_to_async
    def begin() -> UUID:
        check_rate(request, "look")
        unit_of(network, layer, unit)
        image = read_picture(photo, field="photo", max_side=MAX_SIDE)
        return start_look(image=image, network=network, layer=layer, unit=unit, by=user)

    look, until = await begin(), time.monotonic() + PATIENCE
    while time.monotonic() < until:
        await asyncio.sleep(POLL)
        answer = await sync_to_async(take_answer)(look=look, by=user)
        if answer is None:
            continue
        if "code" in answer:
            raise UserFacingError(answer["code"], answer["message"], answer["hint"], status=422)
        return answer
    raise UserFacingError(
        "faces_busy",
        "The worker that looks at photos is busy or starting.",
        "Try again in a few seconds.",
        status=503,
    )


@router.post(
    f"{UNIT}/excited",
    response={200: ExcitedOut, 202: ExcitedOut, **ERRORS},
    summary="Have a picture made that excites a unit",
)
def excite(request: HttpRequest, network: str, layer: str, unit: int) -> Status[dict[str, Any]]:
    """202 until it is made; ask again. It is made once, for everybody."""
    check_rate(request, "look")
    unit_of(network, layer, unit)
    start_exciting(network=network, layer=layer, unit=unit)
    told = progress(network=network, layer=layer, unit=unit) or {}
    if "code" in told:
        raise UserFacingError(told["code"], told["message"], told["hint"], status=503)
    done = told.get("done", False)
    url = request.build_absolute_uri(f"{request.path}.jpg")
    return Status(200 if done else 202, {**told, "done": done, "url": url})


@router.get(f"{UNIT}/excited.jpg", response=ERRORS, summary="The picture, as JPEG")
def excited(request: HttpRequest, network: str, layer: str, unit: int) -> HttpResponse:
    unit_of(network, layer, unit)
    try:
        data = ExcitedFolder(network).picture(layer, unit)
    except FileNotFoundError as error:
        raise not_there("picture") from error
    return HttpResponse(data, content_type="image/jpeg")


def user_of(request: HttpRequest) -> User:
    user: User = request.auth.user  # type: ignore[attr-defined]
    return user


def unit_of(network: str, layer: str, unit: int) -> LayerInfo:
    """The unit's layer. Raises UserFacingError: `no_such_unit`."""
    info = find_layer(network, layer)
    if info is None or not 0 <= unit < info.units:
        raise not_there("unit")
    return info


def not_there(what: str) -> UserFacingError:
    return UserFacingError(
        f"no_such_{what}", f"There is no such {what} for you.", "Check its address.", status=404
    )
