"""The pictures that a mining looks at, one at a time and always in the same order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image

from styletransfer.core.visualise import house
from styletransfer.files import CONTENT, RESULT, STYLE, PictureFolder
from styletransfer.models import Corpus, Mining
from styletransfer.services.minings import MOST_PICTURES, finished_pictures
from webapp.archives import staged
from webapp.archives.pictures import pictures_among, read_picture_of
from webapp.archives.sources import Archive
from webapp.errors import UserFacingError

MAX_SIDE = 1600  # pixels: more than any network is shown, and enough for the faces of a group
PARTS = {RESULT: "", CONTENT: ", its photo", STYLE: ", its style"}


@dataclass(frozen=True)
class MinedPicture:
    """title: for people. read: the picture. Raises UserFacingError or FileNotFoundError."""

    title: str
    read: Callable[[], Image.Image]


@contextmanager
def pictures_of(mining: Mining) -> Iterator[list[MinedPicture]]:
    """All of them, to be read one by one.

    Raises:
        UserFacingError: of an archive, as `webapp.archives.sources.Archive` and `pictures_among`,
            or `archive_gone`.
    """
    if mining.corpus == Corpus.HOUSE:
        yield [MinedPicture(p.title, p.draw) for p in house.house_pictures(mining.network)]
    elif mining.corpus == Corpus.GALLERY:
        yield list(_gallery(mining))
    else:
        if mining.archive is None:
            raise ValueError("a mining of an archive has one")
        source = Archive(staged(mining.archive))
        try:
            names = pictures_among(source.names(), most=MOST_PICTURES)
            yield [MinedPicture(name, _reader(source, name)) for name in names]
        finally:
            source.close()


def _reader(source: Archive, name: str) -> Callable[[], Image.Image]:
    return lambda: read_picture_of(source, name, max_side=MAX_SIDE)


def _gallery(mining: Mining) -> Iterator[MinedPicture]:
    """What was painted, and the photos and paintings that it was painted from, each once."""
    seen: set[bytes] = set()
    for job in finished_pictures(mining.owner).filter(created__lte=mining.created):
        folder = PictureFolder(job.pk)
        for part, says in PARTS.items():
            try:
                digest = hashlib.sha256(folder.read(part)).digest()
            except FileNotFoundError:
                continue
            if digest not in seen:
                seen.add(digest)
                yield MinedPicture(f"{job.title}{says}", _stored(folder, part))


def _stored(folder: PictureFolder, part: str) -> Callable[[], Image.Image]:
    return lambda: folder.picture(part).convert("RGB")


def read(picture: MinedPicture) -> Image.Image | None:
    """None for one that cannot be read."""
    try:
        return picture.read()
    except (UserFacingError, FileNotFoundError):
        return None
