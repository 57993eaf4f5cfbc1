"""Training images for `lite`: random crops of photos, paintings and drawn patterns, augmented."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn import functional

from styletransfer.core.procedural import STARTERS

HELD_OUT_PHOTOS = 40
HELD_OUT_PAINTING = "the_scream"
_LONGEST = 900


def read_picture(path: Path, longest: int = _LONGEST) -> Tensor:
    """(3, H, W) uint8, its longest side at most `longest`."""
    with Image.open(path) as file:
        picture = file.convert("RGB")
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()


def split(photos: Path, paintings: Path) -> tuple[list[Path], list[Path], list[Path]]:
    """(training photos, held-out photos, training paintings); one painting is held out too."""
    photo_files = sorted(photos.glob("*.jpg"))
    return (
        photo_files[HELD_OUT_PHOTOS:],
        photo_files[:HELD_OUT_PHOTOS],
        [p for p in sorted(paintings.glob("*.jpg")) if p.stem != HELD_OUT_PAINTING],
    )


def draw_patterns(count: int, rng: np.random.Generator, size: int = 256) -> list[Tensor]:
    """Pictures that no camera takes: colour noise, facets, gratings and strokes."""
    makers = (_fractal, _facets, _grating, _strokes)
    return [
        torch.from_numpy(makers[i % len(makers)](rng, size)).permute(2, 0, 1).contiguous()
        for i in range(count)
    ]


def draw_starters(seeds: int, size: int = 400) -> list[Tensor]:
    """The starter styles and scenes in several seeds: what people try first."""
    return [
        torch.from_numpy(np.array(starter.draw(100 + seed, size))).permute(2, 0, 1).contiguous()
        for seed in range(seeds)
        for starter in STARTERS
    ]


def _fractal(rng: np.random.Generator, size: int) -> np.ndarray:
    """Noise with an amplitude of f^-β, each channel a mixture of three fields."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
    frequency[0, 0] = 1.0
    amplitude = frequency ** -rng.uniform(0.3, 2.0)
    amplitude[0, 0] = 0.0
    fields = np.stack(
        [
            np.fft.irfft2(amplitude * np.fft.rfft2(rng.standard_normal((size, size))), (size, size))
            for _ in range(3)
        ],
        -1,
    )
    fields /= fields.std()
    mixed = fields @ rng.normal(0, 0.6, (3, 3))
    if rng.random() < 0.5:
        mixed = np.sin(mixed * rng.uniform(1, 6))
    return _to_uint8(rng.uniform(0.2, 0.8, 3) + rng.uniform(0.1, 0.4) * mixed)


def _facets(rng: np.random.Generator, size: int) -> np.ndarray:
    """Nearest-point cells, some with outlines and shading."""
    points = rng.uniform(0, size, (int(rng.integers(8, 160)), 2))
    rows, columns = np.mgrid[0:size, 0:size]
    distance = np.hypot(rows[..., None] - points[:, 0], columns[..., None] - points[:, 1])
    nearest = np.sort(distance, -1)[..., :2]
    picture = rng.uniform(0, 1, (len(points), 3))[distance.argmin(-1)]
    if rng.random() < 0.5:
        picture *= (nearest[..., 1] - nearest[..., 0] > rng.uniform(1, 4))[..., None]
    if rng.random() < 0.5:
        picture *= 1 - 0.5 * (nearest[..., :1] / nearest.max())
    return _to_uint8(picture)


def _grating(rng: np.random.Generator, size: int) -> np.ndarray:
    """Waves, straight or round, soft or hard, in two colours."""
    rows, columns = np.mgrid[0:size, 0:size].astype(float)
    angle, period = rng.uniform(0, np.pi), np.exp(rng.uniform(np.log(3), np.log(60)))
    phase = rows * np.sin(angle) + columns * np.cos(angle)
    if rng.random() < 0.4:
        phase = np.hypot(rows - rng.uniform(0, size), columns - rng.uniform(0, size))
    phase = phase + rng.uniform(0, 8) * np.sin(rows / rng.uniform(5, 30))
    wave = np.sin(2 * np.pi * phase / period) * rng.choice([0.5, 3.0, 50.0])
    share = np.clip(0.5 + wave / 2, 0, 1)[..., None]
    return _to_uint8(share * rng.uniform(0, 1, 3) + (1 - share) * rng.uniform(0, 1, 3))


def _strokes(rng: np.random.Generator, size: int) -> np.ndarray:
    """Many short lines or dots of a few colours over a ground."""
    palette = rng.integers(0, 256, (int(rng.integers(3, 9)), 3))
    picture = Image.new("RGB", (size, size), tuple(int(v) for v in palette[0]))
    pen = ImageDraw.Draw(picture)
    length, width = rng.uniform(2, 40), int(rng.integers(1, 10))
    angle = rng.uniform(0, np.pi)
    for _ in range(int(rng.integers(150, 1200))):
        x, y = rng.uniform(0, size, 2)
        turn = angle + rng.normal(0, 0.5)
        ends = (x, y, x + length * np.cos(turn), y + length * np.sin(turn))
        ink = np.clip(palette[rng.integers(len(palette))] + rng.normal(0, 15, 3), 0, 255)
        pen.line(ends, fill=tuple(int(v) for v in ink), width=width)
    return np.array(picture)


def _to_uint8(picture: np.ndarray) -> np.ndarray:
    return (np.clip(picture, 0, 1) * 255).round().astype(np.uint8)


class Sampler:
    """Draws augmented square crops; all randomness is one generator's, so it can be resumed."""

    def __init__(
        self, sources: list[tuple[float, list[Tensor]]], side: int, rng: np.random.Generator
    ) -> None:
        """sources: (share of the draws, pictures) pairs."""
        shares = np.array([share for share, _ in sources])
        self._shares = shares / shares.sum()
        self._groups = [pictures for _, pictures in sources]
        self._side = side
        self.rng = rng

    def batch(self, n: int, group: int | None = None) -> Tensor:
        """(n, 3, side, side) in [0, 1]."""
        return torch.stack([self._one(group) for _ in range(n)])

    def _one(self, group: int | None) -> Tensor:
        rng = self.rng
        if group is None:
            group = int(rng.choice(len(self._groups), p=self._shares))
        pictures = self._groups[group]
        picture = pictures[int(rng.integers(len(pictures)))]
        height, width = picture.shape[1:]
        largest = min(height, width, 2.5 * self._side)
        extent = int(np.exp(rng.uniform(np.log(0.7 * self._side), np.log(largest))))
        top, left = int(rng.integers(height - extent + 1)), int(rng.integers(width - extent + 1))
        crop = picture[:, top : top + extent, left : left + extent].float().div(255)
        crop = functional.interpolate(
            crop[None], (self._side, self._side), mode="bilinear", antialias=True
        )[0].clamp(0, 1)
        return self._augment(crop)

    def _augment(self, crop: Tensor) -> Tensor:
        rng = self.rng
        if rng.random() < 0.5:
            crop = crop.flip(2)
        if rng.random() < 0.2:
            crop = crop.rot90(1, (1, 2))
        if rng.random() < 0.25:
            crop = crop[torch.from_numpy(rng.permutation(3))]
        if rng.random() < 0.05:
            crop = 1 - crop
        if rng.random() < 0.4:
            gain = torch.from_numpy(rng.uniform(0.6, 1.4, (3, 1, 1))).float()
            crop = (crop.pow(float(rng.uniform(0.6, 1.6))) * gain).clamp(0, 1)
        if rng.random() < 0.2:
            noise = torch.from_numpy(rng.standard_normal(crop.shape)).float()
            crop = crop + float(rng.uniform(0.01, 0.15)) * noise
        return crop
