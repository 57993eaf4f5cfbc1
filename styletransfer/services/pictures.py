"""The use cases of pictures on the web's side. The worker's side is `work_painting`."""

from __future__ import annotations

import re
from pathlib import PurePath
from uuid import UUID

from PIL import Image

from styletransfer.core.types import Recipe
from styletransfer.files import CONTENT, STYLE, PictureFolder
from styletransfer.models import StyleJob
from styletransfer.services.beginning import beginning
from webapp.accounts.models import User
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
    with beginning(job, folder):
        folder.write(CONTENT, to_jpeg(content))
        folder.write(STYLE, to_jpeg(style))
        folder.write_thumb(content)
    return job


def earlier_job(*, owner: User, job_id: UUID | None) -> StyleJob | None:
    """A job of one's own to paint again with other parameters; None where there is none."""
    return StyleJob.objects.filter(owner=owner, pk=job_id).first() if job_id else None


def title_for(*, content_name: str, style_name: str) -> str:
    """A title such as a museum would give: “Harbour, as Great waves”."""
    return f"{readable(content_name)}, as {readable(style_name)}"


def readable(name: str) -> str:
    text = re.sub(r"[\W_]+", " ", PurePath(name).stem).strip()[:50] or "picture"
    return text[0].upper() + text[1:]
