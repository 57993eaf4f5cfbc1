"""How the installation is: one report for `manage.py doctor`, the status page and scripts.

Nothing here loads torch; what the workers run on is read from their heartbeats.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import redis
from django.apps import apps
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection
from django.db import Error as DatabaseError
from django.db.migrations.executor import MigrationExecutor

from webapp import heartbeat
from webapp.jobs.reaper import ALIVE_KEY
from webapp.supervisor.redis_server import connect, without_password

QUEUES = ("faces", "style", "long")
LOW_SPACE = 1024**3
LOOPBACK = ("127.0.0.1", "::1", "localhost")
START = "Start Likeness: make run (or: manage.py up)."

Check = dict[str, Any]


def check(group: str, name: str, ok: bool, value: object, hint: str = "") -> Check:
    """One line of the report; the hint is told only where something is wrong."""
    return {"group": group, "name": name, "ok": ok, "value": str(value), "hint": "" if ok else hint}


def report(*, describe_here: bool = False) -> dict[str, Any]:
    """{"ok", "checks": [{"group", "name", "ok", "value", "hint"}]}; takes 2 s at the most.

    With `describe_here` a queue that has no worker is described by this process itself, which
    loads torch and takes longer: for the command line.
    """
    checks: list[Check] = []
    beats: list[dict[str, Any]] = []
    checks += database()
    try:
        with connect(settings.REDIS_URL or "redis://127.0.0.1:0") as client:
            checks += redis_checks(client)
            beats = heartbeat.alive(client)
            checks += reaper(client)
    except redis.RedisError as error:
        checks.append(redis_away(error))
    checks += workers(beats)
    if describe_here:
        beating = {beat["queue"] for beat in beats}
        for queue in QUEUES:
            if queue not in beating:
                checks += facts(f"{queue} (asked here)", heartbeat.describe(queue))
    checks += halves()
    checks += data()
    checks += configuration()
    return {"ok": all(c["ok"] for c in checks), "checks": checks}


def database() -> Iterator[Check]:
    group = "Database"
    try:
        executor = MigrationExecutor(connection)
        waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA journal_mode")
                mode = cursor.fetchone()[0]
                cursor.execute("SELECT sqlite_version()")
                version = cursor.fetchone()[0]
                file = settings.DATABASES[DEFAULT_DB_ALIAS]["NAME"]
                yield check(group, "engine", True, f"SQLite {version}, {file}")
                yield check(group, "journal", mode == "wal", mode, "Write-ahead logging is off.")
            else:
                cursor.execute("SHOW server_version")
                version = f"{connection.display_name} {cursor.fetchone()[0]}"
                yield check(group, "engine", True, version)
    except DatabaseError as error:
        hint = "Check DATABASE_URL, and that the database runs."
        yield check(group, "engine", False, f"does not answer ({type(error).__name__})", hint)
        return
    value = f"{waiting} not applied" if waiting else "all applied"
    yield check(group, "migrations", not waiting, value, "Run manage.py migrate, or start again.")


def redis_checks(client: redis.Redis) -> Iterator[Check]:
    group = "Redis"
    info: dict[str, Any] = client.info()
    mine = settings.RUN_DIR / "redis.url"
    ours = mine.exists() and mine.read_text().strip() == settings.REDIS_URL
    who = "started by manage.py up" if ours else "from REDIS_URL"
    yield check(group, "address", True, f"{without_password(settings.REDIS_URL)}, {who}")
    name = "Valkey" if "valkey_version" in info else "Redis"
    version = info.get("valkey_version") or info["redis_version"]
    yield check(group, "version", True, f"{name} {version}")
    used, limit = info["used_memory"], info.get("maxmemory", 0)
    full = bool(limit) and used > 0.9 * limit
    value = f"{size(used)} of {size(limit)}" if limit else size(used)
    yield check(group, "memory", not full, value, "Too much waits: see the queues, or add workers.")
    if ours:
        return
    saving = client.config_get("save").get("save") or info.get("aof_enabled")
    value = "writes to disk: photos that wait in a queue may be kept there" if saving else "none"
    yield check(group, "persistence", not saving, value, 'Set `save ""` and `appendonly no` in it.')


def redis_away(error: redis.RedisError) -> Check:
    where = without_password(settings.REDIS_URL) if settings.REDIS_URL else "none is started"
    value = f"{where}: does not answer" if settings.REDIS_URL else where
    if isinstance(error, redis.AuthenticationError | redis.ResponseError):
        value = f"{where}: refuses us ({error})"
    return check("Redis", "address", False, value, f"Check REDIS_URL. {START}")


def reaper(client: redis.Redis) -> Iterator[Check]:
    seen = client.get(ALIVE_KEY)
    value = f"looked {max(0, time.time() - float(seen)):.0f} s ago" if seen else "not running"
    yield check("Workers", "reaper", bool(seen), value, START)
    for queue in QUEUES:
        yield check("Workers", f"{queue} queue", True, f"{client.llen(queue)} waiting")


def workers(beats: list[dict[str, Any]]) -> Iterator[Check]:
    for queue in QUEUES:
        of_queue = [beat for beat in beats if beat["queue"] == queue]
        if not of_queue:
            yield check("Workers", queue, False, "none alive", START)
        for beat in of_queue:
            since = time.strftime("%d %b %H:%M", time.localtime(beat["started"]))
            value = f"process {beat['pid']} on {beat['host']}, since {since}"
            value += f", {beat['concurrency']} at once" if beat["state"] == "ready" else ", loading"
            yield check("Workers", queue, True, value)
    for beat in beats:
        if beat["state"] == "ready":
            yield from facts(f"{beat['queue']} on {beat['host']}, {beat['pid']}", beat)


def facts(group: str, told: dict[str, Any]) -> Iterator[Check]:
    """Device, threads and models, as a runtime's `describe()` tells them."""
    if problem := told.get("problem"):
        yield check(group, "runtime", False, problem, "The log tells why.")
        return
    if "torch" not in told:
        yield check(group, "runtime", True, told.get("status", "not loaded yet"))
        return
    threads = told.get("threads")
    torch = f"torch {told.get('torch')}, {threads} thread{'' if threads == 1 else 's'}"
    yield check(group, "device", True, f"{told.get('device')} ({torch})")
    for model in told.get("models", []):
        status = model.get("status", "ready")
        value = f"{model['name']} {model.get('version', '')}".strip()
        if checksum := model.get("sha256"):
            value += f", sha256 {checksum}"
        usable = status in ("ready", "loaded", "available", "not downloaded")
        yield check(group, "model", usable, f"{value}, {status}", model.get("hint", ""))


def halves() -> Iterator[Check]:
    """What an app tells of itself, by a method `health()` of its AppConfig that yields the
    arguments of `check`; nothing where the database is away, which has a line of its own."""
    for config in apps.get_app_configs():
        tell = getattr(config, "health", None)
        try:
            yield from (check(*line) for line in (tell() if tell else ()))
        except DatabaseError:
            continue


def data() -> Iterator[Check]:
    group = "Data"
    try:
        with tempfile.TemporaryFile(dir=settings.RUN_DIR):
            pass
        yield check(group, "folder", True, settings.DATA_DIR)
    except OSError as error:
        value = f"{settings.DATA_DIR}: not writable ({error.strerror})"
        yield check(
            group, "folder", False, value, "Give this user the right to write, or set DATA_DIR."
        )
    free = shutil.disk_usage(settings.DATA_DIR).free
    yield check(group, "free space", free >= LOW_SPACE, size(free), "Less than 1 GB: make room.")


def configuration() -> Iterator[Check]:
    group = "Settings"
    open_to_others = settings.HOST not in LOOPBACK
    debug = "on" if settings.DEBUG else "off"
    hint = "Tracebacks are shown to whoever reaches this address: unset DEBUG."
    yield check(group, "debug", not (settings.DEBUG and open_to_others), debug, hint)
    others = [host for host in settings.ALLOWED_HOSTS if host.strip("[]") not in LOOPBACK]
    reachable = not open_to_others or bool(others)
    names = ", ".join(dict.fromkeys(settings.ALLOWED_HOSTS))
    value = f"{settings.HOST}, answers to {names}"
    hint = "HOST is open, but no name is allowed: set ALLOWED_HOSTS to the names people will type."
    yield check(group, "address", reachable, value, hint)
    tls = "behind a proxy" if settings.BEHIND_TLS else "none"
    hint = "Passwords and photos cross the network in the clear, and browsers refuse the webcam: "
    hint += "put a proxy with TLS before it and set BEHIND_TLS=1."
    yield check(group, "TLS", settings.BEHIND_TLS or not open_to_others, tls, hint)
    yield check(group, "python", True, sys.version.split()[0])


def size(count: float) -> str:
    """Bytes, as people read them: `1.5 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit in ("B", "kB") else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TB"
