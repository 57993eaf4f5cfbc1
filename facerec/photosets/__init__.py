"""Labelled photos: a folder or a ZIP archive with one folder a person.

    Ada Example/front.jpg          or, as in LFW,   images/Ada_Example/Ada_Example_0001.jpg
    Ada Example/side.jpg                            images/Bob_Example/Bob_Example_0001.jpg
    Bob Example/photo.png                           pairs.txt (not a photo, left aside)
    labels.csv                     optional: person,<any columns>

Photos are read one at a time, never unpacked to a disk.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from PIL import Image

from facerec.core.labelled import Picture, Refusal
from facerec.photosets.labels import LABEL_FILES, MAX_LABEL_BYTES, Labels, read_labels
from webapp.archives.pictures import PICTURE_SUFFIXES, read_picture_of
from webapp.archives.sources import Archive, FileSource, Folder, refused
from webapp.errors import UserFacingError

MAX_SIDE = 2048  # pixels: faces smaller than this leaves them are not compared anyway
MAX_PHOTOS = 200_000


@dataclass(frozen=True, slots=True)
class LabelledPhoto:
    """One photo: its person's folder, its file's name, and its path in the set, which is unique."""

    person: str
    name: str
    path: str
    source: FileSource = field(repr=False, compare=False)

    def read(self) -> Image.Image:
        """The upright RGB picture, at most MAX_SIDE pixels on its longer side.

        Raises:
            UserFacingError: as `webapp.archives.pictures.read_picture_of`.
        """
        return read_picture_of(self.source, self.path, max_side=MAX_SIDE)


class PhotoSet:
    """People and their photos; use it as a context manager.

    people: folder name -> photos, both sorted. labels: folder name -> column -> value, of
    labels.csv or people.csv. ignored: how many other files there were.
    """

    def __init__(self, name: str, source: FileSource) -> None:
        self.name = name
        self._source = source
        files = source.names()
        photos = [file for file in files if PurePosixPath(file).suffix.lower() in PICTURE_SUFFIXES]
        self.people = _by_person(photos, source)
        self.total = len(photos)
        tables = [file for file in files if PurePosixPath(file).name.lower() in LABEL_FILES]
        self.labels = self._labels(tables)
        self.ignored = len(files) - len(photos) - len(tables)

    @classmethod
    def open(cls, path: Path, *, name: str = "") -> Self:
        """A folder, or a ZIP archive.

        Args:
            name: what people call it, by default the path's last part.

        Raises:
            UserFacingError: `photoset_missing`, `not_an_archive`, `archive_encrypted`,
                `archive_unsafe`, `no_photos`, `photos_not_in_folders`, `too_many_photos`,
                `labels_invalid`; each points to the field `archive`.
        """
        source: FileSource
        if path.is_dir():
            source = Folder(path)
        elif path.is_file():
            source = Archive(path)
        else:
            raise refused("photoset_missing", f"There is no {path}.", "Check the path.", 404)
        try:
            return cls(name or path.name, source)
        except BaseException:
            source.close()
            raise

    def photos(self) -> Iterator[LabelledPhoto]:
        """All of them, sorted by person and path."""
        for photos in self.people.values():
            yield from photos

    @staticmethod
    def place_of(path: str) -> tuple[str, str]:
        """Where a photo at this path comes in that order: its person and its path."""
        return _person_at(path), path

    def close(self) -> None:
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _labels(self, tables: list[str]) -> Labels:
        if len(tables) > 1:
            raise refused(
                "labels_invalid",
                f"There are {len(tables)} label files: {tables[0]}, {tables[1]}.",
                "Keep one.",
            )
        if not tables:
            return {}
        data = self._source.read(tables[0], MAX_LABEL_BYTES)
        if len(data) > MAX_LABEL_BYTES:
            raise refused("labels_invalid", f"{tables[0]} is larger than 5 MB.", "Shorten it.")
        return read_labels(data, tables[0])


def pictures(photos: Iterable[LabelledPhoto]) -> Iterator[Picture]:
    """The photos as `core.labelled.encode_set` takes them; one that cannot be read says why."""
    for photo in photos:
        image: Image.Image | Refusal
        try:
            image = photo.read()
        except UserFacingError as error:
            image = Refusal(error.code, f"{error.message} {error.hint}".strip())
        yield Picture(photo.person, photo.name, image)


def _by_person(files: list[str], source: FileSource) -> dict[str, list[LabelledPhoto]]:
    """Every photo must lie in a person's folder, and all these folders in one place: a photo
    deeper or higher would be filed under a wrong name."""
    if not files:
        raise refused(
            "no_photos", "There is no photo in it.", "Give each person a folder with their photos."
        )
    if len(files) > MAX_PHOTOS:
        raise refused(
            "too_many_photos",
            f"These are {len(files):,} photos; at most {MAX_PHOTOS:,} are taken at once.",
            "Send them in parts.",
            413,
        )
    places = Counter(str(PurePosixPath(file).parent.parent) for file in files if "/" in file)
    place = places.most_common(1)[0][0] if places else ""
    people: dict[str, list[LabelledPhoto]] = defaultdict(list)
    for file in sorted(files):
        path = PurePosixPath(file)
        if "/" not in file or str(path.parent.parent) != place:
            raise refused(
                "photos_not_in_folders",
                f"“{file}” does not lie in a person's folder.",
                "Put each person's photos right into one folder of theirs, and all these folders "
                "side by side.",
            )
        person = _person_at(file)
        people[person].append(LabelledPhoto(person, path.name, file, source))
    return dict(sorted(people.items()))


def _person_at(path: str) -> str:
    """The photo's folder; programs write an accent as one sign or as two."""
    return unicodedata.normalize("NFC", PurePosixPath(path).parent.name)
