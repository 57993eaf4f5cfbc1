"""Requests that come while the encoder is busy are encoded together when it is free."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.core.pipeline import ChipEncoder
from facerec.core.types import Encoding


@dataclass(eq=False)
class _Request:
    chips: NDArray[np.uint8]
    encodings: Encoding | None = None
    error: Exception | None = None

    @property
    def is_answered(self) -> bool:
        return self.encodings is not None or self.error is not None


class BatchingEncoder:
    """An encoder for threads that ask at the same time.

    Whoever comes to a free encoder starts at once, with everybody who waits; nobody waits for a
    batch to fill. Source: the combining of Hendler et al. 2010, Flat Combining.
    """

    def __init__(self, encoder: ChipEncoder) -> None:
        self._encoder = encoder
        self.version = encoder.version
        self._waiting: list[_Request] = []
        self._waiting_lock = threading.Lock()
        self._turn = threading.Lock()

    def encode_symmetric(self, chips: NDArray[np.uint8]) -> Encoding:
        """As the encoder's own; what it raises for one request, only that one's thread sees."""
        request = _Request(chips)
        with self._waiting_lock:
            self._waiting.append(request)
        with self._turn:
            if not request.is_answered:
                with self._waiting_lock:
                    together, self._waiting = self._waiting, []
                self._answer(together)
        if request.error is not None:
            raise request.error
        assert request.encodings is not None
        return request.encodings

    def _answer(self, requests: list[_Request]) -> None:
        try:
            encodings = self._encoder.encode_symmetric(
                np.concatenate([request.chips for request in requests])
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, its own thread raises it
            if len(requests) == 1:
                requests[0].error = error
                return
            for request in requests:  # one of them is to blame, the others have their answer
                self._answer([request])
            return
        ends = np.cumsum([len(request.chips) for request in requests])[:-1]
        for request, part in zip(requests, np.split(encodings, ends), strict=True):
            request.encodings = part
