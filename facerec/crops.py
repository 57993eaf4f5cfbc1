"""Aligned faces sealed for the disk: AES-256 in Galois counter mode, so that a crop can neither be
read nor changed without the key.

The key is `CROPS_KEY` (32 bytes in base64), else one made once in `DATA_DIR/crops_key`. Whoever has
both the database and the key has the faces: keep their backups apart.
"""

from __future__ import annotations

import base64
import binascii
import io
import os
import secrets
from typing import cast

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from numpy.typing import NDArray
from PIL import Image

from webapp.secret_file import kept_secret

Chip = NDArray[np.uint8]

_NONCE = 12  # bytes, drawn anew for each crop (NIST SP 800-38D, 8.2.2)
_PURPOSE = b"likeness-crop-1"  # sealed with it: nothing else's ciphertext passes for a crop


class CropUnreadable(Exception):  # noqa: N818
    """The crop was sealed with another key, or was changed."""


def seal(chip: Chip) -> bytes:
    """An aligned face, uint8 RGB (S, S, 3), as bytes for the database; every pixel is kept.

    Raises:
        ImproperlyConfigured: CROPS_KEY is no key.
    """
    buffer = io.BytesIO()
    Image.fromarray(chip).save(buffer, "PNG")
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(_key()).encrypt(nonce, buffer.getvalue(), _PURPOSE)


def unseal(sealed: bytes | memoryview) -> Chip:
    """The face that `seal` was given. Raises CropUnreadable, ImproperlyConfigured."""
    data = bytes(sealed)
    try:
        png = AESGCM(_key()).decrypt(data[:_NONCE], data[_NONCE:], _PURPOSE)
    except (InvalidTag, ValueError) as error:
        raise CropUnreadable from error
    return cast(Chip, np.asarray(Image.open(io.BytesIO(png), formats=("PNG",))))


def _key() -> bytes:
    text = settings.CROPS_KEY or kept_secret(
        settings.DATA_DIR / "crops_key", lambda: base64.b64encode(secrets.token_bytes(32)).decode()
    )
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != 32:
        raise ImproperlyConfigured("CROPS_KEY must be 32 bytes in base64")
    return key
