"""The one door for what people send: size, and for pictures kind, pixel count, decoding,
orientation, metadata. (Sounds, signals, volumes and clips are judged by their own readers.)

Nothing of an upload touches a disk here: the handler and the body limit keep a request in memory.
What comes out is an upright, opaque, 8-bit sRGB picture without metadata.
"""

from __future__ import annotations

import io
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import numpy as np
from django.conf import settings
from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from webapp.errors import UserFacingError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")  # JPEG opens MPO, too
NAMES = "JPEG, PNG, WebP, AVIF, TIFF, BMP or GIF"
SMALLEST_SIDE = 16
SRGB = ImageCms.createProfile("sRGB")

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def read_picture(upload: UploadedFile[Any] | None, *, field: str, max_side: int) -> Image.Image:
    """Decode an upload into an upright RGB picture, at most `max_side` pixels on its longer side.

    Args:
        upload: what the form or API gave; None where nothing came.
        field: its field's name, to which an error points.
        max_side: larger pictures are scaled down (Lanczos).

    Returns:
        The picture; `info["sent_size"]` is its upright width and height before any scaling.

    Raises:
        UserFacingError: `no_file`, `empty_file`, `file_too_large`, `not_an_image`,
            `image_broken`, `too_many_pixels`, `image_too_small`, `image_moves`.
    """
    data = read_bytes(
        upload,
        field=field,
        max_mb=settings.MAX_UPLOAD_MB,
        what="picture",
        smaller="Save it smaller or as JPEG",
    )
    return decode_picture(data, field=field, max_side=max_side)


def read_bytes(
    upload: UploadedFile[Any] | None, *, field: str, max_mb: int, what: str, smaller: str
) -> bytes:
    """An upload's bytes, of any kind.

    Args:
        what: it should be, in words. smaller: what to do where it is too large.

    Raises:
        UserFacingError: `no_file`, `empty_file`, `file_too_large`.
    """
    if upload is None:
        raise UserFacingError("no_file", f"There is no {what}.", "Choose one first.", field=field)
    if (upload.size or 0) > max_mb * 1024**2:
        raise UserFacingError(
            "file_too_large",
            f"This file has {(upload.size or 0) / 1024**2:.0f} MB; at most {max_mb} MB are taken.",
            f"{smaller}, then try again.",
            status=413,
            field=field,
        )
    data = bytes(upload.read())
    if not data:
        raise UserFacingError(
            "empty_file", "This file is empty.", f"Choose another {what}.", field=field, status=422
        )
    return data


def decode_picture(data: bytes, *, field: str, max_side: int) -> Image.Image:
    """`read_picture` for bytes in hand; same result, same errors."""
    image = _open(data, field)
    _check_header(image, field)
    sent_size = image.size
    if image.format == "JPEG":
        image.draft("RGB", (max_side, max_side))  # decodes a large JPEG at a smaller scale
    try:
        image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _broken(field) from error
    drafted = image.size
    turned = ImageOps.exif_transpose(image)
    if turned.size != drafted:  # a quarter turn; a square picture needs no telling
        sent_size = sent_size[1], sent_size[0]
    upright = _to_srgb(turned)
    # thumbnail() would be lazy about quality for tiny reductions; reducing_gap keeps it exact.
    upright.thumbnail((max_side, max_side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    clean = Image.new("RGB", upright.size)
    clean.paste(upright)  # pixels alone: EXIF, GPS, comments and thumbnails stay behind
    clean.info["sent_size"] = sent_size
    return clean


def to_lossless(image: Image.Image) -> bytes:
    """Bytes for the way to a worker, exact and without a codec's cost (PPM)."""
    buffer = io.BytesIO()
    image.save(buffer, "PPM")
    return buffer.getvalue()


def from_lossless(data: bytes) -> Image.Image:
    """The picture that `to_lossless` packed."""
    image = Image.open(io.BytesIO(data), formats=("PPM",))
    image.load()
    return image


def to_jpeg(image: Image.Image, *, quality: int = 95) -> bytes:
    """Bytes to keep and to show (4:4:4, so that colour edges stay)."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, subsampling=0)
    return buffer.getvalue()


def _open(data: bytes, field: str) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise UserFacingError(
            "not_an_image",
            "This file is not a picture that can be read.",
            f"Choose a {NAMES} file.",
            field=field,
            status=415,
        ) from error
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(field, None) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise _broken(field) from error


def _check_header(image: Image.Image, field: str) -> None:
    """What the header alone tells, before a single pixel is decoded."""
    width, height = image.size
    if width * height > settings.MAX_UPLOAD_MEGAPIXELS * 1_000_000:
        raise _too_many_pixels(field, width * height)
    if min(width, height) < SMALLEST_SIDE:
        raise UserFacingError(
            "image_too_small",
            f"This picture has only {width} × {height} pixels.",
            f"Choose one with at least {SMALLEST_SIDE} on each side.",
            field=field,
            status=422,
        )
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise UserFacingError(
            "image_moves",
            f"This file holds {getattr(image, 'n_frames', 2)} pictures, not one.",
            "Send a single still picture.",
            field=field,
            status=422,
        )


def _to_srgb(image: Image.Image) -> Image.Image:
    """Any mode to opaque 8-bit sRGB: profiles are applied, transparency lies on white."""
    if image.mode.startswith("I") or image.mode == "F":
        # Pillow clips 16-bit grey instead of scaling it.
        values = np.asarray(image, dtype=np.float64)
        top = 65535.0 if values.max() > 255 else 255.0
        image = Image.fromarray((values.clip(0, top) * (255.0 / top)).astype(np.uint8), "L")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(ground, image).convert("RGB")
    if (profile := image.info.get("icc_profile")) and image.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, SRGB, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            converted = None  # a profile that does not fit its picture: the plain values then
        if converted is not None:
            return converted
    return image.convert("RGB")


def _broken(field: str) -> UserFacingError:
    return UserFacingError(
        "image_broken",
        "This picture is damaged or cut off.",
        "Open it and save it again, or choose another.",
        field=field,
        status=422,
    )


def _too_many_pixels(field: str, pixels: int | None) -> UserFacingError:
    has = f"has {pixels / 1e6:.0f} million pixels" if pixels else "has too many pixels"
    return UserFacingError(
        "too_many_pixels",
        f"This picture {has}; at most {settings.MAX_UPLOAD_MEGAPIXELS} million are taken.",
        "Scale it down, then try again.",
        field=field,
        status=413,
    )


class MemoryOnlyUploadHandler(FileUploadHandler):
    """Keeps files in memory up to the limit; of a larger one only the size is kept."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.buffer = io.BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        most = max(settings.MAX_UPLOAD_MB, settings.MAX_MEDIUM_MB)
        if start + len(raw_data) <= most * 1024**2:
            self.buffer.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile[Any]:
        self.buffer.seek(0)
        return InMemoryUploadedFile(
            self.buffer,
            self.field_name,
            self.file_name or "",
            self.content_type or "",
            file_size,
            self.charset,
        )


class BodyLimit:
    """ASGI: refuses a request body over `settings.MAX_BODY_BYTES` before Django reads it."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = settings.MAX_BODY_BYTES
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit:
            await self._drain(receive)  # else the browser sees a reset instead of the answer
            await self._refuse(send)
            return
        seen = 0
        refused = False

        async def counted() -> Message:
            nonlocal seen, refused
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                refused = True
                return {"type": "http.disconnect"}
            return message

        async def guarded(message: Message) -> None:
            if not refused:
                await send(message)

        await self.app(scope, counted, guarded)
        if refused:
            await self._refuse(send)

    @staticmethod
    async def _drain(receive: Receive) -> None:
        left = 8 * settings.MAX_BODY_BYTES
        while left > 0:
            message = await receive()
            left -= len(message.get("body", b"")) or 1
            if message["type"] == "http.disconnect" or not message.get("more_body"):
                return

    @staticmethod
    async def _refuse(send: Send) -> None:
        body = json.dumps(
            UserFacingError(
                "request_too_large",
                f"That was more than {settings.MAX_BODY_BYTES // 1024**2} MB at once.",
                "Send fewer or smaller pictures.",
            ).as_dict()
        ).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": body})
