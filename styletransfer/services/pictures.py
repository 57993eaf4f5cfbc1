"""The use cases of pictures on the web's side. The worker's side is `work_painting`."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import PurePath
from uuid import UUID

from django.conf import settings
from django.db import transaction
from PIL import Image

from styletransfer.core.types import Recipe
from styletransfer.files import CONTENT, STYLE, PictureFolder, folder_ids
from styletransfer.models import StyleJob
from webapp.accounts.models import User
from webapp.errors import UserFacingError
from webapp.jobs import dispatch
from webapp.jobs.frames import forget_frames
from webapp.jobs.models import ACTIVE, Request, Status
from webapp.uploads import to_jpeg

LARGEST_INPUT = 2048  # pixels, of the stored content and style pictures


def painted_size(picture: Image.Image, longest_side: int) -> tuple[int, int]:
    """Width and height of the picture to be; the same as the core's `resize` gives."""
    scale = longest_side / max(picture.size)
    width, height = (max(1, round(extent * scale)) for extent in picture.size)
    return width, height


def start_job(
    *, owner: User, content: Image.Image, style: Image.Image, recipe: Recipe, title: str = ""
) -> StyleJob:
    """Store the two pictures and send the job to the painters' queue.

    Raises:
        UserFacingError: `too_many_jobs` (429).
    """
    _check_limit(owner)
    width, height = painted_size(content, recipe.size)
    job = StyleJob(
        owner=owner,
        title=title.strip()[:120] or "Untitled",
        recipe=recipe.to_dict(),
        steps=recipe.steps,
        width=width,
        height=height,
    )
    folder = PictureFolder(job.pk)
    try:
        folder.write(CONTENT, to_jpeg(content))
        folder.write(STYLE, to_jpeg(style))
        folder.write_thumb(content)
        with transaction.atomic():
            _check_limit(owner)  # once more where nobody can come between
            job.save(force_insert=True)
            dispatch.enqueue(job)
    except BaseException:
        folder.delete()  # nothing is left half-made
        raise
    return job


def _check_limit(owner: User) -> None:
    limit = settings.STYLE_JOBS_PER_USER
    if StyleJob.objects.filter(owner=owner, status__in=ACTIVE).count() >= limit:
        raise UserFacingError(
            "too_many_jobs",
            f"You have {limit} pictures waiting or being painted, and that is the limit.",
            "Wait until one is done, or cancel one.",
            status=429,
        )


def earlier_job(*, owner: User, job_id: UUID | None) -> StyleJob | None:
    """A job of one's own to paint again with other parameters; None where there is none."""
    return StyleJob.objects.filter(owner=owner, pk=job_id).first() if job_id else None


def cancel_job(*, job: StyleJob) -> StyleJob:
    """Stop for good; the newest picture stays. A finished job is left as it is."""
    dispatch.ask(job, Request.CANCEL)
    if job.status == Status.CANCELLED:
        job.checkpoint_path.unlink(missing_ok=True)
    return job


def pause_job(*, job: StyleJob) -> StyleJob:
    """Stop until `resume_job`; nothing that was painted is lost."""
    dispatch.ask(job, Request.PAUSE)
    return job


def resume_job(*, job: StyleJob) -> StyleJob:
    """Go on with a paused job.

    Raises:
        UserFacingError: `too_many_jobs` (429).
    """
    _check_limit(job.owner)
    with transaction.atomic():
        dispatch.resume(job)
    job.refresh_from_db()
    return job


def delete_job(*, job: StyleJob) -> None:
    """The job and all that came of it. A run that still paints it notices and stops."""
    job_id = job.pk
    dispatch.ask(job, Request.CANCEL)
    job.delete()
    discard(job_id)


def discard(job_id: UUID) -> None:
    """What a job leaves outside the database: files, checkpoint, frames."""
    PictureFolder(job_id).delete()
    StyleJob(pk=job_id).checkpoint_path.unlink(missing_ok=True)
    forget_frames(job_id)


def discard_orphans(*, older_than: timedelta = timedelta(hours=1)) -> int:
    """Discard what is left of jobs that are gone (a deleted user's, say); returns how many.

    What is young is left alone: its row may be on its way.
    """
    checkpoints = {path.stem for path in settings.CHECKPOINT_DIR.glob("*.safetensors")}
    old = {i for i in folder_ids() if PictureFolder(i).age() >= older_than}
    known = {str(job_id) for job_id in StyleJob.objects.values_list("pk", flat=True)}
    orphans = (old | checkpoints) - known
    for job_id in orphans:
        discard(UUID(job_id))
    return len(orphans)


def title_for(*, content_name: str, style_name: str) -> str:
    """A title such as a museum would give: “Harbour, as Great waves”."""
    return f"{_readable(content_name)}, as {_readable(style_name)}"


def _readable(name: str) -> str:
    text = re.sub(r"[\W_]+", " ", PurePath(name).stem).strip()[:50] or "picture"
    return text[0].upper() + text[1:]
