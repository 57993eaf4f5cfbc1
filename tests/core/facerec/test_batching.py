from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from facerec.core.batching import BatchingEncoder
from facerec.core.encoder import Encoder


class Gate:
    """An encoder of known numbers that waits until it is let go on."""

    version = "gate"

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.entered, self.open = threading.Event(), threading.Event()

    def encode_symmetric(self, chips: np.ndarray) -> np.ndarray:
        self.batches.append(len(chips))
        self.entered.set()
        assert self.open.wait(10)
        if (chips == 255).any():
            raise ValueError("a white chip")
        return chips[:, 0, 0, :1].astype(np.float32) * np.ones(128, np.float32)


def chips(*values: int) -> np.ndarray:
    return np.stack([np.full((4, 4, 3), value, np.uint8) for value in values])


def waiting(batching: BatchingEncoder, count: int) -> None:
    while len(batching._waiting) < count:
        threading.Event().wait(0.001)


def test_alone_it_starts_at_once() -> None:
    gate = Gate()
    gate.open.set()
    assert BatchingEncoder(gate).encode_symmetric(chips(7))[0, 0] == 7
    assert gate.batches == [1]


def test_who_comes_meanwhile_is_encoded_together_and_gets_their_own() -> None:
    gate = Gate()
    batching = BatchingEncoder(gate)
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(batching.encode_symmetric, chips(1))
        assert gate.entered.wait(10)
        asked = [chips(10), chips(20, 21), chips(30), np.empty((0, 4, 4, 3), np.uint8)]
        others = [pool.submit(batching.encode_symmetric, some) for some in asked]
        waiting(batching, 4)
        gate.open.set()
        assert first.result(10)[:, 0].tolist() == [1]
        answers = [other.result(10)[:, 0].tolist() for other in others]
    assert answers == [[10], [20, 21], [30], []]
    assert gate.batches == [1, 4]


def test_an_error_is_its_own_threads() -> None:
    gate = Gate()
    batching = BatchingEncoder(gate)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(batching.encode_symmetric, chips(1))
        assert gate.entered.wait(10)
        good = pool.submit(batching.encode_symmetric, chips(2))
        bad = pool.submit(batching.encode_symmetric, chips(255))
        waiting(batching, 2)
        gate.open.set()
        assert first.result(10)[0, 0] == 1
        assert good.result(10)[0, 0] == 2
        with pytest.raises(ValueError, match="white"):
            bad.result(10)
    assert batching.encode_symmetric(chips(3))[0, 0] == 3  # and it works on


def test_the_numbers_are_the_encoders() -> None:
    encoder = Encoder()
    some = np.random.default_rng(0).integers(0, 256, (4, 150, 150, 3), dtype=np.uint8)
    batching = BatchingEncoder(encoder)
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(batching.encode_symmetric, [chip[None] for chip in some])
        together = np.concatenate(list(answers))
    np.testing.assert_allclose(together, encoder.encode_symmetric(some), atol=1e-5)
