"""Videos, by the ffmpeg that comes with imageio-ffmpeg.

ffmpeg runs as a process of its own that sees one nameless file and may open nothing else: no path,
no network, no playlist. Container and codecs are from short lists, its memory and time are
limited, and what it gives is bounded in frames and pixels.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import imageio_ffmpeg
import numpy as np

from styletransfer.core.media.clip.sampling import (
    LARGEST_SIDE,
    MOST_FRAMES,
    MOST_SECONDS,
    MOST_SIDE,
    broken,
    check_length,
    check_size,
    note_of,
    rate_for,
    still_picture,
)
from styletransfer.core.media.types import Clip, MediumError, Pixels

_CODECS: Final = (
    "h264,hevc,av1,libdav1d,vp8,libvpx,vp9,libvpx-vp9,mpeg4,msmpeg4v2,msmpeg4,mjpeg,mpeg1video,"
    "mpeg2video,h263,prores,dnxhd,ffv1,huffyuv,rawvideo,theora,png,qtrle,cinepak"
)
_SECONDS = 30.0
"""For one run of ffmpeg."""

_MEMORY = 3 << 30
"""Bytes of addresses for one run."""

_DURATION = re.compile(r"^  Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)", re.MULTILINE)
_STREAM = re.compile(r"^  Stream #0:\d+.*?: Video: .*?, (\d+)x(\d+)(.*)$", re.MULTILINE)
_SOUND = re.compile(r"^  Stream #0:\d+.*?: Audio: ", re.MULTILINE)
_FPS = re.compile(r", ([\d.]+)(k?) fps")


def container(data: bytes) -> str | None:
    """ffmpeg's name of the video container that the bytes begin with; None: none of ours."""
    if data[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return "mov"
    if data.startswith(b"\x1aE\xdf\xa3"):
        return "matroska"
    if data.startswith(b"RIFF") and data[8:12] == b"AVI ":
        return "avi"
    return None


def read_video(data: bytes, kind: str) -> Clip:
    """A video's bytes as a clip; kind: its `container`. Raises MediumError."""
    with _nameless() as file:
        file.write(data)
        file.flush()
        facts = _look(file, kind)
        rate = rate_for(facts.seconds, facts.fps)
        frames = _decode(file, kind, rate)
    taken = MOST_SECONDS if facts.seconds is None else min(facts.seconds, MOST_SECONDS)
    if len(frames) < 2:
        raise still_picture() if facts.seconds is None or taken * rate < 2 else broken()
    if facts.seconds is not None and len(frames) < 0.9 * taken * rate - 1:
        raise broken()
    cut = (facts.seconds or 0) > MOST_SECONDS + 1 / rate
    return Clip(frames, rate, note_of(cut, (facts.width, facts.height)))


def write_mp4(clip: Clip, *, quality: int = 18) -> bytes:
    """H.264 that browsers play from the first bytes on; even sizes, a row or column may go.

    quality: x264's constant rate factor, less is better.
    """
    colours = ["-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709"]
    return _encode(
        clip,
        "clip.mp4",
        ["-vf", "crop=trunc(iw/2)*2:trunc(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv"],
        ["-c:v", "libx264", "-preset", "veryfast", "-crf", str(quality), "-pix_fmt", "yuv420p"],
        [*colours, "-movflags", "+faststart"],
    )


def write_gif(clip: Clip) -> bytes:
    """An animation of one palette. Its dither is a fixed pattern: any other would flicker."""
    palette = "split[a][b];[a]palettegen=stats_mode=full[p];[b][p]paletteuse=dither=bayer"
    return _encode(clip, "clip.gif", ["-vf", palette], ["-loop", "0"])


@dataclass(frozen=True)
class _Facts:
    """What the header tells. seconds, fps: None where it does not."""

    width: int
    height: int
    seconds: float | None
    fps: float | None


def _look(file: IO[bytes], kind: str) -> _Facts:
    told = _run(_input(file, kind), file).stderr.decode("utf-8", "replace")
    stream = _STREAM.search(told)
    if stream is None:
        if _SOUND.search(told):
            raise MediumError(
                "no_picture",
                "This file holds sound alone.",
                "Choose a video; a sound can be worked on under Sound.",
            )
        raise broken()
    width, height = int(stream[1]), int(stream[2])
    check_size(width, height)
    seconds = None
    if duration := _DURATION.search(told):
        seconds = 3600 * int(duration[1]) + 60 * int(duration[2]) + float(duration[3])
        check_length(seconds)
    fps = _FPS.search(stream[3])
    rate = float(fps[1]) * (1000 if fps[2] else 1) if fps else None
    return _Facts(width, height, seconds or None, rate or None)


def _decode(file: IO[bytes], kind: str, rate: float) -> Pixels:
    """(T, H, W, 3), so many frames a second."""
    fit = f"scale='min({MOST_SIDE},iw)':'min({MOST_SIDE},ih)':force_original_aspect_ratio=decrease"
    shown = _run(
        [
            *_input(file, kind),
            *("-map", "0:v:0", "-t", str(MOST_SECONDS), "-frames:v", str(MOST_FRAMES)),
            *("-vf", f"fps={rate:.6f},{fit}:flags=area", "-pix_fmt", "rgb24"),
            *("-c:v", "ppm", "-f", "image2pipe", "pipe:1"),
        ],
        file,
    ).stdout
    return _frames(shown)


def _frames(stream: bytes) -> Pixels:
    """(T, H, W, 3) from pictures in PPM one after another, all of the first one's size."""
    header = re.match(rb"P6\s(\d+) (\d+)\s255\s", stream)
    if header is None:
        return np.empty((0, 1, 1, 3), np.uint8)
    width, height = int(header[1]), int(header[2])
    size = header.end() + 3 * width * height
    count = len(stream) // size
    whole = np.frombuffer(stream, np.uint8, count * size).reshape(count, size)
    return whole[:, header.end() :].reshape(count, height, width, 3).copy()


def _nameless() -> IO[bytes]:
    """A file without a name, in memory where the system has such."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("clip"), "w+b")
    return tempfile.TemporaryFile()


def _input(file: IO[bytes], kind: str) -> list[str]:
    most_pixels = str(LARGEST_SIDE * LARGEST_SIDE)
    return [
        *("-protocol_whitelist", "fd", "-f", kind, "-codec_whitelist", _CODECS),
        *("-threads", "2", "-max_pixels", most_pixels, "-an", "-sn", "-dn"),
        *("-fd", str(file.fileno()), "-i", "fd:"),
    ]


def _run(arguments: Sequence[str], file: IO[bytes]) -> subprocess.CompletedProcess[bytes]:
    """ffmpeg with a file that it may read. Raises MediumError where it takes too long."""
    file.seek(0)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", *arguments]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=(file.fileno(),),
    ) as process:
        _limit(process.pid)
        try:
            shown, told = process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise MediumError(
                "clip_too_slow",
                "This clip takes too long to read.",
                "Shorten it or scale it down, then try again.",
            ) from error
    return subprocess.CompletedProcess(command, process.returncode, shown, told)


def _limit(pid: int) -> None:
    """A bound on the memory of a process, where the system can set one from outside."""
    with suppress(ImportError, AttributeError, OSError):
        import resource

        resource.prlimit(pid, resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def _encode(clip: Clip, name: str, *options: Sequence[str]) -> bytes:
    """The clip as ffmpeg writes it; the container may want to seek, hence a private folder."""
    height, width = clip.frames.shape[1:3]
    with tempfile.TemporaryDirectory(prefix="clip-") as folder:
        path = Path(folder) / name
        raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
        command = [
            *(imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-v", "error", *raw),
            *("-r", f"{clip.fps:.6f}", "-i", "pipe:0"),
            *(word for words in options for word in words),
            str(path),
        ]
        frames = np.ascontiguousarray(clip.frames).tobytes()
        subprocess.run(command, input=frames, capture_output=True, check=True, timeout=300)
        return path.read_bytes()
