"""A mining: one pass over a corpus of pictures, for what excites each unit of a network most."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse

from webapp.accounts.models import Scope
from webapp.jobs.counted import CountedJob


class Corpus(models.TextChoices):
    """Where the pictures come from."""

    HOUSE = "house", "the house’s own pictures"
    GALLERY = "gallery", "your gallery"
    ARCHIVE = "archive", "your pictures"


class Mining(CountedJob):
    """Its findings lie in a folder of its own; see `styletransfer.mining_files`.

    What was found in the house's own pictures is nobody's secret and everybody may see it; a
    mining of a gallery or an archive is its owner's alone.
    """

    task = "styletransfer.tasks.mine"
    scope = Scope.PAINT
    queue = "long"

    network = models.CharField(max_length=20, help_text="`lite`, `vgg19` or `face`")
    version = models.CharField(max_length=64, blank=True, help_text="SHA-256 of its weights")
    corpus = models.CharField(max_length=10, choices=Corpus.choices)
    archive = models.UUIDField(null=True, editable=False)
    source = models.CharField(max_length=500, blank=True, help_text="as its sender called it")
    unreadable = models.PositiveIntegerField(default=0)
    note = models.CharField(max_length=200, blank=True)
    found = models.BooleanField(default=False, help_text="whether there is something to look at")

    class Meta:
        ordering = ["-created"]
        indexes = [models.Index(fields=["network", "corpus", "-created"])]

    def __str__(self) -> str:
        return f"{self.network} in {self.get_corpus_display()}"

    def get_absolute_url(self) -> str:
        return f"{reverse('styletransfer:see', args=[self.network])}?in={self.pk}"

    def visible_to(self, user: Any) -> bool:
        shared = self.corpus == Corpus.HOUSE and user.is_authenticated
        return bool(shared or super().visible_to(user))

    @property
    def checkpoint_path(self) -> Path:
        """Where the worker keeps what it needs to go on."""
        return Path(settings.CHECKPOINT_DIR) / f"{self.pk}.safetensors"

    def as_event(self) -> dict[str, Any]:
        left = self.time_left
        return {
            **super().as_event(),
            "network": self.network,
            "corpus": self.corpus,
            "done": self.done,
            "total": self.total,
            "unreadable": self.unreadable,
            "rate": round(self.rate, 2),
            "seconds_left": None if left is None else round(left.total_seconds()),
            "found": self.found,
            "note": self.note,
        }
