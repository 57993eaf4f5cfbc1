"""Small pictures and the embedded extractor, in full precision, on one thread."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from PIL import Image

from styletransfer.core.features import NetworkExtractor, build_extractor


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def lite() -> NetworkExtractor:
    return build_extractor("lite", bf16=False)


@pytest.fixture(scope="session")
def content() -> Image.Image:
    """A disc before a gradient, 96 × 64."""
    y, x = np.mgrid[0:64, 0:96]
    disc = np.hypot(x - 40, y - 30) < 18
    picture = np.stack([x * 2.5, y * 3.5, np.where(disc, 220, 60)], -1)
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="session")
def style() -> Image.Image:
    """Warm and dark diagonal stripes, 80 × 80."""
    y, x = np.mgrid[0:80, 0:80]
    share = (np.sin((x + y) / 2.5) > 0)[..., None]
    picture = np.where(share, [230, 160, 40], [40, 30, 70])
    return Image.fromarray(picture.astype(np.uint8))
