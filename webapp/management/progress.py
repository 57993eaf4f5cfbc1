"""A progress bar in a terminal; a line now and then where the output is a file."""

from __future__ import annotations

import time
from typing import TextIO

WIDTH = 30
EVERY = 0.1, 10.0  # seconds between updates: in a terminal, in a file


class ProgressBar:
    """`bar.show(done)` as often as you like, then `bar.end()`."""

    def __init__(self, out: TextIO, total: int, unit: str) -> None:
        self._out, self._total, self._unit = out, total, unit
        self._live = out.isatty()
        self._began = time.monotonic()
        self._first: int | None = None
        self._shown = 0.0

    def show(self, done: int, note: str = "") -> None:
        now = time.monotonic()
        self._first = done if self._first is None else self._first
        if now - self._shown < EVERY[not self._live] and done < self._total:
            return
        self._shown = now
        line = self._line(done, now - self._began, note)
        self._out.write(f"\r\x1b[2K{line}" if self._live else f"{line}\n")
        self._out.flush()

    def end(self) -> None:
        if self._live and self._shown:
            self._out.write("\n")

    def _line(self, done: int, seconds: float, note: str) -> str:
        share = done / self._total if self._total else 1.0
        full = round(WIDTH * share)
        rate = (done - (self._first or 0)) / seconds if seconds > 0 else 0.0
        parts = [
            f"{'█' * full}{'░' * (WIDTH - full)} {done:,} of {self._total:,} {self._unit}",
            f"{rate:.1f}/s",
        ]
        if rate and done < self._total:
            parts.append(f"{duration((self._total - done) / rate)} left")
        return " · ".join([*parts, note] if note else parts)


def duration(seconds: float) -> str:
    """90 -> `1:30`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
