"""Every kind of upload that is refused, and every odd kind that is taken.

Both are functions of nothing and of a picture, so that pages and API are tried with the same.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image


class Refused(NamedTuple):
    make: Callable[[], bytes]
    code: str
    status: int


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def gradient(width: int = 64, height: int = 48) -> Image.Image:
    """Something to decode whose corners all differ."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, 255 - x], axis=-1).astype(np.uint8))


def png_of_size(width: int, height: int) -> bytes:
    """A PNG whose header promises this size and whose data is one short run of zeros: a few
    hundred bytes that want gigabytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def animated() -> bytes:
    frames = [gradient(), gradient().transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100)


def over_the_limit() -> bytes:
    """20 MB that would decode, were it read."""
    return encoded(gradient(), "JPEG") + b"\0" * (20 * 1024**2)


REFUSED: dict[str, Refused] = {
    "0 bytes": Refused(lambda: b"", "empty_file", 422),
    "not an image": Refused(lambda: b"Dear Sir or Madam, " * 50, "not_an_image", 415),
    "a PDF": Refused(lambda: b"%PDF-1.7\n" + b"\0" * 200, "not_an_image", 415),
    "an SVG": Refused(lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>', "not_an_image", 415),
    "truncated JPEG": Refused(
        lambda: encoded(gradient(400, 300), "JPEG")[:-3000], "image_broken", 422
    ),
    "truncated PNG": Refused(lambda: encoded(gradient(400, 300), "PNG")[:900], "image_broken", 422),
    "only a JPEG's header": Refused(lambda: encoded(gradient(), "JPEG")[:20], "not_an_image", 415),
    "decompression bomb": Refused(lambda: png_of_size(60_000, 60_000), "too_many_pixels", 413),
    "200-megapixel PNG": Refused(lambda: png_of_size(20_000, 10_000), "too_many_pixels", 413),
    "promises more than it has": Refused(lambda: png_of_size(3_000, 2_000), "image_broken", 422),
    "animated": Refused(animated, "image_moves", 422),
    "over the limit": Refused(over_the_limit, "file_too_large", 413),
    "one pixel": Refused(lambda: encoded(gradient(1, 1), "PNG"), "image_too_small", 422),
}


def sixteen_bit(image: Image.Image) -> bytes:
    grey = np.asarray(image.convert("L")).astype(np.uint16) * 257
    return encoded(Image.fromarray(grey), "PNG")


def transparent(image: Image.Image) -> bytes:
    """The picture within a see-through margin."""
    canvas = Image.new("RGBA", (image.width + 40, image.height + 40), (0, 0, 0, 0))
    canvas.paste(image, (20, 20))
    return encoded(canvas, "PNG")


def turned(image: Image.Image) -> bytes:
    """Stored lying on its side; EXIF orientation 6 says how to turn it upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = image.transpose(Image.Transpose.ROTATE_90)
    return encoded(lying, "JPEG", quality=95, exif=exif)


TAKEN: dict[str, Callable[[Image.Image], bytes]] = {
    "JPEG": lambda image: encoded(image, "JPEG", quality=92),
    "PNG": lambda image: encoded(image, "PNG"),
    "WebP": lambda image: encoded(image, "WEBP", quality=90),
    "TIFF": lambda image: encoded(image, "TIFF"),
    "BMP": lambda image: encoded(image, "BMP"),
    "GIF": lambda image: encoded(image.convert("P", palette=Image.Palette.ADAPTIVE), "GIF"),
    "CMYK": lambda image: encoded(image.convert("CMYK"), "JPEG", quality=92),
    "16-bit": sixteen_bit,
    "grey": lambda image: encoded(image.convert("L"), "PNG"),
    "palette": lambda image: encoded(
        image.convert("P", palette=Image.Palette.ADAPTIVE, colors=256), "PNG"
    ),
    "transparent": transparent,
    "EXIF-rotated": turned,
}
