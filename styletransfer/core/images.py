"""Between PIL images (sRGB, 8 bits), tensors (RGB in [0, 1]) and JPEG bytes."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

Pixels = npt.NDArray[np.uint8]
"""(H, W, 3) RGB."""

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as JPEG and PIL have it


def resize(image: Image.Image, longest_side: int) -> Image.Image:
    """The image in RGB, scaled with antialiasing so that its longest side is longest_side."""
    scale = longest_side / max(image.size)
    width, height = (max(1, round(extent * scale)) for extent in image.size)
    rgb = image.convert("RGB")
    if (width, height) == rgb.size:
        return rgb
    return rgb.resize((width, height), Image.Resampling.LANCZOS)


def to_tensor(image: Image.Image, device: torch.device | str = "cpu") -> Tensor:
    """(1, 3, H, W) float32 in [0, 1]."""
    pixels = torch.from_numpy(np.array(image.convert("RGB")))
    return pixels.to(device).permute(2, 0, 1)[None].float().div(255).contiguous()


def to_pixels(image: Tensor) -> Pixels:
    """(1, 3, H, W) or (3, H, W) RGB to (H, W, 3) uint8; values outside [0, 1] are clipped."""
    chw = image.detach().reshape(image.shape[-3:])
    scaled = chw.clamp(0, 1).mul(255).round().to(torch.uint8)
    return scaled.permute(1, 2, 0).contiguous().cpu().numpy()


def to_pil(pixels: Pixels) -> Image.Image:
    """The same picture as a PIL image."""
    return Image.fromarray(pixels)


def to_jpeg(pixels: Pixels, quality: int = 85) -> bytes:
    """A baseline JPEG with 4:2:0 chroma and without metadata: the fast path for frames."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def luma(image: Tensor) -> Tensor:
    """(N, 1, H, W), the lightness of (N, 3, H, W): Y' of ITU-R BT.601."""
    weights = image.new_tensor(_LUMA).view(1, 3, 1, 1)
    return (image * weights).sum(1, keepdim=True)
