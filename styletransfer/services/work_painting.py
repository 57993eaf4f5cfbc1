"""The worker's side of a picture: paint, show every step, and be ready to stop at any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from styletransfer import runtime
from styletransfer.core.checkpoint import load_checkpoint, save_checkpoint
from styletransfer.core.errors import CheckpointError, PictureError
from styletransfer.core.images import Pixels, to_pil
from styletransfer.core.optimise import Iterate, optimise
from styletransfer.core.types import Losses, Recipe
from styletransfer.files import CONTENT, STYLE, PictureFolder
from styletransfer.models import StyleJob
from styletransfer.services.work_sitting import Download, Sitting, told_kindly, work
from webapp.errors import UserFacingError
from webapp.jobs.runner import Run

log = structlog.get_logger(__name__)


def paint(run: Run[StyleJob]) -> None:
    """Paint the job's picture; see `work_sitting.work`."""
    with _told_kindly(run.job.cooked):
        work(run, Painting)


class Painting(Sitting[StyleJob, Iterate]):
    """One run's share of a picture."""

    def iterates(self) -> Iterator[Iterate]:
        job, recipe = self.job, self.job.cooked
        runtime.set_threads()
        extractor = runtime.extractor(recipe.extractor, on_progress=Download(self.run))
        self.run.update(
            note="",
            made_with={
                "device": str(extractor.device),
                "extractor": extractor.name,
                "version": extractor.version,
            },
        )
        folder = PictureFolder(job.pk)
        content, style = folder.picture(CONTENT), folder.picture(STYLE)
        if job.checkpoint_path.exists():
            try:
                state = load_checkpoint(job.checkpoint_path, Losses)
                yield from optimise(content, style, extractor, recipe, state=state)
                return
            except CheckpointError as error:
                log.warning("starting anew", reason=str(error))
        yield from optimise(content, style, extractor, recipe)

    def frame(self, iterate: Iterate) -> tuple[dict[str, Any], Pixels]:
        losses = iterate.losses
        header = {
            "width": self.job.width,
            "height": self.job.height,
            "raw": {
                "total": losses.course_total,
                "content": losses.course_content,
                "style": losses.course_style,
            },
            "layers": dict(losses.style_layers),
        }
        return header, iterate.image()

    def keep(self, iterate: Iterate) -> None:
        PictureFolder(self.job.pk).write_result(to_pil(iterate.image()))
        self.run.update(kept_step=iterate.step)

    def save_checkpoint(self, iterate: Iterate) -> None:
        save_checkpoint(self.job.checkpoint_path, iterate.state())


@contextmanager
def _told_kindly(recipe: Recipe) -> Iterator[None]:
    try:
        with told_kindly(
            out_of_memory=f"There is not enough memory to paint at {recipe.size} pixels "
            f"with {recipe.extractor}.",
            needs_less="Choose a smaller size, the extractor “lite”, or the optimiser Adam.",
            rate=recipe.effective_learning_rate,
        ):
            yield
    except PictureError as error:
        raise UserFacingError(
            "too_narrow",
            "One of the two pictures is too narrow to be painted at this size.",
            "Choose a larger size, or a picture that is less of a strip.",
        ) from error
