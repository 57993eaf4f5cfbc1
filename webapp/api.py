"""`/api/v1`: keys, errors, and the two halves' routers."""

from __future__ import annotations

import kombu.exceptions
import redis
import structlog
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from facerec.api import router as faces
from styletransfer.api import router as pictures
from webapp.archives.api import router as archives
from webapp.errors import UserFacingError
from webapp.middleware import REDIS_AWAY, new_reference

log = structlog.get_logger(__name__)

api = NinjaAPI(
    title="Likeness",
    version="1.0",
    urls_namespace="api",
    description=(
        "Know a face, paint a picture. Send a key as `Authorization: Bearer lk_…`; make one with "
        "`manage.py create_api_key --user NAME` or in the admin panel. Errors are "
        "`{code, message, hint}`. A job's progress streams over `/ws/jobs/{id}/`."
    ),
)
api.add_router("", faces, tags=["Faces"])
api.add_router("", pictures, tags=["Pictures"])
api.add_router("", archives, tags=["Archives"])


def _answer(request: HttpRequest, error: UserFacingError) -> HttpResponse:
    return api.create_response(request, error.as_dict(), status=error.status)


@api.exception_handler(UserFacingError)
def user_facing(request: HttpRequest, error: UserFacingError) -> HttpResponse:
    return _answer(request, error)


@api.exception_handler(AuthenticationError)
def unauthenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    response = _answer(
        request,
        UserFacingError(
            "no_valid_key",
            "This needs a valid API key.",
            "Send it as “Authorization: Bearer lk_…”.",
            status=401,
        ),
    )
    response["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    problems = [
        {"field": ".".join(str(part) for part in item["loc"][1:]), "message": item["msg"]}
        for item in error.errors
    ]
    named = ", ".join(p["field"].split(".")[-1] for p in problems)
    return _answer(
        request,
        UserFacingError(
            "invalid_request",
            f"This request lacks something or has it wrong: {named}.",
            "See /api/v1/docs.",
            status=422,
            details=problems,
        ),
    )


@api.exception_handler(HttpError)
def http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return _answer(
        request,
        UserFacingError("bad_request", "The request cannot be read.", status=error.status_code),
    )


@api.exception_handler(redis.RedisError)
@api.exception_handler(kombu.exceptions.OperationalError)
def redis_away(request: HttpRequest, error: Exception) -> HttpResponse:
    log.warning("Redis is away", path=request.path, error=type(error).__name__)
    return _answer(request, REDIS_AWAY)


@api.exception_handler(Exception)
def bug(request: HttpRequest, error: Exception) -> HttpResponse:
    reference = new_reference()
    log.error("api error", reference=reference, path=request.path, exc_info=error)
    return _answer(
        request,
        UserFacingError(
            "internal_error",
            "Something went wrong on our side.",
            f"Tell an administrator the reference {reference}.",
            status=500,
            details={"reference": reference},
        ),
    )
