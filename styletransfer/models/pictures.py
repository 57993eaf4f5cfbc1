"""A painting: what was asked for, how far it is, and what it cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse

from styletransfer.core.types import Recipe
from webapp.accounts.models import Scope
from webapp.jobs.models import Job


class StyleJob(Job):
    """One picture to paint. Its files lie in a folder of its own; see `styletransfer.files`."""

    task = "styletransfer.tasks.paint"
    scope = Scope.PAINT
    queue = "style"

    title = models.CharField(max_length=120)
    recipe = models.JSONField(help_text="`Recipe.to_dict()`")
    width = models.PositiveIntegerField(help_text="of the picture to be, pixels")
    height = models.PositiveIntegerField()
    step = models.PositiveIntegerField(default=0)
    steps = models.PositiveIntegerField()
    losses = models.JSONField(null=True, help_text="`Losses.to_dict()` at `step`")
    curve = models.BinaryField(
        default=b"", help_text="float32 rows (total, content, style); row i is step i"
    )
    seconds = models.FloatField(default=0, help_text="spent painting, over all runs")
    seconds_left = models.FloatField(null=True)
    note = models.CharField(
        max_length=200, blank=True, help_text="what it does while it does not paint yet"
    )
    made_with = models.JSONField(
        default=dict, help_text="device, extractor and the extractor's checksum"
    )
    kept_step = models.PositiveIntegerField(
        null=True, help_text="the step of the stored picture; null: none is stored yet"
    )

    class Meta:
        ordering = ["-created"]
        indexes = [models.Index(fields=["owner", "-created"])]
        verbose_name = "picture"

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("styletransfer:job", args=[self.pk])

    @property
    def cooked(self) -> Recipe:
        """The recipe as the core has it."""
        return Recipe.from_dict(self.recipe)

    @property
    def has_picture(self) -> bool:
        """Whether a picture is stored: the result, or how far it came."""
        return self.kept_step is not None

    @property
    def checkpoint_path(self) -> Path:
        """Where the worker keeps what it needs to go on."""
        return Path(settings.CHECKPOINT_DIR) / f"{self.pk}.safetensors"

    def as_event(self) -> dict[str, Any]:
        losses = self.losses and {k: self.losses[k] for k in ("total", "content", "style")}
        finished = self.is_final and self.has_picture
        return {
            **super().as_event(),
            "step": self.step,
            "steps": self.steps,
            "losses": losses,
            "seconds_left": self.seconds_left,
            "note": self.note,
            "width": self.width,
            "height": self.height,
            "result_url": reverse("styletransfer:result", args=[self.pk]) if finished else None,
        }
