"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`redis` brings the fixture; tests in a browser are `e2e` and come last, and those of them
    that start the whole of Likeness are `stack`.

    Last, because playwright leaves an event loop running in the main thread, where Django's ORM and
    asyncio's tests then refuse to work.
    """
    for item in items:
        if item.get_closest_marker("redis"):
            item.fixturenames.insert(0, "redis_url")  # type: ignore[attr-defined]
        if "e2e" in item.path.parts:
            item.add_marker("e2e")
            if "Stack" in vars(item.module):  # type: ignore[attr-defined]
                item.add_marker("stack")
    items.sort(key=lambda item: "e2e" in item.path.parts)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Redis for this test process; the settings, Channels and Celery use it."""
    from channels.layers import channel_layers
    from django.conf import settings

    from webapp.celery import app
    from webapp.supervisor.redis_server import throwaway

    with throwaway(tmp_path_factory.mktemp("redis")) as url:
        settings.REDIS_URL = settings.CELERY_BROKER_URL = url
        settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"][0]["address"] = url
        channel_layers.backends.clear()
        app.conf.broker_url = url
        yield url


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of photos and paintings that are not part of the project; skips without it."""
    told = os.environ.get("LIKENESS_TEST_DATA", "")
    if not told or not Path(told).is_dir():
        pytest.skip("needs real photos: LIKENESS_TEST_DATA names no folder")
    return Path(told)
