"""Kept crops: sealed so that the database alone gives no face away."""

from __future__ import annotations

import base64
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.exceptions import ImproperlyConfigured

from facerec.crops import CropUnreadable, seal, unseal
from webapp.secret_file import kept_secret


@pytest.fixture
def chip() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (150, 150, 3), np.uint8)


@pytest.fixture(autouse=True)
def key(settings: Any) -> None:
    settings.CROPS_KEY = base64.b64encode(bytes(range(32))).decode()


def test_a_crop_comes_back_pixel_by_pixel(chip: np.ndarray) -> None:
    np.testing.assert_array_equal(unseal(memoryview(seal(chip))), chip)


def test_what_is_stored_is_no_picture_and_never_the_same_twice(chip: np.ndarray) -> None:
    first, second = seal(np.zeros_like(chip)), seal(np.zeros_like(chip))
    assert b"PNG" not in first
    assert b"IHDR" not in first
    assert first[:12] != second[:12]
    assert first[12:] != second[12:]


def test_a_changed_crop_is_refused(chip: np.ndarray) -> None:
    sealed = bytearray(seal(chip))
    sealed[100] ^= 1
    for spoilt in (bytes(sealed), b"", seal(chip)[:20]):
        with pytest.raises(CropUnreadable):
            unseal(spoilt)


def test_another_key_opens_nothing(chip: np.ndarray, settings: Any) -> None:
    sealed = seal(chip)
    settings.CROPS_KEY = base64.b64encode(bytes(32)).decode()
    with pytest.raises(CropUnreadable):
        unseal(sealed)


@pytest.mark.parametrize("text", ["too short", base64.b64encode(bytes(16)).decode()])
def test_a_key_that_is_none_is_named(chip: np.ndarray, settings: Any, text: str) -> None:
    settings.CROPS_KEY = text
    with pytest.raises(ImproperlyConfigured, match="CROPS_KEY"):
        seal(chip)


def test_without_a_key_one_is_made_and_kept(
    chip: np.ndarray, settings: Any, tmp_path: Path
) -> None:
    settings.CROPS_KEY, settings.DATA_DIR = "", tmp_path
    np.testing.assert_array_equal(unseal(seal(chip)), chip)
    assert stat.S_IMODE((tmp_path / "crops_key").stat().st_mode) == 0o600
    assert kept_secret(tmp_path / "crops_key", lambda: "another") != "another"
