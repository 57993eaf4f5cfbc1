"""A piece: a sound, a signal, a volume or a clip that is made as a picture is painted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse

from styletransfer.core.pieces import PieceRecipe
from webapp.accounts.models import Scope
from webapp.jobs.models import Job


class Piece(Job):
    """One of them. Its files lie in a folder of its own; see `styletransfer.piece_files`."""

    task = "styletransfer.tasks.make_piece"
    scope = Scope.PAINT
    queue = "style"

    class Medium(models.TextChoices):
        SOUND = "sound"
        SIGNAL = "signal"
        VOLUME = "volume"
        CLIP = "clip"

    title = models.CharField(max_length=120)
    medium = models.CharField(max_length=10, choices=Medium.choices)
    recipe = models.JSONField(help_text="`PieceRecipe.to_dict()`")
    called = models.JSONField(default=dict, help_text="what each input is called")
    notes = models.JSONField(
        default=dict, help_text="what was left out of an input’s file while it was read"
    )
    extent = models.JSONField(
        default=dict, help_text="what is made: {seconds, rate} | {shape} | {frames, width, height}"
    )
    width = models.PositiveIntegerField(help_text="of the picture that stands for it, pixels")
    height = models.PositiveIntegerField()
    step = models.PositiveIntegerField(default=0)
    steps = models.PositiveIntegerField()
    losses = models.JSONField(null=True, help_text="`PieceLosses.to_dict()` at `step`")
    curve = models.BinaryField(
        default=b"", help_text="float32 rows (total, content, style); row i is step i"
    )
    moments = models.JSONField(
        default=list, help_text="steps whose sound, slices or clip are kept, rising"
    )
    files = models.JSONField(
        default=list, help_text="names of the files to download, the best first"
    )
    figures = models.JSONField(
        default=list, help_text="held-out statistics of the result: `Figure.to_dict()` each"
    )
    seconds = models.FloatField(default=0, help_text="spent on it, over all runs")
    seconds_left = models.FloatField(null=True)
    note = models.CharField(
        max_length=200, blank=True, help_text="what it does while no step is made yet"
    )
    made_with = models.JSONField(
        default=dict, help_text="device, filters and the filters' checksum or seed"
    )

    class Meta:
        ordering = ["-created"]
        indexes = [models.Index(fields=["owner", "-created"])]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("styletransfer:piece", args=[self.pk])

    @property
    def cooked(self) -> PieceRecipe:
        """The recipe as the core has it."""
        return PieceRecipe.from_dict(self.recipe)

    @property
    def goal(self) -> str:
        """What it shall be; see `core.pieces.KINDS`."""
        return str(self.recipe["goal"])

    @property
    def kept_step(self) -> int | None:
        """The step of the newest moment; None: none is kept yet."""
        return self.moments[-1] if self.moments else None

    @property
    def checkpoint_path(self) -> Path:
        """Where the worker keeps what it needs to go on."""
        return Path(settings.CHECKPOINT_DIR) / f"{self.pk}.safetensors"

    def as_event(self) -> dict[str, Any]:
        losses = self.losses and {k: self.losses[k] for k in ("total", "content", "style")}
        finished = self.is_final and self.files
        return {
            **super().as_event(),
            "medium": self.medium,
            "goal": self.goal,
            "step": self.step,
            "steps": self.steps,
            "losses": losses,
            "moments": self.moments,
            "figures": self.figures,
            "seconds_left": self.seconds_left,
            "note": self.note,
            "width": self.width,
            "height": self.height,
            "result_url": reverse("styletransfer:piece_result", args=[self.pk, self.files[0]])
            if finished
            else None,
        }
