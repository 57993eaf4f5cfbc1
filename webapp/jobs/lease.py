"""Leases: who runs a job right now. One thread a process renews all that it holds."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from uuid import UUID

import redis
import structlog

from webapp.jobs.redis import client

log = structlog.get_logger(__name__)

LIFE_MS = 5_000
RENEW_EVERY = 1.0  # seconds

# Renew or take back (Redis may have restarted empty), but never from somebody else.
RENEW = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end"


def key_of(job_id: UUID | str) -> str:
    return f"lease:{job_id}"


class Lease:
    """Held by one run of one job; `lost` is set once somebody else holds it."""

    def __init__(self, job_id: UUID, token: UUID) -> None:
        self.key = key_of(job_id)
        self.token = str(token)
        self.lost = threading.Event()

    def acquire(self) -> bool:
        """Take the lease; False where another run holds it."""
        taken = bool(client().set(self.key, self.token, nx=True, px=LIFE_MS))
        if taken:
            keeper.add(self)
        return taken

    def release(self) -> None:
        keeper.remove(self)
        try:
            client().eval(RELEASE, 1, self.key, self.token)
        except redis.RedisError:
            log.info("lease left to expire", key=self.key)

    def renew(self) -> None:
        if not client().eval(RENEW, 1, self.key, self.token, str(LIFE_MS)):
            self.lost.set()


class LeaseKeeper:
    """Renews this process's leases from one daemon thread, started with the first."""

    def __init__(self) -> None:
        self._held: set[Lease] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()

    def add(self, lease: Lease) -> None:
        with self._lock:
            self._held.add(lease)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="leases", daemon=True)
                self._thread.start()

    def remove(self, lease: Lease) -> None:
        with self._lock:
            self._held.discard(lease)

    def _run(self) -> None:
        while not self._wake.wait(RENEW_EVERY):
            with self._lock:
                held = list(self._held)
            for lease in held:
                try:
                    lease.renew()
                except redis.RedisError as error:
                    log.warning("lease not renewed", key=lease.key, error=type(error).__name__)
                    break


keeper = LeaseKeeper()


def unleased(job_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the jobs that no run holds."""
    ids = list(job_ids)
    if not ids:
        return set()
    holders = client().mget([key_of(job_id) for job_id in ids])
    return {job_id for job_id, holder in zip(ids, holders, strict=True) if holder is None}
