"""Small signals, and files of them, for tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from styletransfer.core.media.types import Signal
from styletransfer.core.pieces import PieceRecipe
from styletransfer.models import Piece
from webapp.accounts.models import User


def beats(seconds: float = 4.0, rate: float = 128.0, seed: int = 0) -> Signal:
    """Narrow peaks, about one a second, over a little noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    values = np.exp(-(((t % 0.9) - 0.3) ** 2) / 0.001) + 0.05 * rng.normal(size=t.size)
    return Signal(values[None].astype(np.float32), rate, ("ECG",), ("mV",))


def csv_of(signal: Signal) -> bytes:
    """The signal as a CSV with a time column."""
    times = np.arange(signal.values.shape[-1]) / signal.rate
    rows = zip(times, *signal.values, strict=True)
    lines = [",".join(["time", *signal.names]), *(",".join(f"{v:.6f}" for v in r) for r in rows)]
    return "\n".join(lines).encode()


def recipe(**entries: Any) -> PieceRecipe:
    """A signal's texture of two seconds; or what the entries say."""
    small = {"medium": "signal", "goal": "texture", "seconds": 2, "steps": 3}
    return PieceRecipe.from_dict(small | entries)


def make_piece_row(owner: User, **fields: Any) -> Piece:
    """A piece's row alone, without files and not sent anywhere."""
    asked = recipe()
    defaults: dict[str, Any] = {
        "title": "More of Heartbeat",
        "medium": asked.medium,
        "recipe": asked.to_dict(),
        "called": {"style": "Heartbeat"},
        "steps": asked.steps,
        "width": 640,
        "height": 320,
    }
    return Piece.objects.create(owner=owner, **{**defaults, **fields})
