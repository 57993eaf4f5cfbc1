"""What a job leaves outside the database, and its end."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings

from styletransfer.files import PictureFolder
from styletransfer.folders import JobFolder
from styletransfer.mining_files import MiningFolder
from styletransfer.piece_files import PieceFolder
from webapp.jobs.frames import forget_frames
from webapp.jobs.registry import job_models

FOLDERS: tuple[type[JobFolder], ...] = (PictureFolder, PieceFolder, MiningFolder)


def discard(job_id: UUID) -> None:
    """What a job leaves outside the database: files, checkpoint, frames."""
    for folder in FOLDERS:
        folder(job_id).delete()
    (settings.CHECKPOINT_DIR / f"{job_id}.safetensors").unlink(missing_ok=True)
    forget_frames(job_id)


def discard_orphans(*, older_than: timedelta = timedelta(hours=1)) -> int:
    """Discard what is left of jobs that are gone (a deleted user's, say); returns how many.

    What is young is left alone: its row may be on its way.
    """
    checkpoints = {path.stem for path in settings.CHECKPOINT_DIR.glob("*.safetensors")}
    old = {i for kind in FOLDERS for i in kind.ids() if kind(i).age() >= older_than}
    known = {
        str(job_id)
        for model in job_models()
        for job_id in model._default_manager.values_list("pk", flat=True)
    }
    orphans = (old | checkpoints) - known
    for job_id in orphans:
        discard(UUID(job_id))
    return len(orphans)
