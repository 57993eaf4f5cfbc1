"""Jobs before a real Redis, run in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from styletransfer.models import StyleJob
from tests.pictures import make_painter, make_row
from webapp.accounts.models import User
from webapp.jobs.redis import client
from webapp.jobs.runner import shutting_down


@pytest.fixture
def painter(transactional_db: None, redis_url: str) -> Iterator[User]:
    client().flushall()
    yield make_painter()
    shutting_down.clear()


@pytest.fixture
def job(painter: User) -> StyleJob:
    return make_row(painter)
