"""From iterates to frames, without holding up the painting."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import numpy as np
import structlog
from PIL import Image

from styletransfer.core.images import Pixels, to_jpeg, to_pil
from webapp.jobs.frames import Frame

log = structlog.get_logger(__name__)

PACE = 0.033  # seconds between frames at least: no eye sees more
LONGEST_SIDE = 640  # a frame's; the finished picture is loaded whole
QUALITY = 85

Offer = tuple[dict[str, Any], bytes, Pixels]


class FramePublisher:
    """Encodes and sends pictures from a thread of its own (both release the GIL)."""

    def __init__(self, job_id: UUID) -> None:
        self._job_id = job_id
        self._news = threading.Condition()
        self._waiting: Offer | None = None
        self._taken = 0.0
        self._ended = False
        self._thread = threading.Thread(target=self._run, name=f"frames {job_id}", daemon=True)
        self._thread.start()

    def due(self) -> bool:
        """Whether the last frame is gone and old enough for another."""
        return self._waiting is None and time.monotonic() - self._taken >= PACE

    def offer(self, header: dict[str, Any], curve: bytes, pixels: Pixels) -> None:
        """Hand over a frame; it takes the place of one that still waits."""
        with self._news:
            self._waiting = header, curve, pixels
            self._news.notify()

    def close(self) -> None:
        """Send what still waits, then end."""
        with self._news:
            self._ended = True
            self._news.notify()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._waiting is not None or self._ended)
                if self._waiting is None:
                    return
                header, curve, pixels = self._waiting
                self._waiting, self._taken = None, time.monotonic()
            try:
                Frame(header, curve, _jpeg(pixels)).publish(self._job_id)
            except Exception:
                log.exception("frame not sent", job=str(self._job_id))


def _jpeg(pixels: Pixels) -> bytes:
    if max(pixels.shape[:2]) > LONGEST_SIDE:
        image = to_pil(pixels)
        image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.BILINEAR, reducing_gap=2)
        pixels = np.asarray(image)
    return to_jpeg(pixels, QUALITY)


@contextmanager
def frames_of(job_id: UUID) -> Iterator[FramePublisher]:
    publisher = FramePublisher(job_id)
    try:
        yield publisher
    finally:
        publisher.close()
