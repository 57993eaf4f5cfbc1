"""The worker's side, with the real core: paint, show, stop anywhere, go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from styletransfer import runtime
from styletransfer.core.checkpoint import load_checkpoint
from styletransfer.core.types import Losses
from styletransfer.files import RESULT, THUMB, PictureFolder
from styletransfer.models import StyleJob
from styletransfer.services import asking
from tests.pictures import photo
from tests.web.styletransfer.conftest import Start, run
from webapp.jobs.frames import Frame, stream_of
from webapp.jobs.models import Status
from webapp.jobs.redis import client
from webapp.jobs.runner import shutting_down


def curve_of(job: StyleJob) -> np.ndarray:
    return np.frombuffer(bytes(job.curve), "<f4").reshape(-1, 3)


def newest_frame(job: StyleJob) -> Frame:
    return Frame.from_entry(client().xrevrange(stream_of(job.pk), count=1)[0][1])


def at_step(job: StyleJob, step: int, action: Callable[[], object]) -> None:
    """Do something as soon as a frame of that step, or a later one, was shown."""

    def wait() -> None:
        for _ in range(3000):
            entries = client().xrevrange(stream_of(job.pk), count=1)
            if entries and Frame.from_entry(entries[0][1]).header["step"] >= step:
                break
            time.sleep(0.01)
        action()

    threading.Thread(target=wait, daemon=True).start()


class TestToTheEnd:
    def test_the_picture_its_thumb_and_its_curve_are_kept(self, start: Start) -> None:
        job = run(start(steps=4))
        assert (job.status, job.step, job.kept_step, job.error) == (Status.DONE, 4, 4, None)
        folder = PictureFolder(job.pk)
        picture = folder.picture(RESULT)
        assert (picture.size, picture.format, picture.mode) == ((128, 85), "PNG", "RGB")
        assert folder.picture(THUMB).size == (128, 85)
        assert np.abs(np.asarray(picture, int) - photo(1).resize((128, 85))).mean() > 5
        curve = curve_of(job)
        assert curve.shape == (5, 3)
        assert np.isfinite(curve).all()
        assert curve[-1, 0] < curve[0, 0]
        assert curve[-1].tolist() == pytest.approx(
            [job.losses["total"], job.losses["content"], job.losses["style"]]
        )
        assert job.seconds > 0
        assert job.made_with["extractor"] == "lite"
        assert job.made_with["version"] == runtime.extractor("lite").version
        assert not job.checkpoint_path.exists()

    def test_the_last_frame_is_the_last_step(self, start: Start) -> None:
        job = run(start(steps=3))
        last = newest_frame(job)
        assert (last.header["step"], last.header["steps"]) == (3, 3)
        assert (last.header["width"], last.header["height"]) == (128, 85)
        assert last.curve == bytes(job.curve)
        assert last.header["raw"]["total"] == pytest.approx(job.losses["course_total"])
        assert last.jpeg[:2] == b"\xff\xd8"

    def test_what_a_watcher_is_told(self, start: Start) -> None:
        told = run(start(steps=2)).as_event()
        assert told["status"] == "done"
        assert set(told["losses"]) == {"total", "content", "style"}
        assert told["result_url"].endswith("/result.png")
        assert told["seconds_left"] is None


class TestStopAndGoOn:
    def test_pause_keeps_a_checkpoint_and_the_picture(self, start: Start) -> None:
        job = start(steps=400)
        at_step(job, 5, lambda: asking.pause_job(job=StyleJob.objects.get(pk=job.pk)))
        run(job)
        assert job.status == Status.PAUSED
        assert job.step == job.kept_step >= 5
        assert load_checkpoint(job.checkpoint_path, Losses).step == job.step
        assert len(curve_of(job)) == job.step + 1

    def test_it_goes_on_where_it_stopped(self, start: Start) -> None:
        whole = run(start(steps=12))
        job = start(steps=12)
        at_step(job, 3, lambda: asking.pause_job(job=StyleJob.objects.get(pk=job.pk)))
        run(job)
        if job.status != Status.DONE:
            asking.resume_job(job=job)
            run(job)
        assert job.status == Status.DONE
        np.testing.assert_allclose(curve_of(job), curve_of(whole), rtol=1e-3)

    def test_a_leaving_worker_loses_nothing(self, start: Start) -> None:
        job = start(steps=400)
        at_step(job, 4, shutting_down.set)
        began = time.monotonic()
        run(job)
        assert job.status == Status.QUEUED
        left_at = load_checkpoint(job.checkpoint_path, Losses).step
        assert left_at == job.step >= 4
        assert time.monotonic() - began < 20
        shutting_down.clear()
        client().delete(stream_of(job.pk))
        at_step(job, left_at, lambda: asking.cancel_job(job=StyleJob.objects.get(pk=job.pk)))
        run(job)
        assert job.step >= left_at  # never from the start again
        assert len(curve_of(job)) == job.step + 1

    def test_cancel_keeps_the_newest_picture(self, start: Start) -> None:
        job = start(steps=400)
        at_step(job, 3, lambda: asking.cancel_job(job=StyleJob.objects.get(pk=job.pk)))
        run(job)
        assert job.status == Status.CANCELLED
        assert job.kept_step == job.step >= 3
        assert PictureFolder(job.pk).picture(RESULT).size == (128, 85)
        assert not job.checkpoint_path.exists()
        assert job.as_event()["result_url"]

    def test_a_paused_job_that_is_cancelled_keeps_it_too(self, start: Start) -> None:
        job = start(steps=400)
        at_step(job, 3, lambda: asking.pause_job(job=StyleJob.objects.get(pk=job.pk)))
        run(job)
        asking.cancel_job(job=job)
        assert job.status == Status.CANCELLED
        assert job.has_picture
        assert not job.checkpoint_path.exists()

    def test_a_damaged_checkpoint_means_from_the_start(self, start: Start) -> None:
        job = start(steps=2)
        job.checkpoint_path.write_bytes(b"not a checkpoint")
        assert run(job).status == Status.DONE
        assert len(curve_of(job)) == 3

    def test_a_deleted_job_leaves_nothing(self, start: Start) -> None:
        job = start(steps=400)
        at_step(job, 3, lambda: asking.delete_job(job=StyleJob.objects.get(pk=job.pk)))
        from styletransfer.services.work_painting import paint
        from webapp.jobs.runner import run_job

        run_job(StyleJob, str(job.pk), paint)
        assert not PictureFolder.ids()
        assert not job.checkpoint_path.exists()
        assert not client().exists(stream_of(job.pk))


class TestKindly:
    def test_a_painting_that_diverges(self, start: Start) -> None:
        job = run(start(steps=40, optimiser="gd", learning_rate=10.0, style_weight=0))
        assert (job.status, job.error["code"]) == (Status.FAILED, "diverged")
        assert "learning rate 10" in job.error["message"]
        assert job.error["field"] == "learning_rate"

    def test_no_vgg19(self, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("django.conf.settings.VGG19_WEIGHTS", "/nowhere/vgg19.pth")
        job = run(start(extractor="vgg19"))
        assert (job.status, job.error["code"]) == (Status.FAILED, "vgg19_unavailable")
        assert "VGG19_WEIGHTS" in job.error["hint"]

    def test_a_device_that_is_not_there(
        self, start: Start, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("django.conf.settings.DEVICE", "cuda:7")
        monkeypatch.setattr(runtime, "_extractors", {})
        runtime.device.cache_clear()
        try:
            job = run(start())
            assert (job.status, job.error["code"]) == (Status.FAILED, "device_missing")
            assert "cuda:7" in job.error["message"]
            assert "cuda:7" in runtime.describe()["problem"]
        finally:
            runtime.device.cache_clear()

    @pytest.mark.parametrize(
        "error",
        [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")],
    )
    def test_no_memory(
        self, start: Start, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        def too_much(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr("styletransfer.services.work_painting.optimise", too_much)
        job = run(start())
        assert (job.status, job.error["code"]) == (Status.FAILED, "out_of_memory")
        assert "128 pixels" in job.error["message"]


def test_describe_tells_what_the_worker_runs_on() -> None:
    told = runtime.describe()
    assert told["device"] == "cpu"
    assert told["threads"] >= 1
    assert {m["name"]: m["status"] for m in told["models"]}["lite"] in ("available", "loaded")
