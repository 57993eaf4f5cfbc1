"""The worker's side of a piece: make it, show every step, keep some to hear, turn or play."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from PIL import Image

from styletransfer import runtime
from styletransfer.core.errors import CheckpointError
from styletransfer.core.features import Extractor
from styletransfer.core.media.types import Clip, Medium, MediumError, Pixels, Signal, Sound
from styletransfer.core.pieces import PieceRecipe
from styletransfer.core.synthesis.compose import compose
from styletransfer.core.synthesis.state_file import load_piece, save_piece
from styletransfer.core.synthesis.types import PieceIterate, PieceState, Tools
from styletransfer.models import Piece
from styletransfer.piece_files import PieceFolder
from styletransfer.services.work_sitting import Download, Sitting, told_kindly, work
from styletransfer.streaming import FramePublisher
from webapp.errors import UserFacingError
from webapp.jobs.runner import Run

log = structlog.get_logger(__name__)

MOMENTS = 12  # steps that are kept, at most
PICTURE_SHARE = 0.2  # of the time, at most, goes into drawing frames


def make_piece(run: Run[Piece]) -> None:
    """Make the piece; see `work_sitting.work`."""
    with _told_kindly(run.job.cooked):
        work(run, Making)


def moments_of(steps: int) -> frozenset[int]:
    """The steps that are kept: the start, the end, and evenly between them."""
    return frozenset(round(i * steps / (MOMENTS - 1)) for i in range(MOMENTS))


class Making(Sitting[Piece, PieceIterate]):
    """One run's share of a piece."""

    def __init__(self, run: Run[Piece], frames: FramePublisher) -> None:
        super().__init__(run, frames)
        self.folder = PieceFolder(self.job.pk)
        self.planned = moments_of(self.job.steps)
        self.drawn = 0.0  # when the last frame's picture was
        self.drawing = 0.0  # seconds that it took

    def iterates(self) -> Iterator[PieceIterate]:
        job, recipe = self.job, self.job.cooked
        runtime.set_threads()
        inputs = {name: self.folder.read_input(name) for name in recipe.kind.inputs}
        if not job.moments:
            for name, given in inputs.items():
                self.folder.exhibit_input(name, given)
        tools = Tools(runtime.device(), self._extractor)
        state = self._state()
        if state is not None:
            try:
                yield from compose(inputs, recipe, tools, state)
                return
            except CheckpointError as error:
                log.warning("starting anew", reason=str(error))
        yield from compose(inputs, recipe, tools)

    def _extractor(self, name: str) -> Extractor:
        found: Extractor = runtime.extractor(name, on_progress=Download(self.run))
        return found

    def _state(self) -> PieceState | None:
        if not self.job.checkpoint_path.exists():
            return None
        try:
            return load_piece(self.job.checkpoint_path)
        except CheckpointError as error:
            log.warning("starting anew", reason=str(error))
            return None

    def saw(self, iterate: PieceIterate) -> None:
        if not self.job.made_with:
            self._began(iterate)
        super().saw(iterate)
        if iterate.step in self.planned and iterate.step < iterate.steps:
            self._keep_moment(iterate, iterate.result())
            self.rested()

    def due(self, now: float) -> bool:
        """A picture costs more than a step may, so that it waits its turn."""
        return super().due(now) and now - self.drawn >= self.drawing / PICTURE_SHARE

    def frame(self, iterate: PieceIterate) -> tuple[dict[str, Any], Pixels]:
        began = time.monotonic()
        pixels = iterate.picture()
        header = {
            **iterate.header(),
            "width": pixels.shape[1],
            "height": pixels.shape[0],
            "layers": dict(iterate.losses.layers),
            "moments": self.job.moments,
        }
        self.drawn = time.monotonic()
        self.drawing = self.drawn - began
        return header, pixels

    def keep(self, iterate: PieceIterate) -> None:
        result = iterate.result()
        self._keep_moment(iterate, result)
        self.folder.write_thumb(Image.fromarray(iterate.picture()))
        files = self.folder.write_result(result)
        figures = [figure.to_dict() for figure in iterate.figures()]
        self.run.update(files=files, figures=figures)

    def save_checkpoint(self, iterate: PieceIterate) -> None:
        save_piece(self.job.checkpoint_path, iterate.state())

    def _began(self, iterate: PieceIterate) -> None:
        """What is known once the first iterate is there."""
        height, width = iterate.picture().shape[:2]
        self.run.update(
            note="",
            made_with={"device": str(runtime.device()), "filters": dict(iterate.filters())},
            width=width,
            height=height,
            extent=extent_of(iterate.result()),
        )

    def _keep_moment(self, iterate: PieceIterate, result: Medium) -> None:
        """Keep this step; of the others those that were planned, and come before it."""
        step = iterate.step
        self.folder.write_moment(step, result, iterate.picture())
        kept = [m for m in self.job.moments if m in self.planned and m < step]
        for gone in set(self.job.moments) - {*kept, step}:
            self.folder.forget_moment(gone)
        self.run.update(moments=[*kept, step])
        self.run.publish()


def extent_of(medium: Medium) -> dict[str, Any]:
    """How large a medium is: {seconds, rate, channels} | {frames, width, height, fps} | {shape,
    channels, spacing}."""
    if isinstance(medium, Sound):
        return {"seconds": round(medium.seconds, 3), "rate": medium.rate, "channels": 1}
    if isinstance(medium, Signal):
        channels = len(medium.names)
        return {"seconds": round(medium.seconds, 3), "rate": medium.rate, "channels": channels}
    if isinstance(medium, Clip):
        frames, height, width = medium.frames.shape[:3]
        return {"frames": frames, "width": width, "height": height, "fps": medium.fps}
    channels, *shape = medium.values.shape
    return {"shape": shape, "channels": channels, "spacing": list(medium.spacing)}


@contextmanager
def _told_kindly(recipe: PieceRecipe) -> Iterator[None]:
    try:
        with told_kindly(
            out_of_memory=f"There is not enough memory for a {recipe.medium} of this size.",
            needs_less="Choose a smaller or shorter one, or the optimiser Adam.",
            rate=recipe.effective_learning_rate,
        ):
            yield
    except MediumError as error:
        raise UserFacingError(error.code, error.message, error.hint) from error
