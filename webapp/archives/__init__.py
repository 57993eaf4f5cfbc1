"""Uploaded archives of pictures: how they come in, who may use them, how they go.

A page includes `components/archive_field.html` and `js/lib/archive-upload.js`: the file travels
while the form is filled in, and the form sends the *receipt* that came back for it. Without the
script the form sends the file itself, which then is a small one. Either way the view does

    archive = archives.claim(receipt=request.POST.get("archive", ""),
                             upload=request.FILES.get("archive"), by=request.user)

(`archive_name` is what the sender called it), and whoever runs the job calls `discard` when it has
ended, whatever its outcome. A job keeps the archive's id in a field `archive`: by this an archive
serves one job, and leftovers are told apart. `sources.Archive` reads it.
"""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core import signing
from django.core.files.uploadedfile import UploadedFile

from webapp.accounts.models import User
from webapp.errors import UserFacingError
from webapp.jobs.models import FINAL
from webapp.jobs.registry import job_models
from webapp.staging import PARTIAL, SUFFIX, path_of, private

__all__ = ["claim", "discard", "discard_leftovers", "path_of", "receipt_for", "stage", "staged"]

log = structlog.get_logger(__name__)

SALT = "webapp.archive"
UNCLAIMED_LIFE = 24 * 3600  # seconds between the upload and the job
PARTIAL_LIFE = 600  # seconds without another byte


def receipt_for(*, by: User) -> tuple[UUID, str]:
    """A new archive's id, and what lets its sender, and nobody else, claim it."""
    archive = uuid.uuid4()
    return archive, signing.dumps([str(archive), by.pk], salt=SALT)


def claim(*, receipt: str, by: User, upload: UploadedFile[Any] | None = None) -> UUID:
    """The archive that a form or a request brings: by its receipt, or as a small file.

    Raises:
        UserFacingError: `no_archive`, `archive_gone`, `archive_used` or `archive_too_large`.
    """
    if not receipt:
        return stage(upload)
    try:
        name, owner = signing.loads(receipt, salt=SALT, max_age=UNCLAIMED_LIFE)
    except signing.BadSignature as error:
        raise _gone() from error
    archive = UUID(name)
    if owner != by.pk or not path_of(archive).exists():
        raise _gone()
    if any(model._default_manager.filter(archive=archive).exists() for model in _users()):
        raise UserFacingError(
            "archive_used",
            "This archive is being worked on already.",
            "Look at the list of runs, or send it again.",
            status=409,
            field="archive",
        )
    return archive


def stage(upload: UploadedFile[Any] | None) -> UUID:
    """Keep a small archive that came with its form (see `settings.MAX_UPLOAD_MB`)."""
    if upload is None or not upload.size:
        raise UserFacingError(
            "no_archive", "There is no archive.", "Choose a ZIP file.", status=422, field="archive"
        )
    if upload.size > settings.MAX_UPLOAD_MB * 1024**2:
        raise UserFacingError(
            "archive_too_large",
            f"Without the page's script at most {settings.MAX_UPLOAD_MB} MB are taken.",
            "Let this page run its scripts, or use the API or the command.",
            status=413,
            field="archive",
        )
    archive = uuid.uuid4()
    with open(path_of(archive), "xb", opener=private) as target:
        for piece in upload.chunks():
            target.write(piece)
    return archive


def staged(archive: UUID) -> Path:
    """Where it lies.

    Raises:
        UserFacingError: `archive_gone`.
    """
    path = path_of(archive)
    if not path.exists():
        raise _gone()
    return path


def discard(archive: UUID) -> None:
    """Delete it; one that is gone already is no error."""
    path_of(archive).unlink(missing_ok=True)


def discard_leftovers() -> None:
    """Delete every archive that no job will read: of jobs that ended, of uploads cut off, and of
    those that nobody claimed for a day."""
    wanted: set[UUID] = set()
    ended: set[UUID] = set()
    for model in _users():
        for archive, status in model._default_manager.values_list("archive", "status"):
            (ended if status in FINAL else wanted).add(archive)
    for path in settings.STAGING_DIR.iterdir():
        try:
            age = time.time() - path.stat().st_mtime
        except FileNotFoundError:
            continue
        if path.suffix == PARTIAL:
            over = age > PARTIAL_LIFE
        elif path.suffix == SUFFIX:
            archive = UUID(path.stem)
            over = archive in ended or (archive not in wanted and age > UNCLAIMED_LIFE)
        else:
            continue
        if over:
            path.unlink(missing_ok=True)
            log.info("deleted a leftover archive", age=round(age))


def _users() -> list[Any]:
    """The models of jobs that read archives."""
    return [
        model
        for model in job_models()
        if any(field.name == "archive" for field in model._meta.get_fields())
    ]


def _gone() -> UserFacingError:
    return UserFacingError(
        "archive_gone",
        "This archive is not there any more.",
        "Send it again.",
        status=410,
        field="archive",
    )
