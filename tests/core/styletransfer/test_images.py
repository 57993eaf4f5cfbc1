from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from styletransfer.core.images import luma, resize, to_jpeg, to_pil, to_pixels, to_tensor


@pytest.mark.parametrize(
    ("size", "longest", "expected"),
    [((200, 100), 64, (64, 32)), ((100, 200), 64, (32, 64)), ((30, 30), 64, (64, 64))],
)
def test_resize_sets_the_longest_side_and_keeps_the_shape(size, longest, expected) -> None:
    assert resize(Image.new("RGB", size), longest).size == expected


def test_resize_averages_instead_of_picking() -> None:
    y, x = np.mgrid[0:256, 0:256]
    chequered = Image.fromarray((((x + y) % 2) * 255).astype(np.uint8))
    small = np.asarray(resize(chequered, 32))
    assert small.shape == (32, 32, 3)
    assert np.abs(small[4:-4, 4:-4].astype(int) - 128).max() <= 3


def test_a_sliver_keeps_at_least_one_pixel() -> None:
    assert resize(Image.new("RGB", (1000, 1)), 128).size == (128, 1)


def test_tensor_and_back_is_the_same_picture(content: Image.Image) -> None:
    tensor = to_tensor(content)
    assert tensor.shape == (1, 3, 64, 96)
    assert 0 <= tensor.min() <= tensor.max() <= 1
    assert np.array_equal(to_pixels(tensor), np.asarray(content))


def test_pixels_clip() -> None:
    assert to_pixels(torch.tensor([-1.0, 0.5, 2.0]).view(1, 3, 1, 1)).tolist() == [[[0, 128, 255]]]


def test_jpeg_is_a_jpeg_of_the_picture(content: Image.Image) -> None:
    pixels = np.asarray(content)
    decoded = Image.open(io.BytesIO(to_jpeg(pixels, 95)))
    assert decoded.format == "JPEG"
    assert np.abs(np.asarray(decoded).astype(int) - pixels).mean() < 4
    assert len(to_jpeg(pixels, 30)) < len(to_jpeg(pixels, 95))
    assert to_pil(pixels).size == content.size


def test_luma_is_that_of_pil(content: Image.Image) -> None:
    grey = luma(to_tensor(content)).mul(255).round()[0, 0].numpy()
    assert np.abs(grey - np.asarray(content.convert("L"))).max() <= 1
