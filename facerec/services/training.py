"""Training runs: the web's side."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from facerec.core.training_config import TrainingConfig
from facerec.models import TrainingRun
from facerec.photosets import encoded
from webapp import archives
from webapp.accounts.models import User
from webapp.errors import UserFacingError
from webapp.jobs.dispatch import ask, enqueue
from webapp.jobs.models import ACTIVE, FINAL, Request, Status

log = structlog.get_logger(__name__)


def start_training(
    *,
    name: str,
    config: TrainingConfig,
    by: User,
    source: str,
    archive: UUID | None = None,
    folder: Path | None = None,
) -> TrainingRun:
    """A run on an uploaded archive, or on a folder (or ZIP) of this machine.

    name: what its encoder will be called, with a number. source: what people call the photos.
    """
    run = create_run(name=name, config=config, by=by, source=source, archive=archive, folder=folder)
    enqueue(run)
    return run


@transaction.atomic
def create_run(
    *,
    name: str,
    config: TrainingConfig,
    by: User,
    source: str,
    archive: UUID | None = None,
    folder: Path | None = None,
) -> TrainingRun:
    """`start_training` for whoever runs the job themselves."""
    return TrainingRun.objects.create(
        owner=by,
        name=name,
        source=source[:500],
        archive=archive,
        folder=str(folder.resolve()) if folder else "",
        config=config.as_dict(),
    )


def ask_run(*, run: TrainingRun, request: Request) -> None:
    """Pause or cancel. What a cancelled run kept is deleted, by itself or, if it waits, here."""
    ask(run, request)
    if run.is_final:
        discard(run)


def delete_run(*, run: TrainingRun) -> None:
    """A finished run's line; its encoder stays.

    Raises:
        UserFacingError: `still_running`.
    """
    if run.status in (*ACTIVE, Status.PAUSED):
        raise UserFacingError(
            "still_running", "This run is not over.", "Cancel it first.", status=409
        )
    discard(run)
    run.delete()


def folder_of(run_id: UUID) -> Path:
    """Where a run keeps its encodings and its checkpoint until its end."""
    return Path(settings.CHECKPOINT_DIR) / f"training-{run_id}"


def discard(run: TrainingRun) -> None:
    """Delete everything that a run kept of faces: archive, encodings, checkpoint."""
    encoded.discard(folder_of(run.pk))
    if run.archive is not None:
        archives.discard(run.archive)


def discard_leftovers() -> None:
    """Delete what runs kept that are over or gone; a killed worker could not."""
    wanted = set(TrainingRun.objects.exclude(status__in=FINAL).values_list("pk", flat=True))
    for folder in Path(settings.CHECKPOINT_DIR).glob("training-*"):
        if folder.name not in {folder_of(pk).name for pk in wanted}:
            encoded.discard(folder)
            log.info("deleted a training run's leftovers", folder=folder.name)
