"""`/api/v1/networks` and `/api/v1/minings`: what the units of a network answer to."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Literal
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from ninja import File, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import Field

from styletransfer.core.visualise.layers import NETWORKS, LayerInfo, network_layers
from styletransfer.mining_files import MiningFolder
from styletransfer.models import Corpus, Mining
from styletransfer.services import minings as services
from styletransfer.services.looks import MAX_SIDE, start_look, take_answer
from styletransfer.services.networks import find_layer, is_here
from styletransfer.services.patches import found_hits, patch_picture
from webapp import archives
from webapp.accounts.models import Scope, User
from webapp.apikeys import AsyncKeyAuth, ErrorBody, KeyAuth
from webapp.errors import UserFacingError
from webapp.jobs.models import Request
from webapp.ratelimit import check_rate
from webapp.uploads import read_picture

router = Router(auth=KeyAuth(Scope.PAINT))
PATIENCE = 20.0  # seconds that a request waits for its worker
POLL = 0.05  # seconds
ERRORS = dict.fromkeys((401, 403, 404, 409, 410, 413, 415, 422, 429, 503), ErrorBody)


class LayerOut(Schema):
    """`group` is layer 1 … 5. Each unit sees `size` × `size` pixels, the first from `start` on (it
    is negative where the network pads), the next `stride` farther."""

    name: str
    group: int
    units: int
    size: int
    stride: int
    start: int


class NetworkOut(Schema):
    """`here`: whether its weights are on this server. `house` is the mining of the house's own
    pictures, if there is one."""

    name: str
    here: bool
    house: UUID | None
    layers: list[LayerOut]


class MiningIn(Schema):
    network: Literal["lite", "vgg19", "face"]
    corpus: Corpus = Corpus.HOUSE
    archive: str = Field("", description="the receipt of `POST /archives`, for the corpus archive")
    source: str = "an archive"


class MiningOut(Schema):
    """`unreadable` counts pictures that could not be read, or have no face for the face encoder.
    Once `found` is true its units can be asked for."""

    id: UUID
    status: str
    network: str
    corpus: str
    done: int
    total: int
    unreadable: int
    rate: float
    seconds_left: int | None
    found: bool
    error: dict[str, Any] | None


class PatchOut(Schema):
    """`box` is left, top, right, bottom in pixels of the picture at `source_url`; it may reach
    beyond the picture's edge. `url` is the patch itself, `title` what the picture is called."""

    activation: float
    box: list[int]
    title: str
    url: str
    source_url: str


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


@router.get("/networks", response={200: list[NetworkOut], **ERRORS}, summary="What can be seen")
def networks(request: HttpRequest) -> list[dict[str, Any]]:
    """Networks, their layers and what a unit of each sees of a picture."""
    return [
        {
            "name": network,
            "here": is_here(network),
            "house": mining.pk if (mining := services.house_mining(network)) else None,
            "layers": [_layer(info) for info in network_layers(network)],
        }
        for network in NETWORKS
    ]


@router.post("/minings", response={202: MiningOut, **ERRORS}, summary="Show pictures to a network")
def start(request: HttpRequest, body: MiningIn) -> Status[dict[str, Any]]:
    """One pass over the house's own pictures, your finished pictures, or an archive's. Its progress
    streams over `/ws/jobs/{id}/`, too."""
    check_rate(request, "mine")
    archive = None
    if body.corpus == Corpus.ARCHIVE:
        archive = archives.claim(receipt=body.archive, by=_user(request))
    mining = services.start_mining(
        owner=_user(request),
        network=body.network,
        corpus=body.corpus,
        archive=archive,
        source=body.source,
    )
    return Status(202, mining.as_event())


@router.get("/minings", response={200: list[MiningOut], **ERRORS}, summary="The minings to see")
def listed(request: HttpRequest) -> list[dict[str, Any]]:
    """The house's and your own, newest first, at most a hundred."""
    return [mining.as_event() for mining in services.minings_for(_user(request))[:100]]


@router.get("/minings/{uuid:mining_id}", response={200: MiningOut, **ERRORS})
def follow(request: HttpRequest, mining_id: UUID) -> dict[str, Any]:
    """How far it is."""
    return _seen(request, mining_id).as_event()


@router.delete("/minings/{uuid:mining_id}", response={204: None, **ERRORS})
def delete(request: HttpRequest, mining_id: UUID) -> Status[None]:
    """Delete it and all that was found; one that runs stops."""
    services.delete_mining(mining=_changed(request, mining_id))
    return Status(204, None)


@router.post(
    "/minings/{uuid:mining_id}/{what}",
    response={200: MiningOut, **ERRORS},
    summary="Pause, resume or cancel: `what` is one of these",
)
def act(
    request: HttpRequest, mining_id: UUID, what: Literal["pause", "resume", "cancel"]
) -> dict[str, Any]:
    mining = _changed(request, mining_id)
    if what == "resume":
        services.resume_mining(mining=mining)
    else:
        services.ask_mining(mining=mining, request=Request(what))
    return mining.as_event()


@router.get(
    "/minings/{uuid:mining_id}/units/{layer}/{int:unit}",
    response={200: list[PatchOut], **ERRORS},
    summary="The nine patches that excite a unit most",
)
def patches(request: HttpRequest, mining_id: UUID, layer: str, unit: int) -> list[dict[str, Any]]:
    """The strongest first; fewer where fewer pictures excited it."""
    mining = _seen(request, mining_id)
    info = _unit(mining.network, layer, unit)
    base = f"/api/v1/minings/{mining.pk}"
    return [
        {
            "activation": hit.activation,
            "box": list(box),
            "title": source.title,
            "url": request.build_absolute_uri(f"{base}/units/{info.name}/{unit}/{rank}.png"),
            "source_url": request.build_absolute_uri(f"{base}/sources/{hit.key}.jpg"),
        }
        for rank, (hit, source, box) in enumerate(found_hits(mining, info, unit))
    ]


@router.get(
    "/minings/{uuid:mining_id}/units/{layer}/{int:unit}/{int:rank}.png",
    response=ERRORS,
    summary="One patch, as PNG",
)
def patch(request: HttpRequest, mining_id: UUID, layer: str, unit: int, rank: int) -> HttpResponse:
    mining = _seen(request, mining_id)
    info = _unit(mining.network, layer, unit)
    try:
        return HttpResponse(patch_picture(mining, info, unit, rank), content_type="image/png")
    except (FileNotFoundError, IndexError) as error:
        raise _none("patch") from error


@router.get(
    "/minings/{uuid:mining_id}/sources/{key}.jpg", response=ERRORS, summary="A source, as JPEG"
)
def source(request: HttpRequest, mining_id: UUID, key: str) -> HttpResponse:
    """A picture in which a patch was found, as the network saw it."""
    mining = _seen(request, mining_id)
    folder = MiningFolder(mining.pk)
    try:
        known = key in folder.sources()
        data = folder.read(f"sources/{key}.jpg") if known else b""
    except FileNotFoundError as error:
        raise _none("picture") from error
    if not known:
        raise _none("picture")
    return HttpResponse(data, content_type="image/jpeg")


@router.post(
    "/networks/{network}/layers/{layer}/units/{int:unit}/heat",
    response={200: HeatOut, **ERRORS},
    auth=AsyncKeyAuth(Scope.PAINT),
    summary="Where in a photo a unit answers",
)
async def heat(
    request: HttpRequest, network: str, layer: str, unit: int, photo: File[UploadedFile]
) -> dict[str, Any]:
    """The photo is looked at and forgotten."""
    user = _user(request)

    @sync_to_async
    def begin() -> UUID:
        check_rate(request, "look")
        _unit(network, layer, unit)
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


def _user(request: HttpRequest) -> User:
    user: User = request.auth.user  # type: ignore[attr-defined]
    return user


def _seen(request: HttpRequest, mining_id: UUID) -> Mining:
    mining = Mining.objects.filter(pk=mining_id).first()
    if mining is None or not mining.visible_to(_user(request)):
        raise _none("mining")
    return mining


def _changed(request: HttpRequest, mining_id: UUID) -> Mining:
    mining = _seen(request, mining_id)
    services.check_may_change(_user(request), mining)
    return mining


def _unit(network: str, layer: str, unit: int) -> LayerInfo:
    info = find_layer(network, layer)
    if info is None or not 0 <= unit < info.units:
        raise _none("unit")
    return info


def _layer(info: LayerInfo) -> dict[str, Any]:
    field = info.receptive
    return {
        "name": info.name,
        "group": info.group,
        "units": info.units,
        "size": field.size,
        "stride": field.stride,
        "start": field.start,
    }


def _none(what: str) -> UserFacingError:
    return UserFacingError(
        f"no_such_{what}", f"There is no such {what} for you.", "Check its address.", status=404
    )
