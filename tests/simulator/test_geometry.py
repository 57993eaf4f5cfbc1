"""The simulator's geometry against the pinhole's formulas."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.simulator.objects import Bend, meet_sheet
from tests.simulator.people import NECK, TEXELS, UNIT, head
from tests.simulator.rays import Lens, Pose, meet, texels

LENS = Lens(480, 360, 377.0)


def homography_residual(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """RMS pixels left over by the best homography from a to b (DLT)."""
    p, q = ((c - c.mean(0)) / c.std() for c in (a.astype(np.float64), b.astype(np.float64)))
    one, none = np.ones(len(p)), np.zeros((len(p), 3))
    own = np.column_stack([p, one])
    rows = np.vstack(
        [np.hstack([own, none, -q[:, :1] * own]), np.hstack([none, own, -q[:, 1:] * own])]
    )
    matrix = np.linalg.svd(rows)[2][-1].reshape(3, 3)
    mapped = own @ matrix.T
    mapped = mapped[:, :2] / mapped[:, 2:] * b.std() + b.mean(0)
    return float(np.sqrt(((mapped - b) ** 2).sum(1).mean()))


def test_parallax_of_two_points_is_the_pinholes() -> None:
    """Two points of a head in line with the camera part, when it turns by theta, by
    f (Z sin theta + X cos theta) / depth each, as the textbook has it."""
    theta, distance = 0.3, 0.5
    near, far = np.array([0.0, NECK[1], 1.2]), np.array([0.0, NECK[1], 0.3])
    u = LENS.project(Pose(yaw=theta, distance=distance).place(np.stack([near, far])))[:, 0]
    for point, seen in zip((near, far), u, strict=True):
        z = (point[2] - NECK[2]) * UNIT
        expected = 377 * z * np.sin(theta) / (distance - z * np.cos(theta)) + 240
        assert seen == pytest.approx(expected, abs=1e-9)
    assert u[0] - u[1] > 10  # nose before cheek


@pytest.mark.parametrize("pose", [Pose(), Pose(0.35, 0.1, 0.05, 0.02, 0.05, 0.45)])
def test_rays_meet_the_head_where_its_points_are_seen(pose: Pose) -> None:
    hits = meet(head(0), pose, LENS)
    seen = LENS.project(pose.place(hits.points))
    rows, columns = np.mgrid[hits.box.slices]
    pixels = np.dstack([columns, rows]) + 0.5
    assert np.abs(seen - pixels)[hits.hit].max() < 1e-2
    # And they lie on its surface, but where the ray grazes a cliff.
    at = texels(hits.points)
    off = np.abs(cv2.remap(head(0).height, at, None, cv2.INTER_LINEAR) - hits.points[..., 2])
    assert np.quantile(off[hits.hit], 0.97) < 0.01
    assert hits.hit.mean() > 0.25


def test_the_nose_hides_the_cheek_behind_it() -> None:
    """A place beside the nose is seen from the front and not from far on the other side."""
    person = head(0)
    row = 265 + 0.5 * TEXELS
    nearest = []
    for yaw in (0.0, 0.9):
        hits = meet(person, Pose(yaw=yaw, distance=0.5), LENS)
        [beside] = person.points([(240 + 0.28 * TEXELS, row)])
        gaps = np.linalg.norm(hits.points - beside, axis=2)
        nearest.append(float(gaps[hits.hit].min()))
    assert nearest[0] < 0.02
    assert nearest[1] > 0.08


def test_a_flat_sheet_moves_as_a_homography_and_a_bent_one_does_not() -> None:
    grid = np.stack(np.meshgrid(np.linspace(-0.06, 0.06, 7), np.linspace(-0.08, 0.08, 7)), -1)
    before, after = Pose(distance=0.45), Pose(0.4, 0.2, 0.1, 0.02, -0.01, 0.4)
    residuals = {}
    for curvature in (0.0, 1 / 0.1):
        points = Bend(curvature, 0.2).points(grid.reshape(-1, 2))
        a, b = (LENS.project(p.place(points, 1.0, (0.0, 0.0, 0.0))) for p in (before, after))
        residuals[curvature] = homography_residual(a, b)
    assert residuals[0.0] < 1e-6
    assert residuals[10.0] > 0.5


def test_a_head_moves_as_no_homography() -> None:
    points = head(0).points([(x, y) for x in range(170, 311, 20) for y in range(240, 381, 20)])
    a, b = (LENS.project(Pose(yaw, y=0.05).place(points)) for yaw in (0.0, 0.35))
    assert homography_residual(a, b) > 2


@pytest.mark.parametrize("curvature", [0.0, 1 / 0.12, -1 / 0.2])
def test_rays_meet_a_sheet_where_its_places_are_seen(curvature: float) -> None:
    bend, pose = Bend(curvature, 0.3), Pose(0.3, -0.2, 0.1, 0.01, 0.02, 0.5)
    st, normals, hit, box = meet_sheet((0.16, 0.2), bend, pose, LENS)
    rows, columns = np.mgrid[box.slices]
    pixels = np.dstack([columns, rows]) + 0.5
    seen = LENS.project(pose.place(bend.points(st), 1.0, (0.0, 0.0, 0.0)))
    assert hit.mean() > 0.3
    assert np.abs(seen - pixels)[hit].max() < 0.02
    lengths = np.linalg.norm(np.broadcast_to(normals, (*hit.shape, 3))[hit], axis=-1)
    np.testing.assert_allclose(lengths, 1, atol=1e-4)
