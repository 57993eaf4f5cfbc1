from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facerec.core.liveness.types import Movement
from tests.bench.liveness.recordings import MANIFEST, Recording, RecordingError


def jpeg(width: int = 480, height: int = 360) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (90, 120, 60)).save(buffer, "JPEG")
    return buffer.getvalue()


def told(**other: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "species": "flat_print",
        "person": "a",
        "scene": "window",
        "consent": True,
        "steps": [{"movement": "turn_left", "hold": 0.4}],
        "frames": [{"file": "0001.jpg", "taken": 5.1, "arrived": 0.2, "judged": 0.24}],
    } | other


def written(folder: Path, manifest: Any, frames: dict[str, bytes] | None = None) -> Path:
    path = folder / "one.zip"
    with zipfile.ZipFile(path, "w") as archive:
        text = manifest if isinstance(manifest, str) else json.dumps(manifest)
        archive.writestr(MANIFEST, text)
        for name, data in ({"0001.jpg": jpeg()} if frames is None else frames).items():
            archive.writestr(name, data)
    return path


def test_a_recording_gives_its_frames_and_times(tmp_path: Path) -> None:
    recording = Recording.open(written(tmp_path, told()))
    assert recording.species == "flat_print"
    assert recording.challenge.steps[0].movement is Movement.TURN_LEFT
    [frame] = recording.frames()
    assert (frame.taken, frame.arrived, frame.judged) == (5.1, 0.2, 0.24)
    assert frame.image.shape == (360, 480, 3)
    assert np.abs(frame.image.astype(int) - (90, 120, 60)).max() < 6


@pytest.mark.parametrize(
    ("manifest", "sentence"),
    [
        ("no JSON", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ([], "not an object"),
        (told(format=2), "format"),
        (told(consent="yes"), "consented"),
        (told(species="../../etc"), "species"),
        (told(species=None), "species"),
        (told(steps=[]), "no steps"),
        (told(steps=[{"movement": "dance", "hold": 1}]), "challenge"),
        (told(steps=[{"movement": "look_up", "hold": float("nan")}]), "challenge"),
        (told(steps=[{"movement": "look_up", "hold": 0.5}] * 99), "steps"),
        (told(frames=[]), "no frames"),
        (told(frames={}), "frames"),
        (told(frames=[{"file": "0001.jpg"}]), "times"),
        (told(frames=[{"file": "../1.jpg", "taken": 0, "arrived": 0, "judged": 0}]), "number"),
        (told(frames=[{"file": "7.jpg", "taken": 0, "arrived": 0, "judged": 0}]), "missing"),
        (
            told(frames=[{"file": "0001.jpg", "taken": 1e999, "arrived": 0, "judged": 0}]),
            "not a number",
        ),
    ],
)
def test_a_wrong_manifest_gets_a_sentence(tmp_path: Path, manifest: Any, sentence: str) -> None:
    with pytest.raises(RecordingError, match=sentence):
        Recording.open(written(tmp_path, manifest))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"no picture", "not a JPEG"),
        (jpeg()[:200], "not a JPEG"),
        (jpeg(2000, 1000), "too large"),
        (bytes(600_000), "larger than"),
    ],
)
def test_a_wrong_frame_gets_a_sentence(tmp_path: Path, data: bytes, sentence: str) -> None:
    recording = Recording.open(written(tmp_path, told(), {"0001.jpg": data}))
    with pytest.raises(RecordingError, match=sentence):
        list(recording.frames())


def test_no_archive_gets_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "one.zip"
    path.write_bytes(b"PK no")
    with pytest.raises(RecordingError, match="not a ZIP"):
        Recording.open(path)


def test_a_bomb_is_not_blown_up(tmp_path: Path) -> None:
    path = tmp_path / "one.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, b" " * 50_000_000)
    with pytest.raises(RecordingError, match="larger than"):
        Recording.open(path)


def test_an_archive_of_too_many_files_is_refused(tmp_path: Path) -> None:
    many = {f"{i}.jpg": b"" for i in range(1600)}
    with pytest.raises(RecordingError, match="more than"):
        Recording.open(written(tmp_path, told(), many))


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, told())
    whole = path.read_bytes()
    at = whole.index(jpeg()[:20]) + 400
    path.write_bytes(whole[:at] + b"\xff\x00\xff" + whole[at + 3 :])
    with pytest.raises(RecordingError, match="cannot be read"):
        list(Recording.open(path).frames())
