"""`manage.py up`: start everything, keep it running, end it all on Ctrl-C."""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from webapp.accounts.services import FirstAdministrator, ensure_first_administrator
from webapp.errors import UserFacingError
from webapp.supervisor import lock, plan
from webapp.supervisor.herald import Herald
from webapp.supervisor.processes import Log, Program, Supervisor
from webapp.supervisor.redis_server import (
    RedisServer,
    find_binary,
    wait_until_ready,
    without_password,
)

TICK = 0.1  # seconds between looks at the children
PAGE_FIRST = 4.0  # seconds that the web server gets before the workers start beside it


class Stopping:
    """SIGINT, SIGTERM and SIGHUP: noted; during a long step they also break it off."""

    def __init__(self) -> None:
        self.asked = False
        self.breakable = False
        # SIGINT also where a shell started us with it ignored, as shells do in the background.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
            signal.signal(signal.SIGHUP, self._handle)

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
        # All is written and closed; the interpreter's own clearing up takes longer than all this.
        sys.stdout.flush()
        os._exit(0)

    def say(self, text: str) -> None:
        self.log.line("up", text)

    def _supervise(self, stopping: Stopping, listener: socket.socket, locked: int) -> None:
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
            self._run(stopping, supervisor, self._programs(listener, url), url, first)
        except KeyboardInterrupt:
            pass  # asked to stop while it prepared
        finally:
            stopping.asked = True
            self.say("Stopping.")
            listener.close()
            supervisor.stop()
            self.say("Stopped.")

    def _run(
        self,
        stopping: Stopping,
        supervisor: Supervisor,
        programs: list[Program],
        url: str,
        first: FirstAdministrator | None,
    ) -> None:
        """Start the web server, then the rest, and look after them until asked to stop."""
        address = plan.address(settings.HOST, settings.PORT)
        herald = Herald(
            say=self.say,
            began=self.began,
            address=address,
            welcome=welcome(address, first),
            redis_url=url,
            pids=supervisor.pids,
        )
        if stopping.asked:
            return
        self.say(f"Starting {', '.join(program.name for program in programs)}")
        web, *others = programs
        supervisor.start(web)
        herald.start()
        started = time.monotonic()
        while not stopping.asked:
            # The workers load torch, which takes all cores for seconds: the first page goes first.
            page_had_its_time = time.monotonic() - started > PAGE_FIRST
            if herald.page_is_there.is_set() or page_had_its_time:
                while others:
                    supervisor.start(others.pop(0))
            supervisor.tick()
            time.sleep(TICK)

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

    def _programs(self, listener: socket.socket, url: str) -> list[Program]:
        return plan.programs(
            listener=listener,
            redis_url=url,
            data_dir=settings.DATA_DIR,
            torch_threads=settings.TORCH_THREADS,
            reaper="reaper" in get_commands(),
        )


def welcome(address: str, first: FirstAdministrator | None) -> list[str]:
    """What is told on the first start only."""
    if first is None:
        return []
    lines = [f"Sign in once with this link:     {address}{first.link_path}"]
    if first.password:
        lines += [
            f"or at any time as                {first.username}",
            f"with the password                {first.password}",
            "The link and the password are told this once.",
        ]
    return lines
