"""A painter, a way to start a painting, and a way to run one in this process."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings

from styletransfer.core.types import Recipe
from styletransfer.models import Piece, StyleJob
from styletransfer.services.pictures import start_job
from styletransfer.services.pieces import start_piece
from tests.pictures import make_painter, photo
from tests.pieces import beats, recipe
from webapp.accounts.models import User
from webapp.jobs.redis import client
from webapp.jobs.runner import run_job, shutting_down

Start = Callable[..., StyleJob]
Begin = Callable[..., Piece]


@pytest.fixture
def painter(transactional_db: None, redis_url: str) -> Iterator[User]:
    client().flushall()
    yield make_painter()
    shutting_down.clear()
    for folder in (settings.MEDIA_ROOT, settings.CHECKPOINT_DIR, settings.STAGING_DIR):
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.fixture
def start(painter: User) -> Start:
    """`start(steps=3, …)`: a small painting of the painter's, sent to its queue."""

    def start(owner: User = painter, title: str = "Harbour, as Waves", **recipe: Any) -> StyleJob:
        return start_job(
            owner=owner,
            content=photo(1),
            style=photo(2, (64, 80)),
            recipe=Recipe(**{"size": 128, "steps": 3, **recipe}),
            title=title,
        )

    return start


@pytest.fixture
def begin(painter: User) -> Begin:
    """`begin(steps=3, …)`: a small signal of the painter's, sent to its queue."""

    def begin(owner: User = painter, title: str = "", **entries: Any) -> Piece:
        return start_piece(
            owner=owner,
            recipe=recipe(**entries),
            inputs={"style": beats()},
            called={"style": "Heartbeat"},
            title=title,
        )

    return begin


def make(piece: Piece) -> Piece:
    """What the style worker does with the piece's message."""
    from styletransfer.services.work_pieces import make_piece

    run_job(Piece, str(piece.pk), make_piece)
    piece.refresh_from_db()
    return piece


def run(job: StyleJob) -> StyleJob:
    """What the style worker does with the job's message."""
    from styletransfer.services.work_painting import paint

    run_job(StyleJob, str(job.pk), paint)
    job.refresh_from_db()
    return job
