"""What every template may know."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from webapp.accounts.roles import Role, roles_of


def house(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    roles = roles_of(user) if user is not None else set()
    return {
        "house": {
            "can_paint": Role.PAINTER in roles,
            "can_recognise": Role.OPERATOR in roles,
            "is_administrator": Role.ADMINISTRATOR in roles,
            "sign_up_open": settings.SIGN_UP_OPEN,
            "limits": {
                "upload_mb": settings.MAX_UPLOAD_MB,
                "megapixels": settings.MAX_UPLOAD_MEGAPIXELS,
                "files": settings.MAX_UPLOAD_FILES,
                "archive_mb": settings.ARCHIVE_MAX_MB,
            },
        }
    }
