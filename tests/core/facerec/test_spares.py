"""What is slow to make and not thread safe is lent, and made no more often than needed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from facerec.core.spares import Spares


def spares() -> tuple[Spares[object], list[object]]:
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    return Spares(make), made


def test_one_is_used_again() -> None:
    pool, made = spares()
    for _ in range(3):
        with pool.one() as item:
            assert item is made[0]
    assert len(made) == 1


def test_no_two_threads_have_the_same() -> None:
    pool, made = spares()
    together = Barrier(4)

    def work(_: int) -> object:
        with pool.one() as item:
            together.wait(10)
            return item

    with ThreadPoolExecutor(4) as threads:
        held = list(threads.map(work, range(4)))
    assert len({id(item) for item in held}) == len(made) == 4


def test_it_comes_back_after_an_error() -> None:
    pool, made = spares()
    with pytest.raises(ZeroDivisionError), pool.one():
        raise ZeroDivisionError
    with pool.one() as item:
        assert item is made[0]


def test_prepared_ones_are_what_is_lent() -> None:
    pool, made = spares()
    pool.prepare(2)
    pool.prepare(2)
    assert len(made) == 2
    with pool.one() as one, pool.one() as other:
        assert {id(one), id(other)} == {id(item) for item in made}
