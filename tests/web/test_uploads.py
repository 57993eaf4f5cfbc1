"""The one door for image bytes: what is refused with which sentence, and what comes out."""

from __future__ import annotations

import io

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageCms

from tests.web.bad_pictures import REFUSED, TAKEN, Refused, encoded, gradient, turned
from webapp.errors import UserFacingError
from webapp.uploads import (
    BodyLimit,
    decode_picture,
    from_lossless,
    read_picture,
    to_jpeg,
    to_lossless,
)


def upload(data: bytes, name: str = "photo.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def read(data: bytes, max_side: int = 2048) -> Image.Image:
    return read_picture(upload(data), field="photo", max_side=max_side)


@pytest.mark.parametrize("bad", REFUSED.values(), ids=REFUSED)
def test_refused_with_a_sentence_and_a_hint(bad: Refused) -> None:
    with pytest.raises(UserFacingError) as refused:
        read(bad.make())
    error = refused.value
    assert (error.code, error.status) == (bad.code, bad.status)
    assert error.field == "photo"
    assert error.message.endswith(".")
    assert error.hint.endswith(".")


def test_no_file() -> None:
    with pytest.raises(UserFacingError) as refused:
        read_picture(None, field="content", max_side=100)
    assert (refused.value.code, refused.value.field) == ("no_file", "content")


@pytest.mark.parametrize("make", TAKEN.values(), ids=TAKEN)
def test_whatever_is_taken_comes_out_as_the_same_upright_rgb(make) -> None:
    image = gradient(120, 80)
    seen = read(make(image))
    assert seen.mode == "RGB"
    assert not seen.getexif()
    expected = image.convert("L") if make in (TAKEN["16-bit"], TAKEN["grey"]) else image
    shown = seen.crop((20, 20, 140, 100)) if make is TAKEN["transparent"] else seen
    assert shown.size == image.size
    difference = np.asarray(shown, float) - np.asarray(expected.convert("RGB"), float)
    assert abs(difference).mean() < 8  # lossy kinds and 256 colours


def test_transparency_lies_on_white() -> None:
    clear = Image.new("RGBA", (32, 32), (255, 0, 0, 0))
    assert read(encoded(clear, "PNG")).getpixel((5, 5)) == (255, 255, 255)


def test_16_bit_is_scaled_not_clipped() -> None:
    ramp = (np.arange(256, dtype=np.uint16) * 257)[None].repeat(32, axis=0)
    seen = np.asarray(read(encoded(Image.fromarray(ramp), "PNG")))[0, :, 0]
    assert np.array_equal(seen, np.arange(256))


@pytest.mark.parametrize(
    "profile",
    [ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), b"no profile at all"],
    ids=["sRGB", "broken"],
)
def test_a_colour_profile_does_no_harm(profile: bytes) -> None:
    image = Image.new("RGB", (32, 32), (120, 60, 30))
    seen = read(encoded(image, "JPEG", quality=100, subsampling=0, icc_profile=profile))
    assert np.abs(np.asarray(seen, int)[0, 0] - (120, 60, 30)).max() <= 2


def test_metadata_stays_behind() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera of a certain person"
    data = encoded(gradient(), "JPEG", exif=exif, comment=b"secret")
    seen = read(data)
    again = encoded(seen, "JPEG")
    assert b"certain person" in data
    assert b"certain person" not in again
    assert b"secret" not in again


def test_scaled_down_to_the_longer_side_and_told_what_was_sent() -> None:
    seen = read(encoded(gradient(3000, 1500), "JPEG"), max_side=500)
    assert seen.size == (500, 250)
    assert seen.info["sent_size"] == (3000, 1500)


def test_a_turned_picture_tells_its_upright_size() -> None:
    seen = read(turned(gradient(1200, 900)), max_side=300)
    assert seen.size == (300, 225)
    assert seen.info["sent_size"] == (1200, 900)


def test_small_pictures_are_not_scaled_up() -> None:
    assert read(encoded(gradient(40, 30), "PNG")).size == (40, 30)


def test_lossless_way_to_the_worker() -> None:
    image = gradient(31, 17)
    assert np.array_equal(np.asarray(from_lossless(to_lossless(image))), np.asarray(image))


def test_jpeg_to_keep_is_close() -> None:
    image = gradient(64, 64)
    kept = Image.open(io.BytesIO(to_jpeg(image)))
    assert np.abs(np.asarray(kept, float) - np.asarray(image, float)).mean() < 3


def test_bytes_in_hand_take_the_same_door() -> None:
    with pytest.raises(UserFacingError) as refused:
        decode_picture(b"nothing", field="style", max_side=64)
    assert (refused.value.code, refused.value.field) == ("not_an_image", "style")


class TestBodyLimit:
    """A body over the limit is answered before Django reads it."""

    async def ask(self, settings, *, declared: bool, size: int):
        settings.MAX_BODY_BYTES = 1000
        chunks = [b"x" * 400] * (size // 400)
        sent, read = [], 0

        async def receive():
            more = bool(chunks)
            body = chunks.pop() if chunks else b""
            return {"type": "http.request", "body": body, "more_body": more}

        async def send(message):
            sent.append(message)

        async def app(scope, receive, send):
            nonlocal read
            while True:
                message = await receive()
                read += len(message.get("body", b""))
                if message["type"] == "http.disconnect":
                    return
                if not message["more_body"]:
                    break
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"fine"})

        headers = [(b"content-length", str(size).encode())] if declared else []
        await BodyLimit(app)({"type": "http", "headers": headers}, receive, send)
        return sent[0]["status"], read

    async def test_declared(self, settings) -> None:
        assert await self.ask(settings, declared=True, size=4000) == (413, 0)

    async def test_undeclared(self, settings) -> None:
        status, read = await self.ask(settings, declared=False, size=4000)
        assert status == 413
        assert read <= 1000

    async def test_small_ones_pass(self, settings) -> None:
        assert (await self.ask(settings, declared=True, size=800))[0] == 200
