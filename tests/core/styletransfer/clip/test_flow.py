"""Optical flow, what can be trusted of it, and warping."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from styletransfer.core.flow import (
    Link,
    agreeing,
    links,
    optical_flow,
    reliable,
    sampling_grid,
    warp,
)
from styletransfer.core.media.types import Pixels
from styletransfer.core.procedural.fields import noise


def texture(height: int = 96, width: int = 128, seed: int = 0) -> Pixels:
    """Smooth noise, grey levels far apart."""
    field = noise(np.random.default_rng(seed), (height, width), 1.2)
    grey = (128 + 60 * field).clip(0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, -1)


@pytest.mark.parametrize(("right", "down"), [(0, 0), (5, 0), (-3, 4), (0, -7)])
def test_a_shift_is_found(right: int, down: int) -> None:
    large = texture(140, 180)
    earlier = large[20:116, 20:148]
    later = large[20 - down : 116 - down, 20 - right : 148 - right]  # moved right and down
    flow = optical_flow(later, earlier)
    inner = flow[12:-12, 12:-12].reshape(-1, 2)
    assert np.allclose(np.median(inner, 0), [-right, -down], atol=0.1)
    assert np.abs(inner - [-right, -down]).mean() < 0.3


def test_frames_larger_than_what_is_searched_give_flow_in_their_own_pixels() -> None:
    large = np.asarray(texture(420, 720))
    flow = optical_flow(large[:400, 12:712], large[:400, :700])
    assert np.median(flow[..., 0]) == pytest.approx(12, abs=0.7)
    assert flow.shape == (400, 700, 2)


def test_small_frames_have_flow_too() -> None:
    assert optical_flow(texture(16, 20), texture(16, 20)).shape == (16, 20, 2)
    with pytest.raises(ValueError, match="size"):
        optical_flow(texture(16, 20), texture(20, 16))


@settings(max_examples=25, deadline=None)
@given(st.integers(-6, 6), st.integers(-6, 6))
def test_warping_by_whole_pixels_moves_pixels(right: int, down: int) -> None:
    other = torch.from_numpy(texture(32, 40).copy()).permute(2, 0, 1)[None].float()
    flow = np.broadcast_to(np.array([right, down], np.float32), (32, 40, 2))
    moved = warp(other, sampling_grid(flow))
    y = torch.arange(32).add(down).clamp(0, 31)
    x = torch.arange(40).add(right).clamp(0, 39)
    assert torch.allclose(moved, other[:, :, y][..., x], atol=1e-2)


def test_what_is_uncovered_leaves_the_picture_or_has_an_edge_is_not_trusted() -> None:
    flow = np.zeros((40, 60, 2), np.float32)
    assert reliable(flow, flow).all()
    back = flow.copy()
    back[10:20, 10:20] = (6, 0)  # what is there goes elsewhere: something hid it
    hidden = reliable(flow, back)
    assert not hidden[10:20, 10:20].any()
    assert hidden[25:, 25:].all()
    right = np.full_like(flow, 0)
    right[..., 0] = 8
    outside = reliable(right, -right)
    assert outside[:, :52].all()
    assert not outside[:, 53:].any()
    edge = flow.copy()
    edge[:, 30:] = (2, 0)
    assert not reliable(edge, -edge)[:, 29:31].any()


def test_links_lead_to_the_frames_before() -> None:
    frames = np.stack([texture()] * 4)
    found = list(links(frames, (1, 2, 4)))
    assert [(one.earlier, one.later) for one in found] == [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3)]
    assert found[0].grid.shape == (1, 96, 128, 2)
    assert found[0].trusted.shape == (1, 1, 96, 128)
    assert found[0].trusted.mean() > 0.99


def test_where_the_content_does_not_follow_its_flow_nothing_is_held() -> None:
    still = texture()
    boiling = still.copy()
    boiling[30:60, 40:80] = 255 - texture(seed=5)[30:60, 40:80]
    frames = np.stack([still, boiling])
    plain = Link(0, 1, sampling_grid(np.zeros((96, 128, 2), np.float32)), torch.ones(1, 1, 96, 128))
    (held,) = agreeing(frames, [plain])
    assert held.trusted[..., :28, :].min() > 0.99
    assert held.trusted[..., 34:56, 44:76].mean() < 0.2
    still = still.clip(15)
    darker = np.stack([still, still - np.uint8(15)])  # by 0.059, nearly one unit of doubt
    (held,) = agreeing(darker, [plain])
    assert held.trusted.mean().item() == pytest.approx(np.exp(-((15 / 255 / 0.06) ** 2)), abs=0.01)
