"""The worker's side of a picture: paint, show every step, and be ready to stop at any."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
import torch

from styletransfer import runtime
from styletransfer.core.checkpoint import PaintState, load_checkpoint, save_checkpoint
from styletransfer.core.errors import CheckpointError, DivergedError, PictureError, RecipeError
from styletransfer.core.features import Extractor
from styletransfer.core.images import to_pil
from styletransfer.core.optimise import Iterate, optimise
from styletransfer.core.types import Recipe
from styletransfer.files import CONTENT, STYLE, PictureFolder
from styletransfer.models import StyleJob
from styletransfer.services.pictures import discard
from styletransfer.streaming import FramePublisher, frames_of
from webapp.errors import UserFacingError
from webapp.jobs.models import Status
from webapp.jobs.runner import Run, Stopped

log = structlog.get_logger(__name__)

ROW_EVERY = 1.0  # seconds between updates of the row
CHECKPOINT_EVERY = 3.0  # seconds, and more where saving takes long
CHECKPOINT_SHARE = 0.05  # of the time, at most, goes into checkpoints
COLUMNS = ("total", "content", "style")
ROW_BYTES = 4 * len(COLUMNS)


def paint(run: Run[StyleJob]) -> None:
    """Paint the job's picture, from its checkpoint where it has one.

    Raises:
        UserFacingError: with a sentence for the painter.
        Stopped: cancelled, paused, or this worker leaves; what was painted is kept.
    """
    job = run.job
    try:
        with _told_kindly(job.cooked), frames_of(job.pk) as frames:
            _paint(run, frames)
    except Stopped as stop:
        if stop.status is None and not StyleJob.objects.filter(pk=job.pk).exists():
            discard(job.pk)  # deleted while it was painted
        raise


def _paint(run: Run[StyleJob], frames: FramePublisher) -> None:
    job, recipe = run.job, run.job.cooked
    runtime.set_threads()
    extractor = runtime.extractor(recipe.extractor, on_progress=_Download(run))
    run.update(
        note="",
        made_with={
            "device": str(extractor.device),
            "extractor": extractor.name,
            "version": extractor.version,
        },
    )
    sitting = Sitting(run, frames)
    for iterate in _iterates(job, recipe, extractor):
        sitting.saw(iterate)
        if iterate.step < iterate.steps and (status := run.stop_requested()) is not None:
            sitting.leave(iterate, status)
            raise Stopped(status)
    sitting.finish(iterate)


def _iterates(job: StyleJob, recipe: Recipe, extractor: Extractor) -> Iterator[Iterate]:
    """The core's iterates; from the start where the checkpoint cannot be used."""
    folder = PictureFolder(job.pk)
    content, style = folder.picture(CONTENT), folder.picture(STYLE)
    state: PaintState | None = None
    if job.checkpoint_path.exists():
        try:
            state = load_checkpoint(job.checkpoint_path)
            yield from optimise(content, style, extractor, recipe, state=state)
            return
        except CheckpointError as error:
            log.warning("starting anew", reason=str(error))
    yield from optimise(content, style, extractor, recipe)


class Sitting:
    """One run's share of a painting: its pace, its curve, and what is kept of it when."""

    def __init__(self, run: Run[StyleJob], frames: FramePublisher) -> None:
        self.run = run
        self.job = run.job
        self.frames = frames
        self.curve = array("f", bytes(self.job.curve))
        self.seconds_before = self.job.seconds
        self.began = self.last = self.row_written = self.checkpointed = time.monotonic()
        self.pace: float | None = None  # seconds a step, a moving average
        self.checkpoint_cost = 0.0

    def saw(self, iterate: Iterate) -> None:
        """Show the iterate, and write down now and then how far the painting is."""
        now = time.monotonic()
        self._measure(now)
        del self.curve[iterate.step * len(COLUMNS) :]  # back at a checkpoint: its own step anew
        self.curve.extend(getattr(iterate.losses, column) for column in COLUMNS)
        last = iterate.step == iterate.steps
        if last or self.frames.due():
            self._show(iterate)
        if now - self.row_written >= ROW_EVERY or not self.job.losses:
            self.row_written = now
            self.run.update(**self._row(iterate))
            self.run.publish()
        interval = max(CHECKPOINT_EVERY, self.checkpoint_cost / CHECKPOINT_SHARE)
        if iterate.step and not last and now - self.checkpointed >= interval:
            self._checkpoint(iterate)

    def leave(self, iterate: Iterate, status: Status) -> None:
        """Asked to stop: what a later run needs is saved, and what the painter may want."""
        self._show(iterate)
        if status == Status.CANCELLED:
            self.job.checkpoint_path.unlink(missing_ok=True)
        elif iterate.step:
            self._checkpoint(iterate)
        if status != Status.QUEUED and iterate.step:
            self._keep_picture(iterate)
        self.run.update(**self._row(iterate), curve=self.curve.tobytes())

    def finish(self, iterate: Iterate) -> None:
        self._keep_picture(iterate)
        row = {**self._row(iterate), "seconds_left": None}
        self.run.update(**row, curve=self.curve.tobytes())
        self.job.checkpoint_path.unlink(missing_ok=True)

    def _show(self, iterate: Iterate) -> None:
        self.frames.offer(self._header(iterate), self.curve.tobytes(), iterate.image())

    def _measure(self, now: float) -> None:
        took, self.last = now - self.last, now
        self.pace = took if self.pace is None else 0.85 * self.pace + 0.15 * took

    def _seconds_left(self, iterate: Iterate) -> float | None:
        """None until two steps were made: the start takes longer than a step."""
        if self.pace is None or iterate.step < 2:
            return None
        return round(self.pace * (iterate.steps - iterate.step), 1)

    def _header(self, iterate: Iterate) -> dict[str, Any]:
        losses = iterate.losses
        return {
            "step": iterate.step,
            "steps": iterate.steps,
            "width": self.job.width,
            "height": self.job.height,
            "seconds_left": self._seconds_left(iterate),
            "columns": COLUMNS,
            "raw": {
                "total": losses.course_total,
                "content": losses.course_content,
                "style": losses.course_style,
            },
            "layers": dict(losses.style_layers),
        }

    def _row(self, iterate: Iterate) -> dict[str, Any]:
        return {
            "step": iterate.step,
            "losses": iterate.losses.to_dict(),
            "seconds": self.seconds_before + time.monotonic() - self.began,
            "seconds_left": self._seconds_left(iterate),
        }

    def _checkpoint(self, iterate: Iterate) -> None:
        """The row first: a curve longer than the checkpoint is cut when the run goes on."""
        began = time.monotonic()
        self.run.progressed(**self._row(iterate), curve=self.curve.tobytes())
        save_checkpoint(self.job.checkpoint_path, iterate.state())
        self.checkpointed = time.monotonic()
        self.checkpoint_cost = self.checkpointed - began
        self.last = self.checkpointed  # not the next step's time

    def _keep_picture(self, iterate: Iterate) -> None:
        PictureFolder(self.job.pk).write_result(to_pil(iterate.image()))
        self.run.update(kept_step=iterate.step)


class _Download:
    """Tells the watchers how far a download is, and lets the painter stop it."""

    def __init__(self, run: Run[StyleJob]) -> None:
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
def _told_kindly(recipe: Recipe) -> Iterator[None]:
    """The core's errors as sentences that say what to do."""
    try:
        yield
    except DivergedError as error:
        rate = f"{recipe.effective_learning_rate:g}"
        raise UserFacingError(
            "diverged",
            f"At step {error.step} the painting left all bounds: the learning rate {rate} is "
            "too high for it.",
            "Choose a smaller learning rate, or the optimiser L-BFGS.",
            field="learning_rate",
        ) from error
    except RecipeError as error:
        raise UserFacingError(
            "bad_recipe", f"The recipe’s {error.field} {error.message}.", field=error.field
        ) from error
    except PictureError as error:
        raise UserFacingError(
            "too_narrow",
            "One of the two pictures is too narrow to be painted at this size.",
            "Choose a larger size, or a picture that is less of a strip.",
        ) from error
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _out_of_memory(recipe) from error
    except RuntimeError as error:
        if "allocate memory" not in str(error):
            raise
        raise _out_of_memory(recipe) from error


def _out_of_memory(recipe: Recipe) -> UserFacingError:
    return UserFacingError(
        "out_of_memory",
        f"There is not enough memory to paint at {recipe.size} pixels with {recipe.extractor}.",
        "Choose a smaller size, the extractor “lite”, or the optimiser Adam.",
        field="size",
    )
