"""Who the tests know: generated people, far apart for the encoder, and photos of them."""

from __future__ import annotations

import io
from functools import cache

from PIL import Image, ImageFilter

from tests.faces import draw_face

ADA, BOB = 0, 4  # seeds of two people whom nobody takes for each other


@cache
def portrait(person: int, variation: int = 0) -> Image.Image:
    """A photo of a generated person; each variation is another one."""
    return draw_face(person, variation=variation)


def as_jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def group() -> Image.Image:
    """Ada on the left, Bob on the right."""
    left, right = portrait(ADA, 1), portrait(BOB, 1)
    both = Image.new("RGB", (left.width + right.width, left.height))
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    return both


def nobody() -> Image.Image:
    return Image.new("RGB", (320, 240), (90, 110, 140))


def tiny() -> Image.Image:
    """Ada from afar: found by the detector, too small to compare."""
    small = portrait(ADA).resize((60, 75), Image.Resampling.LANCZOS)
    canvas = Image.new("RGB", (200, 200), (120, 130, 140))
    canvas.paste(small, (70, 60))
    return canvas


def blurred() -> Image.Image:
    return portrait(ADA).filter(ImageFilter.GaussianBlur(9))
