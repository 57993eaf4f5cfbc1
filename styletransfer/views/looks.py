"""Try it: where in a photo a unit fires; and the picture that is made to excite it. Answers are
JSON, since scripts read them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from styletransfer.services.excited import ExcitedFolder, progress, start_exciting
from styletransfer.services.looks import MAX_SIDE, start_look, take_answer
from styletransfer.views.see import own_user, painters, unit_or_404
from webapp.errors import UserFacingError
from webapp.ratelimit import check_rate
from webapp.uploads import read_picture


def as_json(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A refusal is JSON, too."""

    @wraps(view)
    def told(*args: object, **kwargs: object) -> HttpResponse:
        try:
            return view(*args, **kwargs)
        except UserFacingError as error:
            return JsonResponse(error.as_dict(), status=error.status)

    return told


@painters
@require_POST
@as_json
def start(request: HttpRequest, network: str, layer: str, unit: int) -> HttpResponse:
    """202 {url: where the answer will be}."""
    unit_or_404(network, layer, unit)
    check_rate(request, "look")
    image = read_picture(request.FILES.get("photo"), field="photo", max_side=MAX_SIDE)
    look = start_look(image=image, network=network, layer=layer, unit=unit, by=own_user(request))
    return JsonResponse({"url": reverse("styletransfer:look", args=[look])}, status=202)


@painters
@never_cache
@require_safe
def answer(request: HttpRequest, look: UUID) -> HttpResponse:
    """202 while a worker has yet to look; then once 200 and what it saw, or 422 and why not."""
    try:
        found = take_answer(look=look, by=own_user(request))
    except KeyError:
        gone = UserFacingError(
            "gone", "The photo waited for too long and was forgotten.", "Choose it again."
        )
        return JsonResponse(gone.as_dict(), status=404)
    if found is None:
        return JsonResponse({}, status=202)
    return JsonResponse(found, status=422 if "code" in found else 200)


@painters
@never_cache
@require_http_methods(["GET", "POST"])
@as_json
def excite(request: HttpRequest, network: str, layer: str, unit: int) -> HttpResponse:
    """POST: have the picture made. Both: how far it is; {} where nobody has asked for it."""
    unit_or_404(network, layer, unit)
    if request.method == "POST":
        check_rate(request, "look")
        start_exciting(network=network, layer=layer, unit=unit)
    return JsonResponse(progress(network=network, layer=layer, unit=unit) or {})


@painters
@require_safe
def excited(request: HttpRequest, network: str, layer: str, unit: int) -> HttpResponse:
    """The picture that excites the unit."""
    unit_or_404(network, layer, unit)
    try:
        data = ExcitedFolder(network).picture(layer, unit)
    except FileNotFoundError as error:
        raise Http404 from error
    response = HttpResponse(data, content_type="image/jpeg")
    response["Cache-Control"] = "private, no-cache"  # other weights make another
    return response
