"""The simulator as a camera of Chromium's.

Chromium plays a y4m file as its camera, over and over, and reads each frame from the file when it
is due. So a file of one frame that is rewritten in place is a live camera: the page sees a new
picture within about 50 ms (measured with Chromium in this project's browser tests). Chromium reads
the flags when it starts: each such file needs a browser of its own, and the file must be there.

    with StagedCamera(folder / "camera.y4m", SPECIES["bona_fide"](0)) as camera:
        browser = playwright.chromium.launch(args=CHROMIUM + camera.flags)
        ...
        camera.told = Progress(Phase.MOVE, 0, 4, Movement.TURN_LEFT)  # what the page shows now
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.core.liveness.challenge import Challenge
from facerec.core.liveness.types import Progress
from tests.simulator.scene import HEIGHT, WIDTH
from tests.simulator.session import Presentation

FRAME = b"FRAME\n"


def header(width: int, height: int, fps: int) -> bytes:
    return f"YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 C420jpeg\n".encode()


def i420(picture: NDArray[np.uint8]) -> bytes:
    """RGB (H, W, 3), both even -> planes Y, U, V in BT.601's studio range (16 to 235), which is
    how Chromium reads them whatever the header says."""
    return cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2YUV_I420).tobytes()


def write_y4m(path: Path, pictures: Iterable[NDArray[np.uint8]], fps: int = 15) -> int:
    """Write uint8 RGB pictures of one size; returns how many. Raises ValueError without any."""
    count = 0
    with path.open("wb") as file:
        for picture in pictures:
            if count == 0:
                file.write(header(picture.shape[1], picture.shape[0], fps))
            file.write(FRAME + i420(picture))
            count += 1
    if not count:
        raise ValueError("a video needs a picture")
    return count


class FakeCamera:
    """A y4m of one frame that is rewritten while Chromium reads it."""

    def __init__(self, path: Path, width: int = WIDTH, height: int = HEIGHT, fps: int = 30) -> None:
        self.path = path
        grey = np.full((height, width, 3), 128, np.uint8)
        write_y4m(path, [grey], fps)
        self._offset = len(header(width, height, fps)) + len(FRAME)
        self._file = os.open(path, os.O_WRONLY)

    @property
    def flags(self) -> list[str]:
        """What Chromium must be started with, beside --use-fake-device-for-media-stream."""
        return [f"--use-file-for-fake-video-capture={self.path}"]

    def show(self, picture: NDArray[np.uint8]) -> None:
        """From now on the camera sees this: uint8 RGB of the camera's size."""
        os.pwrite(self._file, i420(picture), self._offset)  # one write: no half a picture

    def close(self) -> None:
        os.close(self._file)


class StagedCamera:
    """A presentation before a FakeCamera, in real time, from a thread of its own.

    told: what the page shows; whoever watches the page sets it. Nothing moves unasked, except a
    replay, which plays as it was recorded from when it is entered or restarted.
    """

    def __init__(
        self, path: Path, presentation: Presentation, challenge: Challenge | None = None,
        fps: float = 15.0,
    ) -> None:  # fmt: skip
        self.camera = FakeCamera(path, fps=round(fps))
        self.told: Progress | None = None
        self.presentation = presentation
        if challenge is not None:
            presentation.begin(challenge)
        self._fps = fps
        self._stop = Event()
        self._thread = Thread(target=self._run, name="staged-camera", daemon=True)
        self.camera.show(presentation.picture(0.0, None))
        self._began = time.monotonic()

    @property
    def flags(self) -> list[str]:
        return self.camera.flags

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._stop.set()
        self._thread.join()
        self.camera.close()

    def stage(self, presentation: Presentation) -> None:
        """Put something else before the camera, from its beginning. (`begin` is the caller's.)"""
        self.told = None
        self._began = time.monotonic()
        self.presentation = presentation

    def _run(self) -> None:
        while not self._stop.is_set():
            start = time.monotonic()
            presentation, t = self.presentation, start - self._began
            picture = presentation.picture(t, self.told)
            if presentation is self.presentation:
                self.camera.show(picture)
            self._stop.wait(max(0.0, 1 / self._fps - (time.monotonic() - start)))
