"""A painting's files."""

from __future__ import annotations

import io

from PIL import Image

from styletransfer.folders import THUMB, JobFolder

__all__ = ["CONTENT", "RESULT", "STYLE", "THUMB", "PictureFolder"]

CONTENT, STYLE, RESULT = "content.jpg", "style.jpg", "result.png"


class PictureFolder(JobFolder):
    """The files of one painting."""

    root = "pictures"
    sign = CONTENT

    def picture(self, name: str) -> Image.Image:
        """The file as a decoded picture. Raises FileNotFoundError."""
        with self.open(name) as file:
            image = Image.open(file)
            image.load()
        return image

    def write_result(self, picture: Image.Image) -> None:
        """The painted picture, exact, and its thumbnail."""
        buffer = io.BytesIO()
        picture.save(buffer, "PNG", compress_level=4)
        self.write(RESULT, buffer.getvalue())
        self.write_thumb(picture)
