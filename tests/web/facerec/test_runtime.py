"""What the worker runs on: nothing falls back silently, and doctor hears of it."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from facerec import runtime
from facerec.core.liveness.network import MiniFASNet
from facerec.core.versions import ENCODER_SHA256
from facerec.services.work_attempts import run_attempt
from facerec.tasks import attempt as attempt_task
from tests.people import nobody
from tests.web.facerec.conftest import start_identification
from webapp.accounts.models import User
from webapp.jobs.models import Status

ROOT = Path(__file__).parents[3]


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a worker that has just started."""
    monkeypatch.setattr(runtime, "_built", None)


def test_auto_takes_a_gpu_where_there_is_one() -> None:
    assert runtime.choose_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")
    assert runtime.choose_device("cpu") == "cpu"


@pytest.mark.parametrize("wanted", ["cuda:7", "no-such-device"])
def test_a_device_that_is_not_there_is_an_error(wanted: str) -> None:
    with pytest.raises(runtime.DeviceMissing, match=wanted):
        runtime.choose_device(wanted)


def test_what_doctor_hears() -> None:
    told = runtime.describe()
    assert told["device"] in ("cpu", "cuda")
    assert told["threads"] >= 1
    encoder, aligner = told["models"]
    assert (encoder["name"], encoder["sha256"]) == ("encoder", ENCODER_SHA256)
    assert aligner["name"] == "aligner"


@pytest.mark.usefixtures("fresh")
def test_doctor_hears_what_is_wrong(settings, tmp_path: Path) -> None:
    settings.DEVICE = "cuda:7"
    assert "DEVICE=cuda:7" in runtime.describe()["problem"]
    settings.DEVICE = "cpu"
    settings.FACE_ENCODER_WEIGHTS = str(tmp_path / "gone.dat")
    assert "gone.dat" in runtime.describe()["problem"]


@pytest.mark.usefixtures("fresh")
def test_a_liveness_network_is_the_given_file_or_a_problem(settings, tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    torch.save(MiniFASNet().state_dict(), path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    settings.LIVENESS_NETWORK = str(path)
    for wrong in ("", "0" * 64):
        settings.LIVENESS_NETWORK_SHA256 = wrong
        assert sha256 in runtime.describe()["problem"]
    settings.LIVENESS_NETWORK_SHA256 = sha256
    *_, network = runtime.describe()["models"]
    assert (network["name"], network["sha256"]) == ("liveness network", sha256)


@pytest.mark.usefixtures("fresh")
def test_a_question_is_told_that_faces_are_unavailable(settings, operator: User) -> None:
    settings.DEVICE = "cuda:7"
    attempt = start_identification(image=nobody(), by=operator)
    attempt_task(str(attempt.pk))
    attempt.refresh_from_db()
    assert attempt.status == Status.FAILED
    assert attempt.error["code"] == "faces_unavailable"
    assert "cuda" not in str(attempt.error)


def test_one_runtime_for_all_threads() -> None:
    assert runtime.runtime() is runtime.runtime()


def test_the_web_side_loads_neither_torch_nor_dlib_nor_opencv() -> None:
    code = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'\n"
        "import webapp.asgi, webapp.urls, facerec.views, facerec.admin, facerec.api\n"
        "assert not {'torch', 'dlib', 'cv2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=120)


def test_the_worker_side_is_apart() -> None:
    assert run_attempt.__module__ == "facerec.services.work_attempts"
