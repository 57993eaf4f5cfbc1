"""A job's pictures in Django's storage: one private folder each, served by the views alone."""

from __future__ import annotations

import contextlib
import io
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, default_storage
from django.utils import timezone
from PIL import Image

from webapp.uploads import to_jpeg

CONTENT, STYLE, RESULT, THUMB = "content.jpg", "style.jpg", "result.png", "thumb.jpg"
ROOT = "pictures"
THUMB_SIDE = 480


class PictureFolder:
    """The files of one job."""

    def __init__(self, job_id: UUID | str, storage: Storage = default_storage) -> None:
        self.path = f"{ROOT}/{job_id}"
        self.storage = storage

    def write(self, name: str, data: bytes) -> None:
        """Store a file, in place of one of that name."""
        path = f"{self.path}/{name}"
        with contextlib.suppress(FileNotFoundError):
            self.storage.delete(path)
        self.storage.save(path, ContentFile(data))

    def open(self, name: str) -> File[Any]:
        """The file, for reading. Raises FileNotFoundError."""
        return self.storage.open(f"{self.path}/{name}", "rb")

    def picture(self, name: str) -> Image.Image:
        """The file as a decoded picture. Raises FileNotFoundError."""
        with self.open(name) as file:
            image = Image.open(file)
            image.load()
        return image

    def write_thumb(self, picture: Image.Image) -> None:
        small = picture.copy()
        small.thumbnail((THUMB_SIDE, THUMB_SIDE), Image.Resampling.LANCZOS)
        self.write(THUMB, to_jpeg(small, quality=85))

    def write_result(self, picture: Image.Image) -> None:
        """The painted picture, exact, and its thumbnail."""
        buffer = io.BytesIO()
        picture.save(buffer, "PNG", compress_level=4)
        self.write(RESULT, buffer.getvalue())
        self.write_thumb(picture)

    def age(self) -> timedelta:
        """Since its content was stored; zero where that has not come to pass yet."""
        try:
            return timezone.now() - self.storage.get_modified_time(f"{self.path}/{CONTENT}")
        except FileNotFoundError:
            return timedelta()

    def delete(self) -> None:
        """All of the folder's files, and the folder."""
        try:
            _, names = self.storage.listdir(self.path)
        except FileNotFoundError:
            return
        for name in names:
            self.storage.delete(f"{self.path}/{name}")
        with contextlib.suppress(OSError, NotImplementedError):
            self.storage.delete(self.path)


def folder_ids(storage: Storage = default_storage) -> list[str]:
    """The job ids that have a folder."""
    try:
        return storage.listdir(ROOT)[0]
    except FileNotFoundError:
        return []
