"""Heat lies where the unit looks, and the colours are even."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from styletransfer.core.visualise.filters import first_layer
from styletransfer.core.visualise.heat import _COLOURS, at_pixels, coloured, heat, strongest
from styletransfer.core.visualise.layers import layer_info


@pytest.mark.parametrize(
    ("network", "layer"), [("lite", "relu3_1"), ("lite", "relu5_1"), ("face", "res3_2")]
)
def test_a_units_heat_peaks_at_the_middle_of_its_receptive_field(network, layer):
    info = layer_info(network, layer)
    width, height = 150, 150
    columns, rows = info.map_extent((width, height))
    values = np.zeros((rows, columns), np.float32)
    row, column = rows // 2, columns // 2
    values[row, column] = 1
    pixels = at_pixels(values, info, (width, height))
    assert pixels.shape == (height, width)
    share = pixels / pixels.sum()
    box = info.receptive.box_of(row, column)
    y, x = np.mgrid[0:height, 0:width]
    assert (share * y).sum() == pytest.approx((box.top + box.bottom - 1) / 2, abs=1e-3)
    assert (share * x).sum() == pytest.approx((box.left + box.right - 1) / 2, abs=1e-3)


def test_a_unit_fires_where_its_pattern_is(seen):
    """A bright dot in the dark heats the place where it is, for a unit that it excites."""
    pixels = np.zeros((96, 128, 3), np.uint8)
    pixels[60:66, 30:36] = 255
    view = Image.fromarray(pixels)
    with torch.inference_mode():
        dark = seen(seen.prepare(Image.new("RGB", (128, 96))), ["relu2_1"])["relu2_1"].amax((2, 3))
    unit, peak = next(
        (u, a) for u, a in strongest(seen, view, "relu2_1", 32) if dark[0, u] < 0.1 * a
    )
    found = heat(seen, view, "relu2_1", unit)
    assert found.peak == pytest.approx(peak)
    box = layer_info("lite", "relu2_1").receptive.box_of(found.row, found.column)
    assert box.left <= 36
    assert box.right >= 30
    assert box.top <= 66
    assert box.bottom >= 60
    opacity = np.asarray(found.overlay)[..., 3]
    y, x = np.unravel_index(opacity.argmax(), opacity.shape)
    assert abs(y - 62.5) < 8
    assert abs(x - 32.5) < 8
    assert found.overlay.size == view.size


def test_values_are_the_layers_own(seen, corpus):
    [view] = seen.views(corpus[2][1])
    with torch.inference_mode():
        features = seen(seen.prepare(view), ["relu4_2"])["relu4_2"][0]
    found = heat(seen, view, "relu4_2", 7)
    np.testing.assert_allclose(found.values, features[7], rtol=1e-5)
    assert found.peak == found.values[found.row, found.column] == found.values.max()
    ranked = strongest(seen, view, "relu4_2", 5)
    peaks = features.amax((1, 2))
    assert [unit for unit, _ in ranked] == peaks.argsort(descending=True)[:5].tolist()
    assert len(ranked) == 5


def test_a_silent_unit_leaves_the_picture_clear(seen):
    view = Image.new("RGB", (64, 64))
    fired = dict(strongest(seen, view, "relu3_1", 64))
    silent = next(unit for unit in range(64) if unit not in fired)
    found = heat(seen, view, "relu3_1", silent)
    assert found.peak == 0
    assert np.asarray(found.overlay)[..., 3].max() == 0


def test_heat_against_a_given_activation_is_fainter(seen, corpus):
    [view] = seen.views(corpus[0][1])
    [(unit, peak)] = strongest(seen, view, "relu3_1", 1)
    own, given = (heat(seen, view, "relu3_1", unit, full=f) for f in (None, 4 * peak))
    assert np.asarray(given.overlay)[..., 3].max() < np.asarray(own.overlay)[..., 3].max()


def test_unknown_layers_and_units_are_refused(seen, corpus):
    [view] = seen.views(corpus[0][1])
    with pytest.raises(KeyError):
        heat(seen, view, "relu6_1", 0)
    for unit in (-1, 64):
        with pytest.raises(IndexError):
            heat(seen, view, "relu3_1", unit)


def test_the_colours_grow_lighter_evenly():
    """CIE L*, computed here from scratch."""
    linear = np.where(
        _COLOURS / 255 <= 0.04045, _COLOURS / 255 / 12.92, ((_COLOURS / 255 + 0.055) / 1.055) ** 2.4
    )
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    lightness = 116 * np.cbrt(luminance) - 16
    steps = np.diff(lightness[::15])
    assert steps.min() > 0
    assert steps.max() < 2.5 * steps.mean()


def test_no_heat_is_clear_and_full_heat_is_opaque():
    overlay = np.asarray(coloured(np.array([[0.0, 1.0, 2.0]], np.float32)))
    assert overlay[0, :, 3].tolist() == [0, 255, 255]
    assert (overlay[0, 1] == overlay[0, 2]).all()


def test_a_filters_picture_has_its_weights_as_colours(seen):
    pictures = first_layer(seen, side=9)
    assert len(pictures) == 16
    weights = seen.filters().numpy()
    for picture, filter_ in zip(pictures, weights, strict=True):
        pixels = np.asarray(picture).astype(float)
        assert picture.size == (9, 9)
        back = (pixels[1::3, 1::3] - 127.5) / 127.5 * np.abs(filter_).max()
        np.testing.assert_allclose(
            back.transpose(2, 0, 1), filter_, atol=np.abs(filter_).max() / 200
        )
        assert {0.0, 255.0} & set(pixels.flatten())
