"""Where each pixel of a frame was in another frame, and where that cannot be known.

A flow from a frame to another is (H, W, 2) float32, pixels to the right and down: what is at p in
the one is at p + flow(p) in the other. Computed by dense inverse search (Kroeger, Timofte, Dai and
Van Gool, "Fast Optical Flow using Dense Inverse Search", 2016) as OpenCV has it. For workers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from styletransfer.core.images import Pixels

_DISAGREEMENT = 0.06

Flow = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_LEAST_SIDE, _MOST_SIDE = 48, 320
"""The search has too few patches below, and takes long above: frames are scaled for it."""


def optical_flow(frame: Pixels, other: Pixels) -> Flow:
    """The flow from a frame to another; both (H, W, 3) uint8 of one size."""
    if frame.shape != other.shape:
        raise ValueError("the frames differ in size")
    height, width = frame.shape[:2]
    scale = max(min(1.0, _MOST_SIDE / max(height, width)), _LEAST_SIDE / min(height, width))
    size = round(width * scale), round(height * scale)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    here, there = (
        cv2.resize(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY), size, interpolation=how)
        for f in (frame, other)
    )
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = search.calc(here, there, np.zeros((*here.shape, 2), np.float32))
    if scale != 1:
        flow = cv2.resize(flow, (width, height)) * [width / size[0], height / size[1]]
    return np.asarray(flow, np.float32)


def reliable(flow: Flow, back: Flow) -> Mask:
    """(H, W): where `flow` can be trusted, given the other frame's flow `back` to this one.

    False where the pixel is hidden in the other frame (forth and back do not meet), where it lies
    outside of it, and at the edges of moving things: Ruder, Dosovitskiy and Brox, "Artistic Style
    Transfer for Videos" (2016), equations 5 and 6, after Sundaram, Brox and Keutzer (2010).
    """
    height, width = flow.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    to_x, to_y = x + flow[..., 0], y + flow[..., 1]
    inside = (to_x >= 0) & (to_x <= width - 1) & (to_y >= 0) & (to_y <= height - 1)
    returned = cv2.remap(back, to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    there, here = _squared(returned), _squared(flow)
    meets = _squared(flow + returned) <= 0.01 * (here + there) + 0.5
    down, right = np.gradient(flow, axis=(0, 1))
    calm = _squared(down) + _squared(right) <= 0.01 * here + 0.002
    trusted: Mask = inside & meets & calm
    return trusted


@dataclass(frozen=True)
class Link:
    """What one frame of a clip has of an earlier one.

    grid: (1, H, W, 2), where in the earlier frame each pixel is, as `warp` wants it. trusted:
    (1, 1, H, W), 1 where that is known, 0 where it is not.
    """

    earlier: int
    later: int
    grid: Tensor
    trusted: Tensor


def links(
    frames: Pixels, distances: Iterable[int] = (1,), device: torch.device | str = "cpu"
) -> Iterator[Link]:
    """The links of (T, H, W, 3) frames to those so many frames earlier."""
    for distance in distances:
        for later in range(distance, len(frames)):
            earlier = later - distance
            flow = optical_flow(frames[later], frames[earlier])
            trusted = reliable(flow, optical_flow(frames[earlier], frames[later]))
            mask = torch.from_numpy(trusted).to(device)[None, None].float()
            yield Link(earlier, later, sampling_grid(flow).to(device), mask)


def agreeing(frames: Pixels, links: Iterable[Link]) -> Iterator[Link]:
    """The links, trusted less where moving the earlier frame does not give the later one.

    `trusted` is multiplied by exp(−(d / 0.06)²), d being the mean absolute difference of the two,
    0 … 1, around the pixel. A flow is found for foam and glitter too, where nothing moves along;
    to hold a painting to it would smear it.
    """
    for link in links:
        earlier, later = (
            torch.from_numpy(frames[k].copy()).to(link.grid.device).permute(2, 0, 1)[None] / 255
            for k in (link.earlier, link.later)
        )
        gap = (warp(earlier, link.grid) - later).abs().mean(1, keepdim=True)
        around = functional.avg_pool2d(gap, 3, stride=1, padding=1, count_include_pad=False)
        doubt = torch.exp(-((around / _DISAGREEMENT) ** 2))
        yield dataclasses.replace(link, trusted=link.trusted * doubt)


def sampling_grid(flow: Flow) -> Tensor:
    """(1, H, W, 2): the flow's targets as `warp` wants them."""
    height, width = flow.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    # -1 and 1 are the outer edges of the border pixels, so that centres lie half a pixel inside.
    at = np.stack([2 * (x + flow[..., 0] + 0.5) / width, 2 * (y + flow[..., 1] + 0.5) / height], -1)
    return torch.from_numpy((at - 1).astype(np.float32))[None]


def warp(other: Tensor, grid: Tensor) -> Tensor:
    """What a frame would show if it showed the other: (N, C, H, W) sampled bilinearly at
    `sampling_grid`'s points (N, H, W, 2); borders repeat. Differentiable in `other`."""
    return functional.grid_sample(
        other, grid, mode="bilinear", padding_mode="border", align_corners=False
    )


def _squared(vectors: npt.ArrayLike) -> Flow:
    return np.asarray(np.square(vectors).sum(-1), np.float32)
