"""Watches a start from a thread of its own and tells when the pages and the workers are there."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import redis

from webapp import heartbeat
from webapp.supervisor.redis_server import connect


class Herald:
    """Says that the front page answers (with `welcome` after it), then each worker's readiness."""

    def __init__(
        self,
        *,
        say: Callable[[str], None],
        began: float,
        address: str,
        welcome: Sequence[str],
        redis_url: str,
        pids: Callable[[], dict[str, int]],
    ) -> None:
        self.say = say
        self.began = began
        self.address = address
        self.welcome = welcome
        self.redis_url = redis_url
        self.pids = pids
        self.page_is_there = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="herald", daemon=True).start()

    def _run(self) -> None:
        status = self._first_page()
        self.page_is_there.set()
        if status >= 500:
            self.say(f"The web server answers with an error ({status}): see its lines above.")
        seconds = time.monotonic() - self.began
        lines = ["", f"Likeness is ready after {seconds:.1f} s:  {self.address}", *self.welcome]
        for line in [*lines, "Ctrl-C stops everything.", ""]:
            self.say(line)
        self._workers()

    def _first_page(self) -> int:
        """Ask for the front page until it comes; returns the HTTP status."""
        where = urlsplit(self.address)
        while True:
            page = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
            try:
                page.request("GET", "/")
                return page.getresponse().status
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)  # it ended while it started; the supervisor starts it again
            finally:
                page.close()

    def _workers(self) -> None:
        """Tell each worker's readiness once, when its heartbeat says so."""
        waiting = set(heartbeat.RUNTIMES)
        with connect(self.redis_url) as client:
            while waiting:
                time.sleep(0.25)
                try:
                    beats = heartbeat.alive(client)
                except redis.RedisError:
                    continue
                pids = self.pids()
                for beat in beats:
                    queue = beat["queue"]
                    mine = beat["host"] == socket.gethostname() and beat["pid"] == pids.get(queue)
                    if queue in waiting and mine and beat["state"] == "ready":
                        waiting.discard(queue)
                        self.say(f"Worker {queue}: ready, {told(beat)}")


def told(beat: dict[str, Any]) -> str:
    """What a worker runs on, in a few words."""
    if problem := beat.get("problem"):
        return f"but its runtime is not: {problem}"
    if "torch" not in beat:
        return str(beat.get("status", "not loaded yet"))
    threads = beat.get("threads")
    models = ", ".join(
        " ".join(str(model[key]) for key in ("name", "version", "status") if model.get(key))
        for model in beat.get("models", [])
    )
    return f"{beat.get('device')}, {threads} torch thread{'' if threads == 1 else 's'}; {models}"
