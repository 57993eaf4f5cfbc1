"""The shipped models, loaded once; portraits of people who do not exist; real photos if given."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest
import torch
from PIL import Image

from facerec.core.encoder import Encoder
from facerec.core.pipeline import FacePipeline
from tests.faces import draw_face


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return Encoder()


@pytest.fixture(scope="session")
def pipeline() -> FacePipeline:
    return FacePipeline.build()


@cache
def portrait(seed: int, variation: int = 0) -> Image.Image:
    """`draw_face`, drawn once for all tests."""
    return draw_face(seed, variation)


@cache
def small_portrait(seed: int, variation: int = 0) -> Image.Image:
    """The same at half its size, which draws four times as fast."""
    return draw_face(seed, variation, (240, 300))


@pytest.fixture(scope="session")
def real_faces() -> Path:
    """The folder of real photos, which no test may need."""
    root = os.environ.get("LIKENESS_TEST_DATA")
    folder = Path(root or "") / "faces"
    if not root or not folder.is_dir():
        pytest.skip("LIKENESS_TEST_DATA names no folder with faces/")
    return folder
