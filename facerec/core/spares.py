"""Objects that one thread at a time may use and that are slow to make: lent, and taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class Spares(Generic[T]):
    """Makes one more only when all are lent, so that there are as many as threads at once.

    A thread's own (`threading.local`) would be made anew in every thread: 0.5 s for dlib's
    detector, at the first photo that the thread sees.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._idle: SimpleQueue[T] = SimpleQueue()

    @contextmanager
    def one(self) -> Iterator[T]:
        """One that nobody else uses meanwhile."""
        try:
            item = self._idle.get_nowait()
        except Empty:
            item = self._make()
        try:
            yield item
        finally:
            self._idle.put(item)

    def prepare(self, count: int) -> None:
        """Make some in advance."""
        for _ in range(count - self._idle.qsize()):
            self._idle.put(self._make())
