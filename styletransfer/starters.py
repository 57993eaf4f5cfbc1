"""Pictures to start with: the project draws them itself, and they are shipped as static files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from django.contrib.staticfiles import finders
from django.templatetags.static import static

from styletransfer.core.procedural import STARTERS


@dataclass(frozen=True)
class StarterPicture:
    """One of them: its name in forms, its title, its file."""

    name: str
    title: str
    path: Path

    @property
    def url(self) -> str:
        return static(f"starters/{self.path.name}")


@cache
def starters(kind: Literal["style", "content"]) -> tuple[StarterPicture, ...]:
    """All of a kind that are there."""
    found = ((s, finders.find(f"starters/{s.slug}.jpg")) for s in STARTERS if s.kind == kind)
    return tuple(StarterPicture(s.slug, s.title, Path(path)) for s, path in found if path)


def starter(kind: Literal["style", "content"], name: str) -> StarterPicture | None:
    """The one of this name."""
    return next((s for s in starters(kind) if s.name == name), None)
