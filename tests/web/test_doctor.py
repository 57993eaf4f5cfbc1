"""The health report, and `manage.py doctor` that prints it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import call_command

from webapp import health
from webapp.heartbeat import Heartbeat, alive
from webapp.jobs.reaper import ALIVE_KEY
from webapp.supervisor.herald import told
from webapp.supervisor.redis_server import connect

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.django_db

FACTS = {
    "device": "cpu",
    "torch": "2.13.0",
    "threads": 1,
    "models": [{"name": "encoder", "version": "v1", "sha256": "55533b28", "status": "ready"}],
}


def found(report: dict, group: str, name: str) -> dict:
    (one,) = (c for c in report["checks"] if c["group"].startswith(group) and c["name"] == name)
    return one


@pytest.fixture
def empty_redis(redis_url: str):
    with connect(redis_url) as client:
        client.flushall()
        yield client
        client.flushall()


def test_report_is_complete_and_says_what_is_missing(empty_redis):
    report = health.report()
    for check in report["checks"]:
        assert set(check) == {"group", "name", "ok", "value", "hint"}
    assert found(report, "Database", "engine")["value"].startswith("SQLite 3.")
    assert found(report, "Database", "migrations")["value"] == "all applied"
    assert found(report, "Redis", "version")["ok"]
    assert not report["ok"]
    for name in ("faces", "style", "long", "reaper"):
        check = found(report, "Workers", name)
        assert not check["ok"]
        assert "make run" in check["hint"]


def test_all_is_well_with_workers_and_reaper(empty_redis):
    for queue in ("faces", "style", "long"):
        beat = Heartbeat(queue, 2, facts=FACTS, state="ready")
        empty_redis.set(beat.key, beat.message(), ex=6)
    empty_redis.set(ALIVE_KEY, int(time.time()))
    empty_redis.rpush("faces", "a", "b", "c")
    report = health.report()
    assert [c for c in report["checks"] if not c["ok"]] == []
    assert report["ok"]
    assert found(report, "Workers", "faces queue")["value"] == "3 waiting"
    assert found(report, "faces on", "model")["value"] == "encoder v1, sha256 55533b28, ready"
    assert found(report, "style on", "device")["value"] == "cpu (torch 2.13.0, 1 thread)"


@pytest.mark.parametrize("status", ["missing", "corrupt"])
def test_a_model_that_cannot_be_used_is_told(empty_redis, status: str):
    facts = {**FACTS, "models": [{"name": "lite", "status": status}]}
    beat = Heartbeat("style", 1, facts=facts, state="ready")
    empty_redis.set(beat.key, beat.message())
    assert not found(health.report(), "style on", "model")["ok"]


def test_a_runtime_that_cannot_be_built_is_told(empty_redis):
    beat = Heartbeat("style", 1, facts={"problem": "DeviceMissing"}, state="ready")
    empty_redis.set(beat.key, beat.message())
    assert found(health.report(), "style on", "runtime")["value"] == "DeviceMissing"


def test_a_worker_beats_until_it_dies(empty_redis, redis_url):
    """A real beat from its thread; the key's life is short, so a dead worker is gone soon."""
    beat = Heartbeat("faces", 3)
    beat.start()
    try:
        deadline = time.monotonic() + 20
        while not (beats := alive(empty_redis)) or beats[0]["state"] != "ready":
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        beat.ended.set()
    assert beats[0]["concurrency"] == 3
    assert beats[0]["device"] == "cpu"
    assert 0 < empty_redis.ttl(beat.key) <= 6


def test_redis_that_hangs_is_told_within_two_seconds(settings):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        settings.REDIS_URL = f"redis://:hidden@127.0.0.1:{deaf.getsockname()[1]}/0"
        began = time.monotonic()
        report = health.report()
        assert time.monotonic() - began < 2
    check = found(report, "Redis", "address")
    assert not check["ok"]
    assert "does not answer" in check["value"]
    assert "hidden" not in json.dumps(report)


def test_redis_that_is_absent_or_refuses_is_told(settings, redis_url):
    settings.REDIS_URL = ""
    assert found(health.report(), "Redis", "address")["value"] == "none is started"
    settings.REDIS_URL = redis_url.replace("redis://:", "redis://:wrong")
    check = found(health.report(), "Redis", "address")
    assert "refuses us" in check["value"]
    assert "wrong" not in check["value"]


def test_a_redis_that_writes_to_disk_is_told(empty_redis):
    """Photos pass through it: with snapshots they could end on a disk."""
    assert found(health.report(), "Redis", "persistence")["ok"]
    empty_redis.config_set("save", "3600 1")
    try:
        assert not found(health.report(), "Redis", "persistence")["ok"]
    finally:
        empty_redis.config_set("save", "")


def test_open_address_wants_tls_names_and_no_debug(settings, redis_url):
    settings.HOST, settings.DEBUG, settings.ALLOWED_HOSTS = "0.0.0.0", True, ["127.0.0.1"]
    report = health.report()
    for name in ("debug", "address", "TLS"):
        assert not found(report, "Settings", name)["ok"], name
    settings.DEBUG, settings.BEHIND_TLS = False, True
    settings.ALLOWED_HOSTS = ["127.0.0.1", "likeness.example.org"]
    report = health.report()
    for name in ("debug", "address", "TLS"):
        assert found(report, "Settings", name)["ok"], name


def test_migrations_that_wait_are_told(redis_url):
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder.Migration.objects.filter(app="accounts").delete()
    check = found(health.report(), "Database", "migrations")
    assert not check["ok"]
    assert "not applied" in check["value"]


def test_doctor_describes_the_runtimes_itself_where_no_worker_is(empty_redis, capsys):
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", "--json")
    assert ended.value.code == 1
    report = json.loads(capsys.readouterr().out)
    assert found(report, "faces (asked here)", "device")["value"].startswith("cpu (torch 2.")
    shas = [c["value"] for c in report["checks"] if c["group"].startswith("faces (")]
    assert any("55533b28a95800a551ba546ba62fe69625c7e95a7061c338" in value for value in shas)
    with pytest.raises(SystemExit):
        call_command("doctor")
    table = capsys.readouterr().out
    assert "want attention" in table
    assert "encoder" in table


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (2048, "2 kB"), (1.5 * 1024**3, "1.5 GB"), (2**41, "2.0 TB")],
)
def test_size(count: float, text: str):
    assert health.size(count) == text


def test_web_process_loads_no_torch():
    """Nothing that the web server imports brings in torch, torchvision or dlib."""
    code = (
        "import sys, webapp.asgi, webapp.urls, webapp.health, django.urls\n"
        "django.urls.get_resolver().url_patterns\n"
        "print(sorted({'torch', 'torchvision', 'dlib', '_dlib_pybind11'} & set(sys.modules)))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize("core", ["facerec.core", "styletransfer.core"])
def test_cores_load_no_django(core: str):
    code = (
        f"import sys, importlib, pkgutil, {core} as core\n"
        "for m in pkgutil.iter_modules(core.__path__, core.__name__ + '.'):\n"
        "    importlib.import_module(m.name)\n"
        "print('django' in sys.modules, 'celery' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "False False"


def test_a_worker_that_loads_with_its_first_job_is_well(empty_redis):
    facts = {"status": "loads torch with its first job"}
    beat = Heartbeat("long", 1, facts=facts, state="ready")
    empty_redis.set(beat.key, beat.message(), ex=6)
    line = found(health.report(), "long on", "runtime")
    assert line["ok"]
    assert line["value"] == told(json.loads(beat.message())) == facts["status"]
