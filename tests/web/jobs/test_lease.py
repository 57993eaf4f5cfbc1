"""Leases: one run at a time, whatever happens to Redis."""

from __future__ import annotations

import time
import uuid

import pytest

from webapp.jobs.lease import LIFE_MS, Lease, keeper, key_of, unleased
from webapp.jobs.redis import client


@pytest.fixture(autouse=True)
def _clean(redis_url: str) -> None:
    client().flushall()


def test_only_one_run_holds_a_job() -> None:
    job = uuid.uuid4()
    first, second = Lease(job, uuid.uuid4()), Lease(job, uuid.uuid4())
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()
    assert client().get(key_of(job)) is None


def test_a_run_releases_only_what_is_its_own() -> None:
    job = uuid.uuid4()
    holder, other = Lease(job, uuid.uuid4()), Lease(job, uuid.uuid4())
    assert holder.acquire()
    other.release()
    assert client().get(key_of(job)) == holder.token.encode()
    holder.release()


def test_it_is_renewed_for_as_long_as_it_is_held() -> None:
    lease = Lease(uuid.uuid4(), uuid.uuid4())
    assert lease.acquire()
    client().pexpire(lease.key, 1500)
    time.sleep(1.8)
    left = client().pttl(lease.key)
    assert isinstance(left, int)
    assert LIFE_MS - 1500 < left <= LIFE_MS
    lease.release()


def test_it_is_taken_back_when_redis_comes_back_empty() -> None:
    lease = Lease(uuid.uuid4(), uuid.uuid4())
    assert lease.acquire()
    client().flushall()
    time.sleep(1.5)
    assert client().get(lease.key) == lease.token.encode()
    assert not lease.lost.is_set()
    lease.release()


def test_it_is_lost_when_somebody_else_has_it() -> None:
    lease = Lease(uuid.uuid4(), uuid.uuid4())
    assert lease.acquire()
    client().set(lease.key, "another run")
    assert lease.lost.wait(2.5)
    lease.release()
    assert client().get(lease.key) == b"another run"


def test_a_released_lease_is_not_renewed() -> None:
    lease = Lease(uuid.uuid4(), uuid.uuid4())
    lease.acquire()
    lease.release()
    assert lease not in keeper._held


def test_unleased_tells_which_jobs_nobody_runs() -> None:
    held, free = uuid.uuid4(), uuid.uuid4()
    lease = Lease(held, uuid.uuid4())
    lease.acquire()
    assert unleased([held, free]) == {free}
    assert unleased([]) == set()
    lease.release()
