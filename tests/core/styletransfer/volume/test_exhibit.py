from __future__ import annotations

import io
import json
import math

import numpy as np
import pytest
from PIL import Image

from styletransfer.core.media import registry
from styletransfer.core.media.sheet import GROUND
from styletransfer.core.media.types import Volume
from styletransfer.core.media.volume.render import Body, threshold


def ball(centre: tuple[int, int, int], side: int = 25, radius: float = 4) -> Volume:
    grid = np.mgrid[:side, :side, :side]
    distance = np.sqrt(sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True)))
    return Volume((distance < radius).astype(np.float32)[None])


def middle_of(picture: np.ndarray) -> tuple[float, float]:
    """Row and column, each as a share of the picture."""
    light = picture.astype(float).sum(-1) > sum(GROUND) + 60
    rows, columns = np.mgrid[: light.shape[0], : light.shape[1]] / light.shape[0]
    return (light * rows).sum() / light.sum(), (light * columns).sum() / light.sum()


def test_a_ball_in_the_middle_stays_there_as_the_body_turns() -> None:
    body = Body(ball((12, 12, 12)))
    for turn in (0, 1, 2, 3):
        assert middle_of(body.view(turn, 64)) == pytest.approx((0.5, 0.5), abs=0.03)


def test_a_ball_at_the_side_goes_round() -> None:
    body = Body(ball((12, 12, 19)))
    right, front, left = (middle_of(body.view(turn, 64))[1] for turn in (0, math.pi / 2, math.pi))
    assert right > 0.6
    assert front == pytest.approx(0.5, abs=0.03)
    assert left == pytest.approx(1 - right, abs=0.03)


def test_what_lies_at_the_first_slice_is_on_top_and_the_far_is_higher_than_the_near() -> None:
    def row(centre: tuple[int, int, int]) -> float:
        return middle_of(Body(ball(centre)).view(0, 64))[0]

    assert row((5, 12, 12)) < row((12, 12, 12)) < row((19, 12, 12))
    assert row((12, 19, 12)) < row((12, 5, 12))


def test_the_near_hides_the_far() -> None:
    """Two walls, the first red, the second blue: seen from the front all is red."""
    values = np.zeros((3, 16, 16, 16), np.float32)
    values[0, :, :8], values[2, :, 8:] = 1, 1
    front, back = (Body(Volume(values)).view(turn, 64)[40, 24] for turn in (0, math.pi))
    assert front[0] > 60 > front[2]
    assert back[2] > 60 > back[0]


def test_colours_are_cut_open() -> None:
    values = np.ones((3, 16, 16, 16), np.float32)
    inside = values.copy()
    inside[1:, 2:-2, 2:-2, 2:-2] = 0
    plain, opened = (Body(Volume(v)).view(0.0, 64).astype(int) for v in (values, inside))
    redder = (opened[..., 0] - opened[..., 1] > 40).mean()
    assert redder > 0.02
    assert (plain[..., 0] - plain[..., 1]).max() < 40


def test_otsu_parts_two_classes() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0.2, 0.03, 900), rng.normal(0.7, 0.03, 300)])
    assert 0.3 < threshold(values.astype(np.float32)) < 0.6
    assert threshold(np.array([0.0] * 9 + [1.0], np.float32)) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_sheets_hold_every_slice_and_36_views(channels: int) -> None:
    values = np.random.default_rng(0).uniform(0, 1, (channels, 12, 16, 20)).astype(np.float32)
    values[:, 5] = 0
    values[:, 5, 3, 4:8] = 1
    volume = Volume(values, (2.0, 1.0, 1.0))
    files = registry.exhibit(volume)
    views = json.loads(files["sheet.json"])["views"]
    assert {name: view["count"] for name, view in views.items()} == {
        "z": 12,
        "y": 16,
        "x": 20,
        "orbit": 36,
    }
    for view in views.values():
        with Image.open(io.BytesIO(files[view["file"]])) as sheet:
            rows = math.ceil(view["count"] / view["columns"])
            assert sheet.size == (view["columns"] * view["width"], rows * view["height"])
            if view["file"] == "z.jpg":
                left, top = (
                    5 % view["columns"] * view["width"],
                    5 // view["columns"] * view["height"],
                )
                cell = np.asarray(
                    sheet.convert("L").crop((left, top, left + view["width"], top + view["height"]))
                )
    assert views["y"]["width"] / views["y"]["height"] == pytest.approx(20 / 24, rel=0.03)
    bright = np.argwhere(cell > 128).mean(0) / cell.shape
    assert bright == pytest.approx((3.5 / 16, 6 / 20), abs=0.03)
    assert sum(map(len, files.values())) < 2_000_000


def test_the_picture_fits_the_wall() -> None:
    picture = registry.picture(ball((12, 12, 12)))
    assert picture.dtype == np.uint8
    assert picture.shape == (424, 568, 3)
    large = registry.picture(Volume(np.zeros((1, 9, 130, 130), np.float32)))
    assert large.shape == (424, 568, 3)


def test_a_large_volume_is_shown_smaller() -> None:
    values = np.random.default_rng(0).uniform(0, 1, (1, 200, 20, 20)).astype(np.float32)
    views = json.loads(registry.exhibit(Volume(values))["sheet.json"])["views"]
    assert views["z"]["count"] == 96
