"""A private file's way to the browser: whole, or the part that a player asks for."""

from __future__ import annotations

import mimetypes
import re

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header

KINDS = {".flac": "audio/flac", ".wav": "audio/wav", ".mp4": "video/mp4", ".edf": "application/edf"}
RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def kind_of(name: str) -> str:
    """The content type by a file's ending."""
    ending = name[name.rfind(".") :]
    return KINDS.get(ending) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def served(request: HttpRequest, data: bytes, name: str, *, as_file: str = "") -> HttpResponse:
    """The file, or one range of it (RFC 9110, 14.2): players seek by ranges.

    as_file: the name to save it under, where it shall be saved.
    """
    found = RANGE.fullmatch(request.headers.get("Range", ""))
    first, last = 0, len(data) - 1
    if found and any(found.groups()):
        start, end = found.groups()
        if start:
            first, last = int(start), min(int(end or last), last)
        else:
            first = max(0, len(data) - int(end))  # the last so many
        if first > last:
            response = HttpResponse(status=416)
            response["Content-Range"] = f"bytes */{len(data)}"
            return response
    part = found is not None and any(found.groups())
    response = HttpResponse(data[first : last + 1], status=206 if part else 200)
    response["Content-Type"] = kind_of(name)
    response["Accept-Ranges"] = "bytes"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-cache"
    if part:
        response["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
    if as_file:
        response["Content-Disposition"] = content_disposition_header(True, as_file)
    return response
