"""Clips in files: what is read, what is refused with which sentence, what comes back."""

from __future__ import annotations

import io
import struct
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from styletransfer.core.media import registry
from styletransfer.core.media.clip import animated, sampling, video
from styletransfer.core.media.clip.files import deliver, read
from styletransfer.core.media.types import Clip, MediumError, pack, unpack


def square_at(positions: range, size: tuple[int, int] = (64, 48)) -> list[Image.Image]:
    """A red square on blue that moves to the right."""
    frames = []
    for x in positions:
        frame = np.full((size[1], size[0], 3), (30, 60, 160), np.uint8)
        frame[16:32, x : x + 16] = (220, 60, 40)
        frames.append(Image.fromarray(frame))
    return frames


def animation(kind: str, frames: list[Image.Image], duration: int | list[int]) -> bytes:
    buffer = io.BytesIO()
    options = {"lossless": True} if kind == "WEBP" else {}
    frames[0].save(
        buffer, kind, save_all=True, append_images=frames[1:], duration=duration, loop=0, **options
    )
    return buffer.getvalue()


def film(*arguments: str, kind: str = "mp4", tmp: Path) -> bytes:
    path = tmp / f"film.{kind}"
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([ffmpeg, "-v", "error", "-y", *arguments, str(path)], check=True)
    return path.read_bytes()


def refused(data: bytes, name: str = "a.mp4") -> MediumError:
    with pytest.raises(MediumError) as caught:
        read(data, name)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_an_animation_gives_its_frames_and_its_rate(kind: str) -> None:
    frames = square_at(range(0, 40, 4))
    clip = read(animation(kind, frames, 100), "a")
    assert clip.fps == 10
    assert clip.frames.shape == (10, 48, 64, 3)
    assert np.abs(clip.frames - np.stack(frames).astype(int)).max() <= 6
    assert clip.note == ""


def test_what_is_transparent_lies_on_white() -> None:
    frames = [Image.new("RGBA", (32, 32), (0, 0, 0, alpha)) for alpha in (0, 255)]
    clip = read(animation("PNG", frames, 100), "a.png")
    assert clip.frames[0].min() == 255
    assert clip.frames[1].max() == 0


def test_frames_of_unequal_length_keep_their_time() -> None:
    frames = square_at(range(0, 40, 8))
    clip = read(animation("GIF", frames, [400, 100, 100, 100, 300]), "a.gif")
    assert clip.fps == 10
    left = [int(np.argmax(frame[20, :, 0] > 150)) for frame in clip.frames]
    assert left == [0, 0, 0, 0, 8, 16, 24, 32, 32, 32]


def test_a_fast_animation_is_thinned_and_a_hasty_one_slowed_as_browsers_do() -> None:
    fast = read(animation("GIF", square_at(range(40)), 40), "a.gif")
    assert 8 < fast.fps <= 12
    assert len(fast.frames) == pytest.approx(1.6 * fast.fps, abs=1)
    assert read(animation("GIF", square_at(range(10)), 10), "a.gif").fps == 10


def test_only_ten_seconds_are_taken_and_it_is_said() -> None:
    clip = read(animation("GIF", square_at(range(0, 30)), 500), "a.gif")
    assert clip.note == "Only its first 10 seconds are taken."
    assert len(clip.frames) / clip.fps == pytest.approx(10)


@pytest.mark.parametrize("kind", ["mp4", "webm", "avi", "mov", "mkv"])
def test_a_video_gives_its_frames(kind: str, tmp_path: Path) -> None:
    data = film("-f", "lavfi", "-i", "testsrc=s=80x64:r=24:d=1.5", kind=kind, tmp=tmp_path)
    clip = read(data, "a")
    assert clip.fps == 12
    assert clip.frames.shape == (18, 64, 80, 3)
    assert clip.frames.std() > 50
    assert clip.note == ""


def test_a_large_long_video_is_cut_and_scaled_and_it_is_said(tmp_path: Path) -> None:
    source = "testsrc=s=640x360:r=10:d=11"
    data = film("-f", "lavfi", "-i", source, "-preset", "ultrafast", tmp=tmp_path)
    clip = read(data, "a.mp4")
    assert clip.frames.shape == (96, 288, 512, 3)
    assert clip.fps == pytest.approx(9.6)
    assert "first 10 seconds" in clip.note
    assert "from 640 × 360 to 512 × 288" in clip.note
    assert isinstance(unpack(pack(clip)), Clip)


def test_a_video_on_its_side_is_turned_upright(tmp_path: Path) -> None:
    film("-f", "lavfi", "-i", "testsrc=s=80x48:r=12:d=1", tmp=tmp_path)
    turned = tmp_path / "turned.mp4"
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    source = str(tmp_path / "film.mp4")
    subprocess.run(
        [ffmpeg, "-v", "error", "-display_rotation", "90", "-i", source, "-c", "copy", turned],
        check=True,
    )
    assert read(turned.read_bytes(), "a.mp4").frames.shape == (12, 80, 48, 3)


def test_what_we_deliver_can_be_read_again() -> None:
    clip = Clip(np.stack(square_at(range(0, 24, 2), (65, 49))), 12)
    files = deliver(clip)
    assert list(files) == ["clip.mp4", "clip.gif"]
    back = read(files["clip.mp4"], "clip.mp4")
    assert back.frames.shape == (12, 48, 64, 3)  # H.264 wants even sizes
    assert back.fps == 12
    assert np.abs(back.frames - clip.frames[:, :48, :64].astype(int)).mean() < 4
    as_gif = read(files["clip.gif"], "clip.gif")
    assert as_gif.frames.shape == clip.frames.shape
    assert np.abs(as_gif.frames - clip.frames.astype(int)).mean() < 8


def test_a_browser_can_begin_to_play_before_the_end_has_come() -> None:
    data = video.write_mp4(Clip(np.stack(square_at(range(8))), 12))
    assert data.index(b"moov") < data.index(b"mdat")
    assert b"avc1" in data


def test_what_is_no_clip_is_said_what_it_is(tmp_path: Path) -> None:
    assert refused(b"").code == "empty_file"
    still = io.BytesIO()
    square_at(range(1))[0].save(still, "PNG")
    assert refused(still.getvalue()).code == "still_picture"
    for kind in ("JPEG", "GIF", "WEBP", "BMP", "TIFF"):
        still = io.BytesIO()
        square_at(range(1))[0].save(still, kind)
        assert refused(still.getvalue()).code == "still_picture", kind
    tone = film("-f", "lavfi", "-i", "sine=d=1", kind="m4a", tmp=tmp_path)
    assert refused(tone).code == "no_picture"
    tone = film("-f", "lavfi", "-i", "sine=d=1", kind="wav", tmp=tmp_path)
    assert refused(tone).code == "no_picture"
    assert refused(b"hello, this is a text").code == "not_a_clip"


@pytest.mark.parametrize("playlist", ["#EXTM3U\nhttp://127.0.0.1/a.ts\n", "ffconcat version 1.0\n"])
def test_playlists_are_not_read(playlist: str) -> None:
    assert refused(playlist.encode(), "a.mp4").code == "not_a_clip"


def test_a_playlist_behind_the_mark_of_a_video_opens_nothing() -> None:
    data = b"\0\0\0\x14ftypisom\n#EXTM3U\n#EXT-X-TARGETDURATION:1\nhttp://127.0.0.1:9/a.ts\n"
    assert refused(data).code == "clip_broken"


def test_a_film_of_two_hours_is_refused_at_its_header(tmp_path: Path) -> None:
    source = "color=s=32x32:r=1:d=7200"
    data = film("-f", "lavfi", "-i", source, "-preset", "ultrafast", tmp=tmp_path)
    began = time.monotonic()
    refusal = refused(data)
    assert refusal.code == "clip_too_long"
    assert "2.0 hours" in str(refusal)
    assert time.monotonic() - began < 5


def test_a_declared_canvas_is_refused_before_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(animated.Image, "open", lambda *_, **__: pytest.fail("was opened"))
    huge_gif = b"GIF89a" + struct.pack("<HH", 65535, 65535) + bytes(3)
    ihdr = b"\0\0\0\rIHDR" + struct.pack(">II", 90000, 90000) + b"\x08\x02\0\0\0" + bytes(4)
    huge_webp = b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0" + b"\xff\x3f\0\xff\x3f\0"
    for data in (huge_gif, b"\x89PNG\r\n\x1a\n" + ihdr, huge_webp):
        assert refused(data, "a.gif").code == "clip_too_large"
    tiny = b"GIF89a" + struct.pack("<HH", 3, 3) + bytes(3)
    assert refused(tiny, "a.gif").code == "clip_too_small"


def test_a_frame_beyond_the_declared_canvas_is_refused() -> None:
    data = animation("GIF", square_at(range(0, 9, 3)), 100)
    last = data.rindex(b"\x2c")
    grown = bytearray(data)
    grown[last + 5 : last + 9] = struct.pack("<HH", 60000, 60000)
    assert refused(bytes(grown), "a.gif").code in {"clip_too_large", "clip_broken"}


def test_a_bomb_of_many_large_frames_is_refused_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = [Image.new("P", (800, 800), k % 2) for k in range(12)]
    data = animation("GIF", frames, 20)
    monkeypatch.setattr(animated, "_MOST_DECODED", 10 * 640_000)
    assert refused(data, "a.gif").code == "clip_too_large"


def test_large_videos_are_refused(tmp_path: Path) -> None:
    source = "color=s=5000x64:r=12:d=0.5"
    data = film("-f", "lavfi", "-i", source, "-preset", "ultrafast", tmp=tmp_path)
    assert refused(data).code == "clip_too_large"


@pytest.mark.parametrize("share", [0.05, 0.4, 0.7])
def test_a_file_that_was_cut_off_is_refused(share: float, tmp_path: Path) -> None:
    whole = film("-f", "lavfi", "-i", "testsrc=s=80x64:r=24:d=2", kind="webm", tmp=tmp_path)
    moving = [
        Image.fromarray(np.random.default_rng(k).integers(0, 255, (64, 64, 3), np.uint8))
        for k in range(8)
    ]
    for data in (
        whole,
        video.write_mp4(Clip(np.stack(square_at(range(16))), 12)),
        *(animation(kind, moving, 100) for kind in ("GIF", "PNG", "WEBP")),
    ):
        assert refused(data[: int(share * len(data))]).code == "clip_broken"


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_damage_never_gives_another_error(data: st.DataObject) -> None:
    """Bytes of an animation that are changed at random: a clip, or a sentence."""
    kind = data.draw(st.sampled_from(["GIF", "PNG", "WEBP"]))
    spoilt = bytearray(animation(kind, square_at(range(0, 12, 3), (24, 48)), 100))
    for _ in range(data.draw(st.integers(1, 6))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    with suppress(MediumError):
        clip = read(bytes(spoilt), "a")
        assert len(clip.frames) >= 2
        assert max(clip.frames.shape[1:3]) <= sampling.MOST_SIDE


def test_the_registry_knows_clips() -> None:
    assert {".mp4", ".gif", ".webm", ".png"} <= set(registry.reads("clip"))
    assert len(registry.starters("clip")) >= 2


def test_a_video_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    data = video.write_mp4(Clip(np.stack(square_at(range(8))), 12))
    monkeypatch.setattr(video, "_SECONDS", 0.0)
    assert refused(data).code == "clip_too_slow"
