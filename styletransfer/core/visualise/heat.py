"""Where in a picture a unit fires, as a map of heat that lies over the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from styletransfer.core.visualise.layers import LayerInfo
from styletransfer.core.visualise.networks import SeenNetwork, info_of

Map = npt.NDArray[np.float32]
"""(h, w), the activations of one unit over a picture."""


@dataclass(frozen=True)
class HeatMap:
    """values: (h, w) at the layer's own resolution. view: the picture as the network saw it.
    overlay: RGBA of the view's size, clear where the unit is silent. peak: the largest activation,
    at (row, column) of the map."""

    values: Map
    view: Image.Image
    overlay: Image.Image
    peak: float
    row: int
    column: int


def heat(
    network: SeenNetwork,
    view: Image.Image,
    layer: str,
    unit: int,
    *,
    full: float | None = None,
) -> HeatMap:
    """One unit over a picture that the network is shown (one of `network.views`).

    full: the activation that is shown as hottest; None: this picture's own peak. Raises KeyError
    for an unknown layer, IndexError for an unknown unit.
    """
    info = info_of(network, layer)
    if not 0 <= unit < info.units:
        raise IndexError(f"{layer} has {info.units} units")
    values = _features(network, view, layer)[unit]
    row, column = (int(i) for i in np.unravel_index(int(values.argmax()), values.shape))
    peak = float(values[row, column])
    hottest = full if full else peak
    heat_of_pixels = at_pixels(values / hottest if hottest > 0 else values, info, view.size)
    return HeatMap(values, view, coloured(heat_of_pixels), peak, row, column)


def strongest(
    network: SeenNetwork, view: Image.Image, layer: str, count: int = 9
) -> list[tuple[int, float]]:
    """(unit, its largest activation) of the units that fire most on this picture, the first the
    most; those that do not fire are left out. Raises KeyError for an unknown layer."""
    info_of(network, layer)
    peaks = _features(network, view, layer).max((1, 2))
    order = np.argsort(-peaks, kind="stable")[:count]
    return [(int(unit), float(peaks[unit])) for unit in order if peaks[unit] > 0]


def at_pixels(values: Map, info: LayerInfo, extent: tuple[int, int]) -> Map:
    """(h, w) brought up to (height, width) pixels, linearly.

    A unit's value stands at the middle of its receptive field, which is not where stretching the
    map to the picture's size would put it. Beyond the outermost middles their values go on.
    """
    for axis, side in ((0, extent[1]), (1, extent[0])):
        first = info.receptive.centre_of(0)
        positions = (np.arange(side) - first) / info.receptive.stride
        positions = positions.clip(0, values.shape[axis] - 1)
        low = np.floor(positions).astype(int)
        high = np.minimum(low + 1, values.shape[axis] - 1)
        shape = (-1, 1) if axis == 0 else (1, -1)
        share = (positions - low).astype(np.float32).reshape(shape)
        values = values.take(low, axis) * (1 - share) + values.take(high, axis) * share
    return values


_STOPS = ((0.28, 0.10, 310.0), (0.48, 0.19, 345.0), (0.68, 0.19, 40.0), (0.90, 0.15, 95.0))
"""Lightness, chroma and hue (degrees) of the colours, from cool to hot, in OKLCH: lightness grows
evenly, so that equal steps of heat look equal, in grey and to the colour-blind too."""


def coloured(heat_of_pixels: Map) -> Image.Image:
    """Heat in [0, 1] as RGBA: the hotter the lighter, and clear where there is none."""
    share = heat_of_pixels.clip(0, 1)
    index = (share * 255).round().astype(np.uint8)
    opacity = (255 * np.minimum(1, share * 1.6) ** 0.8).round().astype(np.uint8)
    return Image.fromarray(np.dstack([_COLOURS[index], opacity]), "RGBA")


def _colours() -> npt.NDArray[np.uint8]:
    """256 colours along the stops, (256, 3) sRGB. Source: Ottosson, "A perceptual color space for
    image processing" (2020), whose matrices these are."""
    places = np.linspace(0, 1, 256)
    stops = np.array(_STOPS)
    hues = np.degrees(np.unwrap(np.radians(stops[:, 2])))
    lightness, chroma, hue = (
        np.interp(places, np.linspace(0, 1, len(stops)), row)
        for row in (stops[:, 0], stops[:, 1], hues)
    )
    a, b = chroma * np.cos(np.radians(hue)), chroma * np.sin(np.radians(hue))
    to_cones = [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728]]
    to_cones += [[1, -0.0894841775, -1.2914855480]]
    to_rgb = [[4.0767416621, -3.3077115913, 0.2309699292]]
    to_rgb += [[-1.2684380046, 2.6097574011, -0.3413193965]]
    to_rgb += [[-0.0041960863, -0.7034186147, 1.7076147010]]
    linear = np.array(to_rgb) @ (np.array(to_cones) @ np.stack([lightness, a, b])) ** 3
    linear = linear.clip(0, 1)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray((curved.T * 255).round(), np.uint8)


_COLOURS = _colours()


def _features(network: SeenNetwork, view: Image.Image, layer: str) -> Map:
    """(units, h, w)."""
    with torch.inference_mode():
        features = network(network.prepare(view), [layer])[layer][0]
    return features.float().cpu().numpy()
