"""`/api/v1/networks` and `/api/v1/minings`: what the units of a network answer to."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from pydantic import Field

from styletransfer.api.units import ERRORS, not_there, unit_of, user_of
from styletransfer.core.visualise.layers import NETWORKS, LayerInfo, network_layers
from styletransfer.mining_files import MiningFolder
from styletransfer.models import Corpus, Mining
from styletransfer.services import minings as services
from styletransfer.services.networks import is_here
from styletransfer.services.patches import found_hits, patch_picture
from webapp import archives
from webapp.accounts.models import Scope
from webapp.apikeys import KeyAuth
from webapp.jobs.models import Request
from webapp.ratelimit import check_rate

router = Router(auth=KeyAuth(Scope.PAINT))


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
        archive = archives.claim(receipt=body.archive, by=user_of(request))
    mining = services.start_mining(
        owner=user_of(request),
        network=body.network,
        corpus=body.corpus,
        archive=archive,
        source=body.source,
    )
    return Status(202, mining.as_event())


@router.get("/minings", response={200: list[MiningOut], **ERRORS}, summary="The minings to see")
def listed(request: HttpRequest) -> list[dict[str, Any]]:
    """The house's and your own, newest first, at most a hundred."""
    return [mining.as_event() for mining in services.minings_for(user_of(request))[:100]]


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
    info = unit_of(mining.network, layer, unit)
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
    info = unit_of(mining.network, layer, unit)
    try:
        return HttpResponse(patch_picture(mining, info, unit, rank), content_type="image/png")
    except (FileNotFoundError, IndexError) as error:
        raise not_there("patch") from error


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
        raise not_there("picture") from error
    if not known:
        raise not_there("picture")
    return HttpResponse(data, content_type="image/jpeg")


def _seen(request: HttpRequest, mining_id: UUID) -> Mining:
    mining = Mining.objects.filter(pk=mining_id).first()
    if mining is None or not mining.visible_to(user_of(request)):
        raise not_there("mining")
    return mining


def _changed(request: HttpRequest, mining_id: UUID) -> Mining:
    mining = _seen(request, mining_id)
    services.check_may_change(user_of(request), mining)
    return mining


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
