"""What a camera does to the light that reaches it, in its order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.simulator.people import Floats


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """A webcam's ways.

    blur: sigma of lens and focus, pixels. shutter: seconds. read, shot: noise, as shares of full
    scale: variance is read^2 + shot^2 x light. balance: gains of red and blue. sharpen: weight of
    the unsharp mask. exposure: mean of the encoded picture that it aims at. hunting: how far it
    misses that, slowly. rows: seconds from the first row to the last (rolling shutter). quality:
    of the JPEG, in [0, 1].
    """

    blur: float = 0.7
    shutter: float = 1 / 60
    read: float = 0.004
    shot: float = 0.012
    balance: tuple[float, float] = (1.0, 1.0)
    sharpen: float = 0.4
    exposure: float = 0.42
    hunting: float = 0.02
    vignette: float = 0.15
    rows: float = 1 / 40
    quality: float = 0.8


class Camera:
    """Makes pictures of light; remembers its exposure. Deterministic by its seed."""

    def __init__(self, settings: CameraSettings, seed: int) -> None:
        self.settings = settings
        self._rng = np.random.default_rng([seed, 90])
        self._gain: float | None = None
        self._phase = self._rng.uniform(0, 6.28)

    def take(self, light: Floats, t: float) -> NDArray[np.uint8]:
        """Linear light (H, W, 3) of any scale -> a picture uint8 RGB."""
        s = self.settings
        mean = float(light[::8, ::8].mean(2).mean())
        wanted = s.exposure**2.2 / max(mean, 1e-6)
        # The exposure follows slowly, as cameras' do.
        self._gain = wanted if self._gain is None else self._gain + 0.12 * (wanted - self._gain)
        gain = self._gain * (1 + s.hunting * np.sin(0.9 * t + self._phase))
        colour = np.array([s.balance[0], 1.0, s.balance[1]], np.float32) * np.float32(gain)
        x = light * colour
        x *= _vignette(*light.shape[:2], s.vignette)[..., None]
        x = cv2.GaussianBlur(x, (0, 0), s.blur)
        x += np.sqrt(s.read**2 + s.shot**2 * np.maximum(x, 0)) * self._noise(x.shape)
        encoded = srgb(x)
        if s.sharpen:
            soft = cv2.GaussianBlur(encoded, (0, 0), 1.2)
            encoded = cv2.addWeighted(encoded, 1 + s.sharpen, soft, -s.sharpen, 0)
        return encoded

    def _noise(self, shape: tuple[int, ...]) -> Floats:
        pool, size = _noise_pool(), int(np.prod(shape))
        start = int(self._rng.integers(0, len(pool) - size))
        return pool[start : start + size].reshape(shape)


@lru_cache(maxsize=1)
def _noise_pool() -> Floats:
    return np.random.default_rng(91).standard_normal(4_000_000, np.float32)


@lru_cache(maxsize=8)
def _vignette(height: int, width: int, strength: float) -> Floats:
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return (1 - strength * (x * x + y * y) / 2).astype(np.float32)


_LEVELS = 4096


@lru_cache(maxsize=1)
def _curve() -> NDArray[np.uint8]:
    x = np.linspace(0, 1, _LEVELS)
    y = np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
    return np.round(255 * y).astype(np.uint8)


def srgb(light: Floats) -> NDArray[np.uint8]:
    """Linear light in [0, 1] -> sRGB bytes (IEC 61966-2-1); more clips."""
    levels = np.clip(light * np.float32(_LEVELS - 1), 0, _LEVELS - 1).astype(np.uint16)
    return _curve()[levels]


@lru_cache(maxsize=1)
def _inverse() -> Floats:
    y = np.arange(256) / 255
    return np.where(y <= 0.04045, y / 12.92, ((y + 0.055) / 1.055) ** 2.4).astype(np.float32)


def linear(picture: NDArray[np.uint8]) -> Floats:
    """sRGB bytes -> linear light in [0, 1]."""
    return _inverse()[picture]


def jpeg(picture: NDArray[np.uint8], quality: float) -> bytes:
    """As a canvas of the browser encodes it. quality in [0, 1]."""
    options = [cv2.IMWRITE_JPEG_QUALITY, round(100 * quality)]
    return cv2.imencode(".jpg", picture[..., ::-1], options)[1].tobytes()


def from_jpeg(data: bytes) -> NDArray[np.uint8]:
    return np.ascontiguousarray(
        cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    )
