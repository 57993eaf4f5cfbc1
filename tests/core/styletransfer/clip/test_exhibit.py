"""What a page shows of a clip."""

from __future__ import annotations

import dataclasses
import io
import json

import numpy as np
import pytest
from PIL import Image

from styletransfer.core.media import registry
from styletransfer.core.media.clip.block import Block
from styletransfer.core.media.clip.starters import STARTERS
from styletransfer.core.media.sheet import GROUND
from styletransfer.core.media.types import Clip


def flat(count: int = 12) -> Clip:
    """Frames of one colour each, from red to blue; the lower half is green."""
    frames = np.zeros((count, 48, 64, 3), np.uint8)
    frames[..., 0] = np.linspace(250, 10, count)[:, None, None]
    frames[..., 2] = np.linspace(10, 250, count)[:, None, None]
    frames[:, 24:] = (0, 200, 0)
    return Clip(frames, 12)


def test_a_page_gets_the_film_its_frames_and_the_block() -> None:
    clip = dataclasses.replace(flat(), note="It was cut.")
    files = registry.exhibit(clip)
    assert set(files) == {"clip.mp4", "sheet.json", "t.jpg", "orbit.jpg"}
    told = json.loads(files["sheet.json"])
    assert (told["fps"], told["note"]) == (12, "It was cut.")
    frames, orbit = told["views"]["t"], told["views"]["orbit"]
    assert (frames["count"], orbit["count"], orbit["columns"]) == (12, 36, 6)
    sheet = np.asarray(Image.open(io.BytesIO(files[frames["file"]])))
    for k in (0, 5, 11):
        row, column = divmod(k, frames["columns"])
        at = sheet[row * frames["height"] + 8, column * frames["width"] + 8]
        assert np.abs(at - clip.frames[k, 8, 8].astype(int)).max() < 12
    turning = Image.open(io.BytesIO(files[orbit["file"]]))
    assert turning.size == (6 * orbit["width"], 6 * orbit["height"])


def test_from_the_front_the_block_shows_the_first_frame_from_behind_the_last() -> None:
    block = Block(flat())
    front, back = (np.asarray(block.view(turn, 200)).astype(int)[:, 100] for turn in (0, 180))
    above = front[np.flatnonzero((front[:, 0] > 200) & (front[:, 2] < 40))]  # the first is red
    assert len(above) > 15
    assert front[np.flatnonzero(front[:, 1] > 150)[0] - 3, 0] > 200  # right above the green
    assert back[np.flatnonzero(back[:, 1] > 150)[0] - 3, 2] > 200  # and the last is blue
    assert (front[2] == GROUND).all()


def test_where_the_block_is_cut_time_runs_along() -> None:
    frames = np.full((40, 60, 60, 3), 255, np.uint8)
    frames[20:, 27] = np.linspace(250, 0, 20)[:, None, None]  # the row of the cut darkens
    column = np.asarray(Block(Clip(frames, 12)).view(180, 240)).mean(-1)[:, 120]
    end = int(np.argmin(np.where(column < 17, 255, column)[:160]))
    assert column[end] < 40
    assert (np.diff(column[end - 30 : end]) < 0).all()  # darker from row to row: later and later
    assert column[end - 30] > 200


@pytest.mark.parametrize("shape", [(2, 16, 16), (3, 200, 20), (2, 20, 300), (40, 24, 32)])
def test_every_shape_can_be_shown(shape: tuple[int, int, int]) -> None:
    clip = Clip(np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8), 7.5)
    assert registry.picture(clip).shape[1] <= 640
    assert registry.picture(clip).shape[0] <= 640
    assert json.loads(registry.exhibit(clip)["sheet.json"])["views"]["t"]["count"] == shape[0]


@pytest.mark.parametrize("starter", STARTERS, ids=lambda s: s.name)
def test_a_starter_moves(starter: registry.Starter) -> None:
    clip = starter.make()
    assert isinstance(clip, Clip)
    assert clip.frames.shape == (24, 192, 256, 3)
    steps = np.abs(np.diff(clip.frames.astype(int), axis=0)).mean((1, 2, 3))
    assert (steps > 1).all()
