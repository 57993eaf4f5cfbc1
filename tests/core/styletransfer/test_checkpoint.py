from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from styletransfer.core.checkpoint import State, load_checkpoint, save_checkpoint
from styletransfer.core.errors import CheckpointError
from styletransfer.core.features import NetworkExtractor
from styletransfer.core.optimise import optimise
from styletransfer.core.types import Losses, Recipe

STATE = State(
    step=7,
    tensors={
        "x": torch.rand(1, 3, 5, 4),
        "optimiser.s": torch.rand(2, 1, 3, 5, 4),
        "optimiser.t": torch.tensor(7),
    },
    losses=Losses(1.5, 0.5, 0.25, {"relu1_1": 0.25}, 10.0, 20.0, 30.0),
    fingerprint="abc",
)


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "job.ckpt", STATE)
    loaded = load_checkpoint(tmp_path / "job.ckpt", Losses)
    assert (loaded.step, loaded.losses, loaded.fingerprint) == (7, STATE.losses, "abc")
    assert loaded.tensors.keys() == STATE.tensors.keys()
    assert all(torch.equal(loaded.tensors[k], STATE.tensors[k]) for k in STATE.tensors)
    assert loaded.x is loaded.tensors["x"]


def test_a_painting_saved_by_an_earlier_version_goes_on(tmp_path: Path) -> None:
    tensors = {"image" if k == "x" else k: v for k, v in STATE.tensors.items()}
    save_checkpoint(tmp_path / "job.ckpt", State(7, tensors, STATE.losses, "abc"))
    loaded = load_checkpoint(tmp_path / "job.ckpt", Losses)
    assert torch.equal(loaded.x, STATE.x)
    assert loaded.tensors.keys() == STATE.tensors.keys()


@pytest.mark.parametrize("name", ["lbfgs", "adam", "gd"])
def test_a_run_resumed_from_disk_is_bit_equal(
    name: str, tmp_path: Path, lite: NetworkExtractor, content: Image.Image, style: Image.Image
) -> None:
    recipe = Recipe(size=128, steps=20, optimiser=name)
    for iterate in optimise(content, style, lite, recipe):
        if iterate.step == 10:
            save_checkpoint(tmp_path / "job.ckpt", iterate.state())
    straight = iterate.state().x
    state = load_checkpoint(tmp_path / "job.ckpt", Losses)
    *_, last = optimise(content, style, lite, recipe, state=state)
    assert torch.equal(last.state().x, straight)


def test_a_failed_save_leaves_the_old_one(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "job.ckpt"
    save_checkpoint(path, STATE)

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("styletransfer.core.checkpoint.os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        save_checkpoint(path, State(8, STATE.tensors, STATE.losses, "abc"))
    assert load_checkpoint(path, Losses).step == 7
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
        load_checkpoint(path, Losses)
