"""`/api/v1/style-jobs`: start, follow, fetch and cancel a painting."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import File, Form, Router, Schema, Status
from ninja.files import UploadedFile

from styletransfer.api.recipes import read_recipe
from styletransfer.core.types import Recipe
from styletransfer.files import RESULT, PictureFolder
from styletransfer.models import StyleJob
from styletransfer.services import asking
from styletransfer.services import pictures as services
from styletransfer.services.pictures import LARGEST_INPUT
from webapp.accounts.models import Scope
from webapp.apikeys import ErrorBody, KeyAuth
from webapp.errors import UserFacingError
from webapp.ratelimit import check_rate
from webapp.uploads import read_picture

router = Router(auth=KeyAuth(Scope.PAINT))
StatusName = Literal["queued", "running", "paused", "done", "cancelled", "failed"]


class Started(Schema):
    """A painting that waits for its painter."""

    id: UUID
    status: StatusName
    url: str
    ws: str


class LossesBody(Schema):
    total: float
    content: float
    style: float


class StyleJobBody(Schema):
    """How far a painting is. `result_url` is there once a picture can be fetched."""

    id: UUID
    status: StatusName
    step: int
    steps: int
    losses: LossesBody | None
    seconds_left: float | None
    result_url: str | None
    error: dict[str, Any] | None


@router.post(
    "/style-jobs",
    response={202: Started, 413: ErrorBody, 415: ErrorBody, 422: ErrorBody, 429: ErrorBody},
    summary="Paint a picture",
)
def start(
    request: HttpRequest,
    content: File[UploadedFile],
    style: File[UploadedFile],
    recipe: Form[str] = "{}",
    title: Form[str] = "",
) -> Status[dict[str, Any]]:
    """`content` and `style` are pictures; `recipe` is a JSON object, all of whose entries may be
    left out (see docs/style.md)."""
    check_rate(request, "paint")
    cooked = read_recipe(
        recipe, Recipe.from_dict, example='{"size": 512, "steps": 150}', docs="docs/style.md"
    )
    job = services.start_job(
        owner=request.auth.user,  # type: ignore[attr-defined]
        content=read_picture(content, field="content", max_side=LARGEST_INPUT),
        style=read_picture(style, field="style", max_side=LARGEST_INPUT),
        recipe=cooked,
        title=title
        or services.title_for(content_name=content.name or "", style_name=style.name or ""),
    )
    ws = request.build_absolute_uri(f"/ws/jobs/{job.id}/").replace("http", "ws", 1)
    told = {"id": job.id, "status": job.status, "url": _url(request, job), "ws": ws}
    return Status(202, told)


@router.get("/style-jobs/{uuid:job_id}", response={200: StyleJobBody, 404: ErrorBody})
def follow(request: HttpRequest, job_id: UUID) -> dict[str, Any]:
    """How far it is."""
    return _body(request, own_job(request, job_id))


@router.delete("/style-jobs/{uuid:job_id}", response={200: StyleJobBody, 404: ErrorBody})
def cancel(request: HttpRequest, job_id: UUID) -> dict[str, Any]:
    """Cancel it; the newest picture stays. A running job takes a moment: `status` says what it is
    now, and turns `cancelled` within a step. A finished one is left as it is."""
    return _body(request, asking.cancel_job(job=own_job(request, job_id)))


@router.get("/style-jobs/{uuid:job_id}/result", response={404: ErrorBody}, summary="The picture")
def result(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The painted picture as PNG."""
    job = own_job(request, job_id)
    if not job.has_picture:
        raise UserFacingError(
            "no_picture_yet",
            "There is no picture to fetch yet.",
            "Follow the job until its status is done.",
            status=404,
        )
    with PictureFolder(job.pk).open(RESULT) as file:
        response = HttpResponse(file.read(), content_type="image/png")
    response["Cache-Control"] = "private, no-cache"
    return response


def own_job(request: HttpRequest, job_id: UUID) -> StyleJob:
    """The job, if it is the asker's. Raises UserFacingError: `no_such_job`."""
    job = StyleJob.objects.filter(pk=job_id).first()
    if job is None or not job.visible_to(request.auth.user):  # type: ignore[attr-defined]
        raise UserFacingError(
            "no_such_job", "There is no such style job of yours.", "Check its id.", status=404
        )
    return job


def _url(request: HttpRequest, job: StyleJob) -> str:
    return request.build_absolute_uri(f"/api/v1/style-jobs/{job.pk}")


def _body(request: HttpRequest, job: StyleJob) -> dict[str, Any]:
    event = job.as_event()
    if event["result_url"]:
        event["result_url"] = f"{_url(request, job)}/result"
    return event
