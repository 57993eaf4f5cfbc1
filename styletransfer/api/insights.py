"""`/api/v1/style-jobs/{id}/insight`: a finished picture, looked into."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status

from styletransfer.api.pictures import own_job
from styletransfer.services.insights import WHICH, gram_picture, progress, start_insight, stored
from webapp.accounts.models import Scope
from webapp.apikeys import ErrorBody, KeyAuth
from webapp.errors import UserFacingError
from webapp.ratelimit import check_rate

router = Router(auth=KeyAuth(Scope.PAINT))


class PairBody(Schema):
    """Two units that fire together: the cosine of their activations in S and in G, 0 … 1."""

    units: tuple[int, int]
    style: float
    picture: float


class LayerBody(Schema):
    """One layer. `content`: J_content over the energy of C, 0 is C itself. `style`: J_style(G) over
    J_style(C), 0 is S. `grams`: the Gram matrices as PNG, one pixel a pair of units."""

    name: str
    units: int
    content: float
    style: float
    pairs: list[PairBody]
    grams: dict[Literal["style", "picture", "difference"], str]


class InsightBody(Schema):
    """`version` is the extractor's checksum, `step` the picture's."""

    extractor: str
    version: str
    step: int
    layers: list[LayerBody]


class UnderWay(Schema):
    """It is being made: so many layers of so many are done; `of` is 0 while it waits."""

    done: int
    of: int


@router.get(
    "/style-jobs/{uuid:job_id}/insight",
    response={200: InsightBody, 202: UnderWay, 404: ErrorBody, 429: ErrorBody, 503: ErrorBody},
    summary="What remains, layer by layer",
)
def insight(request: HttpRequest, job_id: UUID) -> Status[dict[str, Any]]:
    """202 while a worker looks into the finished picture, which the first call begins where it was
    not done yet; then 200 with what it saw."""
    job = own_job(request, job_id)
    if found := stored(job):
        for layer in found["layers"]:
            layer["grams"] = {
                which: request.build_absolute_uri(f"insight/{layer['name']}/{which}.png")
                for which in WHICH
            }
        return Status(200, found)
    check_rate(request, "look")
    told = progress(job)
    if told and "code" in told:
        raise UserFacingError(told["code"], told["message"], told.get("hint", ""), status=503)
    start_insight(job=job)
    return Status(202, progress(job) or {"done": 0, "of": 0})


@router.get(
    "/style-jobs/{uuid:job_id}/insight/{layer}/{which}.png",
    response={404: ErrorBody},
    summary="A Gram matrix as a picture",
)
def gram(request: HttpRequest, job_id: UUID, layer: str, which: str) -> HttpResponse:
    """PNG; `which` is `style`, `picture` or `difference`."""
    job = own_job(request, job_id)
    try:
        data = gram_picture(job, layer, which)
    except FileNotFoundError as error:
        raise UserFacingError(
            "no_such_gram",
            "There is no such Gram matrix of this picture.",
            "Ask for its insight first: it names them.",
            status=404,
        ) from error
    return HttpResponse(data, content_type="image/png")
