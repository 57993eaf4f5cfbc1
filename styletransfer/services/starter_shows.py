"""The starters of pieces, as a page shows and plays them. Drawn at their first use, then kept."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.conf import settings
from PIL import Image

from styletransfer.core import media
from styletransfer.core.media import registry
from styletransfer.core.pieces import MEDIA
from styletransfer.piece_files import PICTURE
from webapp.uploads import to_jpeg

PLAYED = {"sound": "sound.flac", "clip": "clip.mp4"}
"""The file of a medium's exhibit that plays by itself."""


def show(medium: str, name: str, file: str) -> bytes:
    """`picture.jpg`, or what a starter's exhibit has to play.

    Raises:
        KeyError: there is no such starter, or no such file of it.
    """
    if medium not in MEDIA or file not in (PICTURE, PLAYED.get(medium)):
        raise KeyError(file)
    starter = {each.name: each for each in registry.starters(medium)}[name]
    path = settings.CACHE_DIR / "starters" / f"{medium}-{_version(medium)}-{name}-{file}"
    try:
        return bytes(path.read_bytes())
    except FileNotFoundError:
        made = starter.make()
        if file == PICTURE:
            data = to_jpeg(Image.fromarray(registry.picture(made)), quality=88)
        else:
            data = registry.exhibit(made)[file]
        _keep(path, data)
        return data


@cache
def _version(medium: str) -> str:
    """Changes when the medium's code does."""
    folder = Path(media.__file__).parent
    code = b"".join(p.read_bytes() for p in sorted(folder.glob(f"{medium}/*.py")))
    return hashlib.sha256(code).hexdigest()[:12]


def _keep(path: Path, data: bytes) -> None:
    """Written aside, then renamed: two requests at once do no harm."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with NamedTemporaryFile(dir=path.parent, delete=False) as aside:
        aside.write(data)
    os.replace(aside.name, path)  # noqa: PTH105
