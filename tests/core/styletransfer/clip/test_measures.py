"""The measure of flicker, at values that are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from styletransfer.core.flow import Link, links, sampling_grid
from styletransfer.core.measures.clip import warped_difference
from tests.core.styletransfer.clip.test_flow import texture


def moved(right: int, trusted: torch.Tensor) -> Link:
    flow = np.broadcast_to(np.array([-right, 0], np.float32), (*trusted.shape[2:], 2))
    return Link(0, 1, sampling_grid(flow), trusted)


def test_what_moves_as_the_content_does_does_not_flicker() -> None:
    wide = texture(32, 60)
    frames = np.stack([wide[:, 10:50], wide[:, 7:47]])  # three pixels to the right
    known = torch.ones(1, 1, 32, 40)
    known[..., :3] = 0
    assert warped_difference(frames, [moved(3, known)]) == pytest.approx(0, abs=1e-5)
    assert warped_difference(frames, [moved(0, known)]) > 0.01


def test_flicker_counts_as_a_share_of_the_whole_range_where_the_origin_is_known() -> None:
    frames = np.zeros((2, 8, 8, 3), np.uint8)
    frames[1, :, :4] = 51  # a fifth of 255
    frames[1, :, 4:] = 255
    known = torch.ones(1, 1, 8, 8)
    known[..., 4:] = 0
    assert warped_difference(frames, [moved(0, known)]) == pytest.approx(0.2)
    known[..., 4:] = 1
    assert warped_difference(frames, [moved(0, known)]) == pytest.approx(0.6)


def test_without_anything_known_there_is_no_figure() -> None:
    frames = np.zeros((2, 8, 8, 3), np.uint8)
    assert warped_difference(frames, [moved(0, torch.zeros(1, 1, 8, 8))]) is None
    assert warped_difference(frames, []) is None


def test_noise_on_still_frames_is_found() -> None:
    still = np.stack([texture()] * 3)
    rng = np.random.default_rng(1)
    noisy = (still + rng.integers(-20, 21, still.shape)).clip(0, 255).astype(np.uint8)
    known = list(links(still))
    assert warped_difference(still, known) < 1e-3
    assert warped_difference(noisy, known) == pytest.approx(20 / 255 * 2 / 3, rel=0.2)
