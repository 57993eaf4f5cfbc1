from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from styletransfer.core.measures.volume import (
    slices_distance,
    specific_surface,
    two_point,
    two_point_distance,
    value_distance,
    volume_fraction,
)


def layers(side: int = 16, thickness: int = 2) -> np.ndarray:
    """Plates across D, as thick as the gaps between them."""
    along = (np.arange(side) // thickness) % 2 == 0
    return np.broadcast_to(along[:, None, None], (side,) * 3)


def noise(shape: tuple[int, ...], share: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 1, shape) < share


def test_two_points_of_plates() -> None:
    """Plates of 2 and gaps of 2: along D the pairs agree at 0 and 4, exclude each other at 2."""
    across = two_point(layers(), 0, 4)
    assert across == pytest.approx([1 / 2, 4 / 15, 0, 3 / 13, 1 / 2])
    assert two_point(layers(), 1, 4) == pytest.approx([0.5] * 5)


def test_two_points_of_white_noise_are_the_fraction_squared() -> None:
    phase = noise((48, 48, 48), 0.3)
    found = two_point(phase, 2, 12)
    assert found[0] == pytest.approx(volume_fraction(phase))
    assert found[1:] == pytest.approx(np.full(12, 0.09), abs=0.004)


@given(axis=st.integers(0, 2), share=st.floats(0.1, 0.9), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_two_points_are_never_more_probable_than_one(axis: int, share: float, seed: int) -> None:
    found = two_point(noise((6, 7, 8), share, seed), axis, 5)
    assert (found >= 0).all()
    assert found[0] <= 1
    assert two_point(np.ones((6, 7, 8), bool), axis, 5) == pytest.approx([1] * 6)


def test_no_pairs_beyond_the_volume() -> None:
    with pytest.raises(ValueError, match="16 voxels apart"):
        two_point(layers(), 0, 16)


def test_the_distance_is_0_to_itself_and_1_to_white_noise() -> None:
    blobs = noise((12, 12, 12), 0.4).repeat(4, 0).repeat(4, 1).repeat(4, 2)
    assert two_point_distance(blobs, blobs) == 0
    scattered = np.random.default_rng(1).permutation(blobs.ravel()).reshape(blobs.shape)
    assert two_point_distance(scattered, blobs, reach=8) == pytest.approx(1, abs=0.1)
    other = noise((12, 12, 12), 0.4, seed=2).repeat(4, 0).repeat(4, 1).repeat(4, 2)
    assert two_point_distance(other, blobs, reach=8) < 0.3
    finer = noise((24, 24, 24), 0.4).repeat(2, 0).repeat(2, 1).repeat(2, 2)
    assert 0.4 < two_point_distance(finer, blobs, reach=8) < 0.9


def test_the_surface_of_a_ball_and_its_units() -> None:
    """4 π r² over the cube's volume."""
    grid = np.mgrid[:64, :64, :64] - 31.5
    ball = (grid**2).sum(0) < 20**2
    expected = 4 * np.pi * 20**2 / 64**3
    assert specific_surface(ball, (1, 1, 1)) == pytest.approx(expected, rel=0.05)
    assert specific_surface(ball, (0.5, 0.5, 0.5)) == pytest.approx(2 * expected, rel=0.05)


def test_values_that_are_shifted_lie_that_far_apart() -> None:
    values = np.random.default_rng(0).uniform(0, 1, 5000)
    assert value_distance(values + 0.25, values) == pytest.approx(0.25)
    assert value_distance(np.random.default_rng(1).permutation(values), values) == pytest.approx(0)


def test_slices_are_compared_with_rows_and_columns_of_the_picture() -> None:
    """Plates across D: stripes in the slices that stand, nothing in those that lie."""
    stripes = layers()[:, :, 0]
    assert slices_distance(layers(), stripes, 1) == 0
    assert slices_distance(layers(), stripes, 2) == 0
    assert slices_distance(layers(), stripes, 0) > 0.5
    assert slices_distance(layers().transpose(2, 1, 0), stripes, 0) > 0.5
    assert slices_distance(layers().transpose(1, 0, 2), stripes, 0) == 0
