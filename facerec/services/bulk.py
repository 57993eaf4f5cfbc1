"""Many people at once: the web's and the command's side."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import structlog
from django.core.exceptions import ValidationError
from django.db import transaction

from facerec.models import BulkEnrolment, BulkPhoto, BulkStatus, Existing, Subject
from facerec.photosets import PhotoSet
from facerec.services.archives import opened
from webapp import archives
from webapp.accounts.models import User
from webapp.errors import UserFacingError
from webapp.jobs.dispatch import ask, enqueue
from webapp.jobs.models import Request

log = structlog.get_logger(__name__)

NOT_IN_AN_ID = re.compile(r"[^\w.@+:-]+")
MAX_PATH = 1000
REPORT_COLUMNS = ("person", "file", "status", "code", "what to do")


@dataclass(frozen=True)
class Person:
    """Whom a folder stands for."""

    folder: str
    name: str
    external_id: str


def people_of(photoset: PhotoSet) -> dict[str, Person]:
    """Who is to be enrolled, by folder.

    A label file may have columns `name` and `external_id`; else the folder's name is the name
    (`_` for a space), and the external id is made of it.

    Raises:
        UserFacingError: `person_invalid`, `external_ids_collide`, `path_too_long`.
    """
    people = {folder: _person(folder, photoset) for folder in photoset.people}
    seen: dict[str, Person] = {}
    for person in people.values():
        other = seen.setdefault(person.external_id, person)
        if other is not person:
            raise _refused(
                "external_ids_collide",
                f"The folders “{other.folder}” and “{person.folder}” have the same external id, "
                f"{person.external_id}.",
                "If they are one person, put the photos into one folder; else give them ids in "
                "labels.csv.",
            )
    long = next((photo for photo in photoset.photos() if len(photo.path) > MAX_PATH), None)
    if long is not None:
        raise _refused("path_too_long", f"“{long.path[:80]}…” is too long a path.", "Shorten it.")
    return people


def _person(folder: str, photoset: PhotoSet) -> Person:
    label = photoset.labels.get(folder, {})
    name = label.get("name") or folder.replace("_", " ").strip()
    plain = unicodedata.normalize("NFKC", folder)
    external_id = label.get("external_id") or NOT_IN_AN_ID.sub("-", plain).strip("-")
    try:
        Subject(name=name, external_id=external_id).clean_fields(
            exclude=["consent_given_at", "consent_by"]
        )
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise _refused(
            "person_invalid",
            f"The folder “{folder}” cannot be a person: {field.replace('_', ' ')}: {messages[0]}",
            "Rename it, or say the name and the external id in labels.csv.",
        ) from error
    return Person(folder, name, external_id)


def start_bulk(
    *, archive: UUID, source: str, existing: Existing, consent: bool, by: User
) -> BulkEnrolment:
    """Look whether an uploaded archive can be used, and send it to be enrolled.

    Raises:
        UserFacingError: `consent_missing`, and as `PhotoSet.open` and `people_of` do; then the
            archive is deleted, unless only the consent was missing.
    """
    _check_consent(consent)
    try:
        with opened(archive, name=source) as photoset, transaction.atomic():
            job = _create(photoset, archive=archive, folder=None, existing=existing, by=by)
            enqueue(job)
    except UserFacingError:
        archives.discard(archive)
        raise
    return job


def create_bulk(
    *, photoset: PhotoSet, folder: Path, existing: Existing, consent: bool, by: User
) -> BulkEnrolment:
    """A run on a folder or ZIP of this machine, for a command that does the work itself."""
    _check_consent(consent)
    return _create(photoset, archive=None, folder=folder, existing=existing, by=by)


def _create(
    photoset: PhotoSet, *, archive: UUID | None, folder: Path | None, existing: Existing, by: User
) -> BulkEnrolment:
    return BulkEnrolment.objects.create(
        owner=by,
        source=photoset.name[:500],
        archive=archive,
        folder=str(folder.resolve()) if folder else "",
        existing=existing,
        people=len(people_of(photoset)),
        total=photoset.total,
    )


def ask_bulk(*, job: BulkEnrolment, request: Request) -> None:
    """Pause or cancel. The archive of one that is cancelled before it ran is deleted here."""
    ask(job, request)
    if job.is_final:
        archives.discard_leftovers()


def delete_bulk(*, job: BulkEnrolment) -> None:
    """Delete a run's report; whom it enrolled stays.

    Raises:
        UserFacingError: `still_running`.
    """
    if not job.is_final:
        raise UserFacingError(
            "still_running", "This run is not over.", "Cancel it first.", status=409
        )
    job.delete()


def report_rows(job: BulkEnrolment) -> Iterator[tuple[str, ...]]:
    """The whole report as `REPORT_COLUMNS`, safe to open in a spreadsheet."""
    lines = BulkPhoto.objects.filter(job=job).order_by("person", "path")
    for line in lines.iterator(chunk_size=1000):
        row = (
            line.person,
            line.path,
            BulkStatus(line.status).label.lower(),
            line.code,
            line.sentence,
        )
        yield tuple(_no_formula(value) for value in row)


def _no_formula(value: str) -> str:
    """A spreadsheet would compute what begins like a formula."""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _check_consent(consent: bool) -> None:
    if not consent:
        raise UserFacingError(
            "consent_missing",
            "Nobody is enrolled without their consent.",
            "Ask these people, then say that they agreed.",
            status=422,
            field="consent",
        )


def _refused(code: str, message: str, hint: str) -> UserFacingError:
    return UserFacingError(code, message, hint, status=422, field="archive")
