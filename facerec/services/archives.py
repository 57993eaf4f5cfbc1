"""Uploaded archives as photos of people; `webapp.archives` is how they come in and go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from facerec.photosets import PhotoSet
from webapp.archives import staged


@contextmanager
def opened(archive: UUID, *, name: str = "") -> Iterator[PhotoSet]:
    """The archive's photos. Raises UserFacingError as `PhotoSet.open` does, or `archive_gone`."""
    with PhotoSet.open(staged(archive), name=name) as photoset:
        yield photoset


@contextmanager
def photos_of(job: Any) -> Iterator[PhotoSet]:
    """The photos of a job that has fields `archive` (of an upload), else `folder` (a folder or ZIP
    of this machine, given to a command), and `source` (as its sender called it)."""
    if job.archive is not None:
        with opened(job.archive, name=job.source) as photoset:
            yield photoset
    else:
        with PhotoSet.open(Path(job.folder), name=job.source) as photoset:
            yield photoset
