from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from styletransfer.core.checkpoint import PaintState, load_checkpoint, save_checkpoint
from styletransfer.core.errors import CheckpointError
from styletransfer.core.features import NetworkExtractor
from styletransfer.core.optimise import optimise
from styletransfer.core.types import Losses, Recipe

STATE = PaintState(
    step=7,
    image=torch.rand(1, 3, 5, 4),
    optimiser={"s": torch.rand(2, 1, 3, 5, 4), "t": torch.tensor(7)},
    losses=Losses(1.5, 0.5, 0.25, {"relu1_1": 0.25}, 10.0, 20.0, 30.0),
    fingerprint="abc",
)


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "job.ckpt", STATE)
    loaded = load_checkpoint(tmp_path / "job.ckpt")
    assert (loaded.step, loaded.losses, loaded.fingerprint) == (7, STATE.losses, "abc")
    assert torch.equal(loaded.image, STATE.image)
    assert loaded.optimiser.keys() == STATE.optimiser.keys()
    assert all(torch.equal(loaded.optimiser[k], STATE.optimiser[k]) for k in STATE.optimiser)


@pytest.mark.parametrize("name", ["lbfgs", "adam", "gd"])
def test_a_run_resumed_from_disk_is_bit_equal(
    name: str, tmp_path: Path, lite: NetworkExtractor, content: Image.Image, style: Image.Image
) -> None:
    recipe = Recipe(size=128, steps=20, optimiser=name)
    for iterate in optimise(content, style, lite, recipe):
        if iterate.step == 10:
            save_checkpoint(tmp_path / "job.ckpt", iterate.state())
    straight = iterate.state().image
    state = load_checkpoint(tmp_path / "job.ckpt")
    *_, last = optimise(content, style, lite, recipe, state=state)
    assert torch.equal(last.state().image, straight)


def test_a_failed_save_leaves_the_old_one(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "job.ckpt"
    save_checkpoint(path, STATE)

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("styletransfer.core.checkpoint.os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        save_checkpoint(path, PaintState(8, STATE.image, {}, STATE.losses, "abc"))
    assert load_checkpoint(path).step == 7
    assert [p.name for p in tmp_path.iterdir()] == ["job.ckpt"]


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "text", "foreign"])
def test_what_cannot_be_read_is_a_clear_error(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "job.ckpt"
    save_checkpoint(path, STATE)
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "foreign":
        from safetensors.torch import save_file

        save_file({"weight": torch.zeros(2)}, path)
    else:
        path.write_bytes({"empty": b"", "cut": whole[:-40], "text": b"x" * 500}[damage])
    with pytest.raises(CheckpointError, match=r"job\.ckpt"):
        load_checkpoint(path)
