"""Patches are the receptive field, pixel by pixel, and sprites hold nine of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from styletransfer.core.visualise.layers import Padding, layer_info
from styletransfer.core.visualise.patches import crop, cut, patch_box, sprite
from styletransfer.core.visualise.receptive import Box

REPEAT = Padding("repeat", (0, 0, 0))
RED = Padding("blank", (255, 0, 0))


@pytest.fixture
def numbered() -> Image.Image:
    """12 × 8, every pixel of a colour of its own."""
    y, x = np.mgrid[0:8, 0:12]
    return Image.fromarray(np.stack([x * 20, y * 30, x + y], -1).astype(np.uint8))


def test_a_patch_inside_is_the_pixels_themselves(numbered):
    patch = cut(numbered, Box(2, 1, 7, 5), REPEAT)
    np.testing.assert_array_equal(patch, np.asarray(numbered)[1:5, 2:7])


def test_beyond_the_edge_is_what_the_network_takes_to_be_there_faded(numbered):
    box = Box(-2, -1, 3, 2)
    pixels = np.asarray(numbered)
    repeated, blank = cut(numbered, box, REPEAT), cut(numbered, box, RED)
    for patch in (repeated, blank):
        np.testing.assert_array_equal(patch[1:, 2:], pixels[0:2, 0:3])
    np.testing.assert_allclose(repeated[0, 4], 0.55 * pixels[0, 2] + 0.45 * 128, atol=1)
    np.testing.assert_allclose(blank[0, 0], [0.55 * 255 + 0.45 * 128, 57.6, 57.6], atol=1)


def test_the_box_is_the_receptive_field_unless_that_is_larger_than_the_view():
    assert patch_box(layer_info("lite", "relu3_1"), 0, 2, (256, 192)) == (-2, -10, 22, 14)
    assert patch_box(layer_info("face", "res5_1"), 1, 1, (150, 150)) == (0, 0, 150, 150)


def test_nothing_outside_the_box_matters_to_the_unit(seen, corpus):
    """The patch alone, laid anywhere, is all that the unit saw."""
    info = layer_info("lite", "relu3_2")
    [view] = seen.views(corpus[0][1])
    x = seen.prepare(view)
    features = seen(x, [info.name])[info.name]
    row, column = features.shape[2] // 2, features.shape[3] // 2
    box = patch_box(info, row, column, view.size)
    assert box.within(view.size) == box
    other = torch.rand(x.shape, generator=torch.Generator().manual_seed(1))
    other[..., box.top : box.bottom, box.left : box.right] = x[
        ..., box.top : box.bottom, box.left : box.right
    ]
    changed = seen(other, [info.name])[info.name]
    torch.testing.assert_close(changed[..., row, column], features[..., row, column])
    assert not torch.allclose(changed[..., row, column + 1], features[..., row, column + 1])


def test_small_patches_keep_their_pixels_edges(numbered):
    large = np.asarray(crop(numbered, Box(3, 2, 6, 5), 60, REPEAT))
    first = np.asarray(numbered)[2, 3]
    np.testing.assert_array_equal(large[0:20, 0:20], np.broadcast_to(first, (20, 20, 3)))


def test_a_sprite_has_the_strongest_at_the_top_left_and_leaves_missing_ones_empty():
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)]
    patches = [Image.new("RGB", (16, 16), colour) for colour in colours]
    sheet = sprite(patches, side=16, gap=2)
    assert sheet.size == (52, 52)
    assert [sheet.getpixel(at) for at in ((8, 8), (26, 8), (44, 8), (8, 26))] == colours
    assert sheet.getpixel((44, 44)) == sheet.getpixel((17, 8)) == (0, 0, 0)
