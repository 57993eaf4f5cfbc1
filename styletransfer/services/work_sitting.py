"""What painting a picture and making a piece have in common: one run's share of the work, shown
while it comes about, and ready to stop at any step."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar

import torch

from styletransfer.core.errors import DivergedError, RecipeError
from styletransfer.models import Piece, StyleJob
from styletransfer.services.leftovers import discard
from styletransfer.streaming import FramePublisher, frames_of
from webapp.errors import UserFacingError
from webapp.jobs.models import Status
from webapp.jobs.runner import Run, Stopped

ROW_EVERY = 1.0  # seconds between updates of the row
CHECKPOINT_EVERY = 3.0  # seconds, and more where saving takes long
CHECKPOINT_SHARE = 0.05  # of the time, at most, goes into checkpoints
COLUMNS = ("total", "content", "style")
ROW_BYTES = 4 * len(COLUMNS)


class Costs(Protocol):
    """An iterate's losses, of either kind."""

    @property
    def total(self) -> float: ...
    @property
    def content(self) -> float: ...
    @property
    def style(self) -> float: ...
    def to_dict(self) -> dict[str, Any]: ...


class Made(Protocol):
    """An iterate, of either kind."""

    @property
    def step(self) -> int: ...
    @property
    def steps(self) -> int: ...
    @property
    def losses(self) -> Costs: ...


J = TypeVar("J", bound=StyleJob | Piece)
I = TypeVar("I", bound=Made)  # noqa: E741


def work(run: Run[J], sitting: Callable[[Run[J], FramePublisher], Sitting[J, I]]) -> None:
    """Do the job's steps, from its checkpoint where it has one.

    Raises:
        UserFacingError: with a sentence for the painter.
        Stopped: cancelled, paused, or this worker leaves; what was made is kept.
    """
    job = run.job
    try:
        with frames_of(job.pk) as frames:
            sitting(run, frames).sit()
    except Stopped as stop:
        if stop.status is None and not type(job)._default_manager.filter(pk=job.pk).exists():
            discard(job.pk)  # deleted while it was worked on
        raise


class Sitting(ABC, Generic[J, I]):
    """One run's share of a job: its pace, its curve, and what is kept of it when."""

    def __init__(self, run: Run[J], frames: FramePublisher) -> None:
        self.run = run
        self.job = run.job
        self.frames = frames
        self.curve = array("f", bytes(self.job.curve))
        self.seconds_before = self.job.seconds
        self.began = self.last = self.row_written = self.checkpointed = time.monotonic()
        self.pace: float | None = None  # seconds a step, a moving average
        self.checkpoint_cost = 0.0

    @abstractmethod
    def iterates(self) -> Iterator[I]:
        """The core's iterates, from the checkpoint where it can be used."""

    @abstractmethod
    def frame(self, iterate: I) -> tuple[dict[str, Any], Any]:
        """What the frame's header says beside the step, and the picture (H, W, 3)."""

    @abstractmethod
    def keep(self, iterate: I) -> None:
        """Store the newest, to look at and to download."""

    @abstractmethod
    def save_checkpoint(self, iterate: I) -> None:
        """Store what a later run needs."""

    def sit(self) -> None:
        """Take every step, and leave where that is asked for."""
        for iterate in self.iterates():
            self.saw(iterate)
            if iterate.step < iterate.steps and (status := self.run.stop_requested()) is not None:
                self.leave(iterate, status)
                raise Stopped(status)
        self.finish(iterate)

    def saw(self, iterate: I) -> None:
        """Show the iterate, and write down now and then how far it is."""
        now = time.monotonic()
        self._measure(now)
        del self.curve[iterate.step * len(COLUMNS) :]  # back at a checkpoint: its own step anew
        self.curve.extend(getattr(iterate.losses, column) for column in COLUMNS)
        last = iterate.step == iterate.steps
        if last or self.due(now):
            self._show(iterate)
        if now - self.row_written >= ROW_EVERY or not self.job.losses:
            self.row_written = now
            self.run.update(**self._row(iterate))
            self.run.publish()
        interval = max(CHECKPOINT_EVERY, self.checkpoint_cost / CHECKPOINT_SHARE)
        if iterate.step and not last and now - self.checkpointed >= interval:
            self._checkpoint(iterate)

    def leave(self, iterate: I, status: Status) -> None:
        """Asked to stop: what a later run needs is saved, and what the painter may want."""
        self._show(iterate)
        if status == Status.CANCELLED:
            self.job.checkpoint_path.unlink(missing_ok=True)
        elif iterate.step:
            self._checkpoint(iterate)
        if status != Status.QUEUED and iterate.step:
            self.keep(iterate)
        self.run.update(**self._row(iterate), curve=self.curve.tobytes())

    def finish(self, iterate: I) -> None:
        self.keep(iterate)
        row = {**self._row(iterate), "seconds_left": None}
        self.run.update(**row, curve=self.curve.tobytes())
        self.job.checkpoint_path.unlink(missing_ok=True)

    def due(self, now: float) -> bool:
        """Whether to show a frame now."""
        return self.frames.due()

    def rested(self) -> None:
        """What was done since the last step was no part of a step."""
        self.last = time.monotonic()

    def _show(self, iterate: I) -> None:
        said, pixels = self.frame(iterate)
        header = {
            "step": iterate.step,
            "steps": iterate.steps,
            "seconds_left": self._seconds_left(iterate),
            "columns": COLUMNS,
            **said,
        }
        self.frames.offer(header, self.curve.tobytes(), pixels)

    def _measure(self, now: float) -> None:
        took, self.last = now - self.last, now
        self.pace = took if self.pace is None else 0.85 * self.pace + 0.15 * took

    def _seconds_left(self, iterate: I) -> float | None:
        """None until two steps were made: the start takes longer than a step."""
        if self.pace is None or iterate.step < 2:
            return None
        return round(self.pace * (iterate.steps - iterate.step), 1)

    def _row(self, iterate: I) -> dict[str, Any]:
        return {
            "step": iterate.step,
            "losses": iterate.losses.to_dict(),
            "seconds": self.seconds_before + time.monotonic() - self.began,
            "seconds_left": self._seconds_left(iterate),
        }

    def _checkpoint(self, iterate: I) -> None:
        """The row first: a curve longer than the checkpoint is cut when the run goes on."""
        began = time.monotonic()
        self.run.progressed(**self._row(iterate), curve=self.curve.tobytes())
        self.save_checkpoint(iterate)
        self.checkpointed = time.monotonic()
        self.checkpoint_cost = self.checkpointed - began
        self.rested()


class Download(Generic[J]):
    """Tells the watchers how far a download is, and lets the painter stop it."""

    def __init__(self, run: Run[J]) -> None:
        self.run = run
        self.told = 0.0

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() - self.told < ROW_EVERY:
            return
        self.told = time.monotonic()
        if (status := self.run.stop_requested()) is not None:
            raise Stopped(status)
        share = f"{done / total:.0%} of {total / 1e6:.0f} MB" if total else f"{done / 1e6:.0f} MB"
        self.run.update(note=f"Fetching VGG-19’s weights, this once: {share}")
        self.run.publish()


@contextmanager
def told_kindly(*, out_of_memory: str, needs_less: str, rate: float | None) -> Iterator[None]:
    """The core's errors as sentences that say what to do.

    out_of_memory: the sentence where memory ends. needs_less: what to choose then. rate: the
    learning rate, where it is known.
    """
    try:
        yield
    except DivergedError as error:
        which = "learning rate" if rate is None else f"learning rate {rate:g}"
        raise UserFacingError(
            "diverged",
            f"At step {error.step} it left all bounds: the {which} is too high for it.",
            "Choose a smaller learning rate, or the optimiser L-BFGS.",
            field="learning_rate",
        ) from error
    except RecipeError as error:
        raise UserFacingError(
            "bad_recipe", f"The recipe’s {error.field} {error.message}.", field=error.field
        ) from error
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        known = isinstance(error, torch.OutOfMemoryError | MemoryError)
        if not known and "allocate memory" not in str(error):
            raise
        raise UserFacingError("out_of_memory", out_of_memory, needs_less, field="size") from error
