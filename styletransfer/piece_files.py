"""A piece's files: its inputs, what a page shows of its moments, and the files to download."""

from __future__ import annotations

import io

from PIL import Image

from styletransfer.core.media import registry
from styletransfer.core.media.types import Medium, Pixels, pack, unpack
from styletransfer.folders import JobFolder
from webapp.uploads import to_jpeg

PACKED, DRAWN = "input.npz", "input.jpg"
INPUTS, MOMENTS, RESULT = "inputs", "moments", "result"
PICTURE = "picture.jpg"


class PieceFolder(JobFolder):
    """The files of one piece.

    `inputs/<name>/`: `input.npz` or, of a picture, `input.jpg`; `picture.jpg`, which stands for it;
    and its exhibit. `moments/<step>/`: the same of the piece at that step. `result/`: the files to
    download.
    """

    root = "pieces"

    def write_input(self, name: str, given: Medium | Image.Image) -> None:
        """Keep an input, and a picture of it."""
        path = f"{INPUTS}/{name}"
        if isinstance(given, Image.Image):
            self.write(f"{path}/{DRAWN}", to_jpeg(given))
            shown = given.copy()
            shown.thumbnail((640, 640), Image.Resampling.LANCZOS)
        else:
            self.write(f"{path}/{PACKED}", pack(given))
            shown = Image.fromarray(registry.picture(given))
        self.write(f"{path}/{PICTURE}", to_jpeg(shown, quality=88))

    def read_input(self, name: str) -> Medium | Image.Image:
        """An input as it was given. Raises FileNotFoundError."""
        try:
            return unpack(self.read(f"{INPUTS}/{name}/{PACKED}"))
        except FileNotFoundError:
            image = Image.open(io.BytesIO(self.read(f"{INPUTS}/{name}/{DRAWN}")))
            image.load()
            return image

    def exhibit_input(self, name: str, given: Medium | Image.Image) -> None:
        """What a page plays or turns of an input; a picture is shown as it is."""
        if not isinstance(given, Image.Image):
            self._write_all(f"{INPUTS}/{name}", registry.exhibit(given))

    def write_moment(self, step: int, medium: Medium, pixels: Pixels) -> None:
        """What a page plays or turns of the piece at this step, and its picture."""
        picture = to_jpeg(Image.fromarray(pixels), quality=88)
        self._write_all(f"{MOMENTS}/{step}", {**registry.exhibit(medium), PICTURE: picture})

    def forget_moment(self, step: int) -> None:
        self.delete(f"{MOMENTS}/{step}")

    def write_result(self, medium: Medium) -> list[str]:
        """The files to download, instead of those that were there; returns their names, the best
        first."""
        files = registry.deliver(medium)
        self.delete(RESULT)
        self._write_all(RESULT, files)
        return list(files)

    def _write_all(self, path: str, files: dict[str, bytes]) -> None:
        for name, data in files.items():
            self.write(f"{path}/{name}", data)
