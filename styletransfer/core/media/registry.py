"""What each medium can do, by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

from styletransfer.core.media.types import NAMES, Medium, Pixels


@dataclass(frozen=True)
class Starter:
    """An example to begin with, made by a formula. make: () → the medium."""

    name: str
    title: str
    make: Callable[[], Medium]


def read(medium: str, data: bytes, name: str) -> Medium:
    """A file’s bytes as the medium; `name` is the file’s, whose ending may help.

    Raises MediumError.
    """
    return cast(Medium, _files(medium).read(data, name))


def reads(medium: str) -> Mapping[str, str]:
    """The endings that `read` takes, each with its format's name: {".wav": "WAV", …}."""
    return cast(Mapping[str, str], _files(medium).READS)


def deliver(medium: Medium) -> dict[str, bytes]:
    """The files to download, by name; the best first."""
    return cast(dict[str, bytes], _files(NAMES[type(medium)]).deliver(medium))


def exhibit(medium: Medium) -> dict[str, bytes]:
    """What a page shows, plays or turns, by file name (see each medium's `exhibit.py`)."""
    return cast(dict[str, bytes], _exhibits(NAMES[type(medium)]).exhibit(medium))


def picture(medium: Medium) -> Pixels:
    """One picture that stands for it: in the gallery, and on the wall while it is made."""
    return cast(Pixels, _exhibits(NAMES[type(medium)]).picture(medium))


def starters(medium: str) -> tuple[Starter, ...]:
    """Examples of a medium."""
    module = import_module(f"styletransfer.core.media.{medium}.starters")
    return cast(tuple[Starter, ...], module.STARTERS)


def _files(medium: str) -> Any:
    return import_module(f"styletransfer.core.media.{medium}.files")


def _exhibits(medium: str) -> Any:
    return import_module(f"styletransfer.core.media.{medium}.exhibit")
