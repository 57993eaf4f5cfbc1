"""A job's files in Django's storage: one private folder each, served by the views alone."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, default_storage
from django.utils import timezone
from PIL import Image

from webapp.uploads import to_jpeg

THUMB = "thumb.jpg"
THUMB_SIDE = 480


class JobFolder:
    """The files of one job. Names may have slashes in them.

    root: where the folders of a kind of job lie. sign: a file that each has from the start, whose
    time is the folder's.
    """

    root: ClassVar[str]
    sign: ClassVar[str] = THUMB

    def __init__(self, job_id: UUID | str, storage: Storage = default_storage) -> None:
        self.path = f"{self.root}/{job_id}"
        self.storage = storage

    @classmethod
    def ids(cls, storage: Storage = default_storage) -> list[str]:
        """The job ids that have a folder."""
        try:
            return storage.listdir(cls.root)[0]
        except FileNotFoundError:
            return []

    def write(self, name: str, data: bytes) -> None:
        """Store a file, in place of one of that name."""
        self.remove(name)
        self.storage.save(f"{self.path}/{name}", ContentFile(data))

    def open(self, name: str) -> File[Any]:
        """The file, for reading. Raises FileNotFoundError."""
        return self.storage.open(f"{self.path}/{name}", "rb")

    def read(self, name: str) -> bytes:
        """The file's bytes. Raises FileNotFoundError."""
        with self.open(name) as file:
            return bytes(file.read())

    def names(self, under: str = "") -> list[str]:
        """The files that lie right in the folder, or in one of its own."""
        try:
            return sorted(self.storage.listdir(f"{self.path}/{under}".rstrip("/"))[1])
        except FileNotFoundError:
            return []

    def remove(self, name: str) -> None:
        """Delete one file, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            self.storage.delete(f"{self.path}/{name}")

    def write_thumb(self, picture: Image.Image) -> None:
        """The picture that hangs in the gallery."""
        small = picture.copy()
        small.thumbnail((THUMB_SIDE, THUMB_SIDE), Image.Resampling.LANCZOS)
        self.write(THUMB, to_jpeg(small, quality=85))

    def age(self) -> timedelta:
        """Since its sign was stored; zero where that has not come to pass yet."""
        try:
            return timezone.now() - self.storage.get_modified_time(f"{self.path}/{self.sign}")
        except FileNotFoundError:
            return timedelta()

    def delete(self, under: str = "") -> None:
        """All of the folder's files, and the folder; or one of its own."""
        self._delete(f"{self.path}/{under}".rstrip("/"))

    def _delete(self, path: str) -> None:
        try:
            folders, names = self.storage.listdir(path)
        except FileNotFoundError:
            return
        for folder in folders:
            self._delete(f"{path}/{folder}")
        for name in names:
            self.storage.delete(f"{path}/{name}")
        with contextlib.suppress(OSError, NotImplementedError):
            self.storage.delete(path)
