"""Small pictures and painters for tests."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from styletransfer.core.types import Recipe
from styletransfer.models import StyleJob
from webapp.accounts.models import User
from webapp.accounts.roles import Role
from webapp.accounts.services import create_user


def photo(seed: int = 0, size: tuple[int, int] = (96, 64)) -> Image.Image:
    """A smooth picture with a few forms in it, different for every seed."""
    rng = np.random.default_rng(seed)
    width, height = size
    y, x = np.mgrid[0:height, 0:width] / max(size)
    channels = [
        0.5 + 0.4 * np.sin(rng.uniform(3, 14) * x + rng.uniform(3, 14) * y + rng.uniform(0, 6))
        for _ in range(3)
    ]
    return Image.fromarray((np.stack(channels, -1) * 255).astype(np.uint8))


def image_bytes(image: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def make_painter(name: str = "vera", role: Role = Role.PAINTER) -> User:
    return create_user(username=name, password="correct horse staple", role=role)


def make_row(owner: User, **fields: Any) -> StyleJob:
    """A job's row alone, without pictures and not sent anywhere."""
    recipe = Recipe(size=128, steps=10)
    defaults: dict[str, Any] = {
        "title": "Harbour, as Waves",
        "recipe": recipe.to_dict(),
        "steps": recipe.steps,
        "width": 128,
        "height": 85,
    }
    return StyleJob.objects.create(owner=owner, **{**defaults, **fields})
