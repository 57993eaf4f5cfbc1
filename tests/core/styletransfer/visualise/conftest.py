"""The networks that are looked into, and a few pictures for them."""

from __future__ import annotations

import pytest
from PIL import Image

from styletransfer.core.procedural import STARTERS
from styletransfer.core.visualise.networks import SeenNetwork, build_network


@pytest.fixture(scope="session")
def seen(lite) -> SeenNetwork:
    """lite."""
    return build_network(lite)


@pytest.fixture(scope="session")
def corpus() -> list[tuple[str, Image.Image]]:
    """Twenty pieces of the drawn pictures, of three sizes."""
    pieces = []
    for starter in STARTERS:
        picture = starter.render(160)
        pieces.append((starter.slug, picture.resize((120, 90))))
        pieces.append((f"{starter.slug}-piece", picture.crop((20, 30, 116, 110))))
    return pieces
