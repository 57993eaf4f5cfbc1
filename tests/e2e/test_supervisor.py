"""`manage.py up`: starts all, keeps all running, leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stack import Stack, runs, wait_until
from webapp.heartbeat import alive
from webapp.jobs.reaper import ALIVE_KEY
from webapp.supervisor.redis_server import connect

CHILDREN = {"redis", "web", "faces", "style", "long", "reaper"}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    """A stack of the test's own, which it may break. Nothing of it outlives the test."""
    stack = Stack(tmp_path / "data")
    yield stack
    if stack.process is not None and stack.process.poll() is None:
        stack.stop()


@pytest.fixture(scope="module")
def sturdy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose children are killed, one after the other."""
    stack = Stack(tmp_path_factory.mktemp("sturdy"))
    try:
        yield stack.start()
    finally:
        stack.stop()


def status(stack: Stack) -> int:
    """The front page's HTTP status; it waits where the web server is just being started again."""
    with urllib.request.urlopen(stack.url, timeout=20) as answer:
        return answer.status


def gone(pids: list[int]) -> bool:
    return not any(runs(pid) for pid in pids)


def test_first_start_tells_link_and_password_and_sigterm_leaves_nothing(own: Stack):
    own.start()
    pids = own.pids
    assert set(pids) == CHILDREN | {"supervisor", "leash"}
    assert all(runs(pid) for pid in pids.values())
    assert pids["supervisor"] == own.process.pid
    assert status(own) == 200
    assert own.password
    assert re.search(rf"{own.url}/welcome/\S+", own.output)
    url_file = own.data_dir / "run" / "redis.url"
    assert stat.S_IMODE(url_file.stat().st_mode) == 0o600
    secret = re.search(r":([^:@]+)@", url_file.read_text())[1]
    for pid in pids.values():  # no secret in what `ps` shows to every user
        assert secret not in Path(f"/proc/{pid}/cmdline").read_text()
    assert secret not in own.output

    assert own.stop() < 3
    assert own.process.returncode == 0
    assert gone(list(pids.values()))
    assert not url_file.exists()
    assert not (own.data_dir / "run" / "pids.json").exists()

    again = Stack(own.data_dir, own.port).start(workers=False)
    try:
        assert "/welcome/" not in again.output
        assert "password" not in again.output
    finally:
        again.stop()


def test_ctrl_c_while_it_prepares(own: Stack):
    # A shell script starts its background jobs with SIGINT ignored: it must be heard all the same.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    process = own.spawn()
    signal.signal(signal.SIGINT, before)
    own.wait_for("Redis: started", 30)
    pids = list(own.pids.values())
    process.send_signal(signal.SIGINT)
    assert process.wait(3) == 0
    assert gone(pids)


def test_killed_supervisor_takes_its_children_with_it(own: Stack):
    """Also when its leash had been killed before; and the next start waits for their end."""
    own.start(workers=False)
    first = own.pids["leash"]
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: own.pids["leash"] != first, 5, "another leash")
    wait_until(lambda: "style" in own.pids, 10, "the workers' start")
    pids = list(own.pids.values())
    own.process.kill()
    own.process.wait()
    again = Stack(own.data_dir, own.port)
    again.spawn()
    try:
        wait_until(lambda: gone(pids), 5, "the children's end")
        again.wait_for("Likeness is ready", 60)
        assert status(again) == 200
    finally:
        again.stop()


@pytest.mark.parametrize("name", ["web", "redis", "reaper", "faces", "style", "long", "leash"])
def test_killed_child_comes_back(sturdy: Stack, name: str):
    before = sturdy.pids
    os.kill(before[name], signal.SIGKILL)

    def another() -> bool:
        return sturdy.pids[name] != before[name] and runs(sturdy.pids[name])

    wait_until(another, 15, name)
    assert {n for n in before if sturdy.pids[n] != before[n]} == {name}
    assert status(sturdy) == 200


def test_all_is_known_again_after_the_kills(sturdy: Stack):
    """Redis, killed above, serves everybody again under its old address."""

    def well() -> bool:
        with connect((sturdy.data_dir / "run" / "redis.url").read_text()) as client:
            beats = [beat for beat in alive(client) if beat["state"] == "ready"]
            pids = {beat["queue"]: beat["pid"] for beat in beats}
            return bool(client.get(ALIVE_KEY)) and all(
                pids.get(queue) == sturdy.pids[queue] for queue in ("faces", "style")
            )

    wait_until(well, 30, "the signs of life of workers and reaper")


def test_doctor_is_content(sturdy: Stack):
    told = sturdy.manage("doctor", "--json")
    report = json.loads(told.stdout)
    assert report["ok"]
    names = {check["name"] for check in report["checks"]}
    assert {"engine", "migrations", "reaper", "faces", "style", "device", "model"} <= names
    assert not any("asked here" in check["group"] for check in report["checks"])


def test_port_in_use_is_said_before_anything_starts(own: Stack):
    with socket.create_server(("127.0.0.1", own.port)):
        assert own.spawn().wait(20) != 0
    wait_until(lambda: "PORT=" in own.output, 2)
    assert f"Port {own.port} on 127.0.0.1 is in use" in own.output
    assert "Traceback" not in own.output
    assert "Redis" not in own.output


def test_second_up_on_the_same_data_is_refused(sturdy: Stack):
    second = Stack(sturdy.data_dir)
    assert second.spawn().wait(20) != 0
    wait_until(lambda: "DATA_DIR=" in second.output, 2)
    assert f"already running on {sturdy.data_dir}" in second.output
    assert str(sturdy.pids["supervisor"]) in second.output
    assert status(sturdy) == 200


def test_administrator_from_the_environment(own: Stack):
    own.extra = {"ADMIN_USERNAME": "ada", "ADMIN_PASSWORD": "first programmer"}
    own.start(workers=False)
    assert "made the first administrator, ada" in own.output
    assert "first programmer" not in own.output


def test_wrong_redis_url_is_a_sentence(own: Stack):
    own.extra = {"REDIS_URL": "redis://:secret@127.0.0.1:1/0"}
    assert own.spawn().wait(20) != 0
    wait_until(lambda: "Check REDIS_URL" in own.output, 2)
    assert "The Redis at redis://127.0.0.1:1/0 does not serve us" in own.output
    assert "secret" not in own.output
    assert "Traceback" not in own.output
