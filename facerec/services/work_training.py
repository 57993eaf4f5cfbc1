"""What the long worker does with a training run: encode the photos, train, judge."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from itertools import islice
from pathlib import Path

import numpy as np
import structlog

from facerec.core import adapter as adapters
from facerec.core.adapter import Adapter
from facerec.core.errors import (
    CheckpointMismatch,
    TrainingDiverged,
    TrainingSetTooSmall,
    WeightsCorrupt,
)
from facerec.core.labelled import encode_set
from facerec.core.training import LabelledFaces, Trainer
from facerec.core.training_config import TrainingConfig, TrainingKind, TrainingStep
from facerec.models import Stage, TrainingRun
from facerec.photosets import pictures
from facerec.photosets.encoded import EncodedPhotos
from facerec.runtime import FaceRuntime
from facerec.services.archives import photos_of
from facerec.services.training import discard, folder_of
from facerec.services.work import ready_runtime
from facerec.services.work_judging import judge
from webapp.errors import UserFacingError
from webapp.jobs.models import Status
from webapp.jobs.runner import Run, Stopped

log = structlog.get_logger(__name__)

TELL_EVERY = 0.4  # seconds between looks that watchers get
KEEP_EVERY = 5.0  # seconds of work that a killed worker loses at most
CURVE_POINTS = 250  # of loss and active fraction, however many steps there are


def run_training(run: Run[TrainingRun]) -> None:
    """From photos to an encoder that waits to be looked at.

    Whatever was kept of faces on the way goes with the run's end, good or bad; a run that pauses
    or whose worker leaves keeps its encodings and its checkpoint.

    Raises:
        UserFacingError: with a sentence for the administrator.
        Stopped: cancelled, paused, or this worker leaves.
    """
    try:
        with ready_runtime() as here, _told_kindly():
            config = TrainingConfig.from_dict(run.job.config)
            photos = _encode(run, here, config)
            try:
                trainer = _train(run, here, photos, config)
                _enter(run, Stage.JUDGING, 0)
                judge(run, here, photos, trainer)
            finally:
                photos.close()
    except Stopped as stop:
        gone = stop.status is None and not TrainingRun.objects.filter(pk=run.job.pk).exists()
        if stop.status == Status.CANCELLED or gone:
            discard(run.job)
        raise
    except Exception:
        discard(run.job)
        raise
    discard(run.job)


def _encode(run: Run[TrainingRun], here: FaceRuntime, config: TrainingConfig) -> EncodedPhotos:
    """Every photo that shows one face, as its encoding; goes on where a former run stopped."""
    pipeline = here.pipeline
    photos = EncodedPhotos(
        folder_of(run.job.pk) / "photos",
        with_chips=config.kind == TrainingKind.LAST_BLOCKS,
        made_by=f"{pipeline.encoder_version} {pipeline.aligner_version}",
    )
    with photos_of(run.job) as labelled:
        numbers = {person: number for number, person in enumerate(labelled.people)}
        _enter(run, Stage.ENCODING, labelled.total, done=photos.seen)
        told = kept = time.monotonic()
        rest = islice(labelled.photos(), photos.seen, None)
        for photo in encode_set(pipeline, pictures(rest)):
            photos.add(photo, numbers[photo.person])
            now = time.monotonic()
            if (status := run.stop_requested()) is not None:
                photos.flush()
                run.update(done=photos.seen)
                raise Stopped(status)
            if now - told >= TELL_EVERY:
                told = now
                run.update(done=photos.seen)
                run.publish()
            if now - kept >= KEEP_EVERY:
                kept = now
                photos.flush()
                run.progressed(done=photos.seen)
    photos.flush()
    people = photos.people()
    told_photos = {
        "people": len(np.unique(people)),
        "used": photos.used,
        "refused": dict(photos.refused),
    }
    run.progressed(done=photos.seen, photos=told_photos)
    return photos


def _train(
    run: Run[TrainingRun], here: FaceRuntime, photos: EncodedPhotos, config: TrainingConfig
) -> Trainer:
    checkpoint = folder_of(run.job.pk) / "checkpoint.safetensors"
    trainer = _trainer(here, photos, config, checkpoint)
    _enter(run, Stage.PREPARING, photos.used)
    told = time.monotonic()
    for done, total in trainer.prepare():
        if (status := run.stop_requested()) is not None:
            raise Stopped(status)
        if time.monotonic() - told >= TELL_EVERY:
            told = time.monotonic()
            run.update(done=done, total=total)
            run.publish()
    course = Course(run, trainer, checkpoint)
    for step in trainer.steps():
        course.saw(step)
        if step.step < step.steps and (status := run.stop_requested()) is not None:
            course.leave(status)
            raise Stopped(status)
    course.keep()
    return trainer


def _trainer(
    here: FaceRuntime, photos: EncodedPhotos, config: TrainingConfig, checkpoint: Path
) -> Trainer:
    """The core's trainer, at its checkpoint where there is one that fits."""
    people = [str(person) for person in photos.people()]
    faces = photos.chips() if config.kind == TrainingKind.LAST_BLOCKS else photos.encodings()
    labelled = LabelledFaces(faces, people)
    start = start_of(here.pipeline.encoder_version)
    if checkpoint.exists():
        try:
            return Trainer(labelled, config, device=here.device, start=start, resume=checkpoint)
        except (CheckpointMismatch, WeightsCorrupt) as error:
            log.warning("training begins anew", reason=str(error))
    return Trainer(labelled, config, device=here.device, start=start)


def start_of(backbone: str) -> Adapter:
    """Where an adapter's training begins, and what blocks are trained through: the shipped one.
    Not the adapter in use: it may have learnt from people who are held out now, and the report
    would flatter its offspring."""
    adapter = copy(adapters.shipped())
    adapter.backbone = backbone
    return adapter


class Course:
    """One run's share of a training: its curve, and what is kept of it when."""

    def __init__(self, run: Run[TrainingRun], trainer: Trainer, checkpoint: Path) -> None:
        self.run, self.trainer, self.checkpoint = run, trainer, checkpoint
        steps = trainer.config.steps
        self.every = max(1, steps // CURVE_POINTS)
        # Back at a checkpoint: what came after it is trained again.
        self.curve = [point for point in run.job.curve if point["step"] <= trainer.step]
        self.since: list[TrainingStep] = []
        self.told = self.kept = time.monotonic()
        _enter(run, Stage.TRAINING, steps, done=trainer.step, curve=self.curve)

    def saw(self, step: TrainingStep) -> None:
        if not self.curve:
            self.curve.append({"step": 0, "held_out": self.trainer.tar_at_start})
        self.since.append(step)
        looked = step.held_out_tar is not None
        if looked or step.step % self.every == 0 or step.step == 1:
            self.curve.append(_point(self.since))
            self.since = []
        now = time.monotonic()
        collapsed = self.run.job.collapsed or step.collapsed
        alarm = collapsed != self.run.job.collapsed
        if alarm or now - self.told >= TELL_EVERY or step.step == step.steps:
            self.told = now
            self.run.update(done=step.step, curve=self.curve, collapsed=collapsed)
            self.run.publish()
        if now - self.kept >= KEEP_EVERY:
            self.keep()

    def keep(self) -> None:
        """The row first: a curve longer than the checkpoint is cut when the run goes on."""
        self.run.progressed(done=self.trainer.step, curve=self.curve)
        self.trainer.save(self.checkpoint)
        self.kept = time.monotonic()

    def leave(self, status: Status) -> None:
        if status != Status.CANCELLED:
            self.keep()


def _point(steps: list[TrainingStep]) -> dict[str, float | int]:
    """What the page draws: the mean loss and active fraction since the last point, and the held-out
    and choosing people's TAR where they were looked at."""
    last = steps[-1]
    point: dict[str, float | int] = {
        "step": last.step,
        "loss": _rounded(float(np.mean([step.loss for step in steps]))),
        "active": _rounded(float(np.mean([step.active_fraction for step in steps]))),
        "spread": _rounded(last.spread),
    }
    if last.held_out_tar is not None:
        point["held_out"] = _rounded(last.held_out_tar)
    if last.validation_tar is not None:
        point["validation"] = _rounded(last.validation_tar)
    return point


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")


def _enter(
    run: Run[TrainingRun], stage: Stage, total: int, *, done: int = 0, **fields: object
) -> None:
    run.update(stage=stage, done=done, total=total, **fields)
    run.publish()


@contextmanager
def _told_kindly() -> Iterator[None]:
    """The core's errors as sentences that say what to do."""
    try:
        yield
    except TrainingSetTooSmall as error:
        raise UserFacingError(
            "too_few_people",
            f"Of the people in these photos {error.people} have two usable photos; "
            f"{error.needed} are needed: to learn from, to choose by, and to judge by.",
            "Add people with two photos or more each.",
            status=422,
            field="archive",
        ) from error
    except TrainingDiverged as error:
        raise UserFacingError(
            "diverged",
            f"At step {error.step} the loss left all bounds.",
            "Choose a smaller learning rate.",
            field="learning_rate",
        ) from error
    except MemoryError as error:
        raise _out_of_memory() from error
    except RuntimeError as error:  # torch's out-of-memory errors are among these
        if "allocate memory" not in str(error) and "out of memory" not in str(error):
            raise
        raise _out_of_memory() from error


def _out_of_memory() -> UserFacingError:
    return UserFacingError(
        "out_of_memory",
        "There is not enough memory for this training.",
        "Take fewer people or photos in a batch, or train an adapter.",
        field="people_per_batch",
    )
