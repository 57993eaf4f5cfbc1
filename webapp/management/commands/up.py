"""`manage.py up`: start everything, keep it running, end it all on Ctrl-C."""

from __future__ import annotations

import http.client
import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from webapp import heartbeat
from webapp.accounts.services import FirstAdministrator, ensure_first_administrator
from webapp.errors import UserFacingError
from webapp.supervisor import lock, plan
from webapp.supervisor.processes import Log, Supervisor
from webapp.supervisor.redis_server import (
    RedisServer,
    connect,
    find_binary,
    wait_until_ready,
    without_password,
)

TICK = 0.1  # seconds between looks at the children


class Stopping:
    """SIGINT, SIGTERM and SIGHUP: noted; during a long step they also break it off."""

    def __init__(self) -> None:
        self.asked = False
        self.breakable = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                signal.signal(number, self._handle)

    def _handle(self, *_: Any) -> None:
        first, self.asked = not self.asked, True
        if first and self.breakable:
            raise KeyboardInterrupt


class Command(BaseCommand):
    help = "Start Redis (if there is none), the web server, the workers and the reaper."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.began = time.monotonic()
        self.log = Log(sys.stdout)
        stopping = Stopping()
        try:
            locked = lock.take(settings.RUN_DIR / "up.lock")
            self.say(f"Likeness starts. Data: {settings.DATA_DIR}")
            with plan.listen(settings.HOST, settings.PORT) as listener:
                self._supervise(stopping, listener, locked)
        except UserFacingError as error:
            raise CommandError(f"{error.message}\n{error.hint}") from error

    def say(self, text: str) -> None:
        self.log.line("up", text)

    def _supervise(self, stopping: Stopping, listener: Any, locked: int) -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold photos
        url_file = settings.RUN_DIR / "redis.url"
        server = (
            None if os.environ.get("REDIS_URL") else RedisServer(find_binary(), settings.RUN_DIR)
        )
        supervisor = Supervisor(
            log=self.log,
            pids_file=settings.RUN_DIR / "pids.json",
            leftovers=[url_file] if server else [],
            keep_open=(locked,),
        )
        try:
            url = self._redis(supervisor, server, url_file)
            stopping.breakable = True
            first = None if stopping.asked else self._database()
            stopping.breakable = False
            if not stopping.asked:
                self._start(supervisor, listener, url)
                herald = Herald(self, supervisor.pid("faces"), supervisor.pid("style"), url, first)
                threading.Thread(target=herald.run, name="herald", daemon=True).start()
            while not stopping.asked:
                supervisor.tick()
                time.sleep(TICK)
        except KeyboardInterrupt:
            pass  # asked to stop while it prepared
        finally:
            stopping.asked = True
            self.say("Stopping.")
            listener.close()
            supervisor.stop()
            self.say("Stopped.")

    def _redis(self, supervisor: Supervisor, server: RedisServer | None, url_file: Path) -> str:
        """Make sure that a Redis answers; returns its URL."""
        if server is None:
            url = os.environ["REDIS_URL"]
            wait_until_ready(url)
            self.say(f"Redis: {without_password(url)}, as REDIS_URL says")
            return url
        supervisor.start(plan.redis_program(server))
        wait_until_ready(server.url)
        url_file.touch(0o600)
        url_file.write_text(server.url)
        where = f"127.0.0.1:{server.port}, kept in memory only"
        self.say(f"Redis: started {server.describe()} ({server.binary}) on {where}")
        return server.url

    def _database(self) -> FirstAdministrator | None:
        """Bring the database up to date; make the first administrator where there is none."""
        executor = MigrationExecutor(connection)
        waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        if waiting:
            call_command("migrate", verbosity=0, interactive=False)
        applied = f"{waiting} migrations applied" if waiting else "up to date"
        self.say(f"Database: {connection.display_name}, {applied}")
        first = ensure_first_administrator(
            username=os.environ.get("ADMIN_USERNAME") or "admin",
            password=os.environ.get("ADMIN_PASSWORD", ""),
        )
        if first:
            self.say(f"People: made the first administrator, {first.username}")
        connections.close_all()
        return first

    def _start(self, supervisor: Supervisor, listener: Any, url: str) -> None:
        programs = plan.programs(
            listener=listener,
            redis_url=url,
            data_dir=settings.DATA_DIR,
            torch_threads=settings.TORCH_THREADS,
            reaper="reaper" in get_commands(),
        )
        for program in programs:
            supervisor.start(program)
        self.say(f"Starting {', '.join(program.name for program in programs)}")


class Herald:
    """Watches the start from a thread of its own and tells when web and workers are ready."""

    def __init__(
        self, command: Command, faces: int, style: int, url: str, first: FirstAdministrator | None
    ) -> None:
        self.command = command
        self.pids = {"faces": faces, "style": style}
        self.url = url
        self.first = first
        self.address = plan.address(settings.HOST, settings.PORT)

    def run(self) -> None:
        status = self._first_page()
        seconds = time.monotonic() - self.command.began
        if status >= 500:
            self.command.say(
                f"The web server answers with an error ({status}): see its lines above"
            )
        lines = ["", f"Likeness is ready after {seconds:.1f} s:  {self.address}"]
        if self.first:
            lines += [
                f"Sign in once with this link:     {self.address}{self.first.link_path}",
                f"or at any time as                {self.first.username}",
                *(
                    [f"with the password                {self.first.password}"]
                    * bool(self.first.password)
                ),
                "The link and the password are told this once." if self.first.password else "",
            ]
        for line in [*lines, "Ctrl-C stops everything.", ""]:
            self.command.say(line)
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
        waiting = set(self.pids)
        with connect(self.url) as client:
            while waiting:
                try:
                    beats = heartbeat.alive(client)
                except redis.RedisError:
                    beats = []
                for beat in beats:
                    if beat["queue"] in waiting and beat["state"] == "ready":
                        waiting.discard(beat["queue"])
                        self.command.say(f"Worker {beat['queue']}: ready, {told(beat)}")
                time.sleep(0.25)


def told(beat: dict[str, Any]) -> str:
    """What a worker runs on, in a few words."""
    if problem := beat.get("problem"):
        return f"but its runtime is not: {problem}"
    models = ", ".join(f"{model['name']} {model.get('version', '')}" for model in beat["models"])
    return f"on {beat.get('device')} with {beat.get('threads')} torch threads: {models}"
