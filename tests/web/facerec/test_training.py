"""A training run from photos to a judged encoder, by the real core, on drawn people."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from facerec.core.adapter import shipped
from facerec.core.training_config import TrainingConfig, TrainingKind
from facerec.core.versions import BACKBONE_VERSION
from facerec.encoders import adapter_of, as_active
from facerec.models import EncoderVersion, Stage, TrainingRun
from facerec.photosets.encoded import EncodedPhotos
from facerec.presenting.training import comparison_table, verdict
from facerec.services.training import ask_run, create_run, discard_leftovers, folder_of
from facerec.services.work_training import run_training
from tests.people import as_jpeg, portrait
from tests.web.facerec.conftest import upload
from webapp import archives
from webapp.accounts.models import User
from webapp.errors import UserFacingError
from webapp.jobs.dispatch import resume
from webapp.jobs.models import Request, Status
from webapp.jobs.runner import run_job, shutting_down

QUICK = {"steps": 6, "eval_every": 3, "people_per_batch": 3, "photos_per_person": 2}
PEOPLE = 7


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven drawn people, two photos each, and a photo of nobody."""
    root = tmp_path_factory.mktemp("people")
    for person in range(PEOPLE):
        (root / f"person-{person}").mkdir()
        for variation in range(2):
            path = root / f"person-{person}" / f"{variation}.jpg"
            path.write_bytes(as_jpeg(portrait(person, variation)))
    (root / "person-0" / "empty.jpg").write_bytes(b"")
    return root


def zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.rglob("*.jpg")):
            archive.write(path, path.relative_to(folder))
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def nothing_left(house: None) -> Iterator[None]:
    """Whatever happens to a run, nothing of a face may be left at its end."""
    yield
    shutting_down.clear()
    TrainingRun.objects.all().delete()
    discard_leftovers()
    archives.discard_leftovers()
    assert not list(Path(settings.CHECKPOINT_DIR).glob("training-*"))


def new_run(by: User, folder: Path, **config: Any) -> TrainingRun:
    cooked = TrainingConfig(**(QUICK | config))
    return create_run(name="club", config=cooked, by=by, source="the club", folder=folder)


def worked(run: TrainingRun) -> TrainingRun:
    run_job(TrainingRun, str(run.pk), run_training)
    run.refresh_from_db()
    return run


def test_a_run_ends_in_a_judged_candidate(administrator: User, folder: Path) -> None:
    run = worked(new_run(administrator, folder))
    assert (run.status, run.stage, run.error) == (Status.DONE, Stage.JUDGING, None)
    assert run.photos == {"people": 7, "used": 14, "refused": {"empty_file": 1}}
    assert [point["step"] for point in run.curve] == [0, 1, 2, 3, 4, 5, 6]
    assert [p["step"] for p in run.curve if "held_out" in p] == [0, 3, 6]
    [encoder] = run.encoders.all()
    assert encoder.name == f"{BACKBONE_VERSION}+club-1"
    assert set(encoder.heads) == {"absolute", "chi2"}
    adapter = adapter_of(as_active(encoder))
    assert adapter(np.ones((1, 128), np.float32)).shape == (1, 128)
    rows = run.report["rows"]
    assert [row["encoder"] for row in rows] == [run.report["old"]] * 3 + [encoder.name] * 3
    assert verdict(run.report).kind == "unsure"  # two people held out prove nothing
    assert len(comparison_table(run.report)["rows"]) == 6
    assert not folder_of(run.pk).exists()


def test_the_next_encoder_gets_the_next_number(administrator: User, folder: Path) -> None:
    for _ in range(2):
        worked(new_run(administrator, folder, steps=1))
    names = EncoderVersion.objects.order_by("pk").values_list("name", flat=True)
    assert [name.rpartition("+")[2] for name in names] == ["club-1", "club-2"]


def test_the_last_blocks_become_a_backbone_of_their_own(administrator: User, folder: Path) -> None:
    run = worked(new_run(administrator, folder, kind=TrainingKind.LAST_BLOCKS, steps=2))
    assert run.error is None
    encoder = run.encoders.get()
    assert encoder.backbone == encoder.name == "club-1-net"
    assert encoder.net
    through = adapter_of(as_active(encoder))  # what the blocks were trained through
    assert through.backbone == encoder.backbone
    np.testing.assert_array_equal(through.weight, shipped().weight)
    assert not folder_of(run.pk).exists()


def until_photo(run: TrainingRun, count: int) -> Callable[..., None]:
    def add(self: EncodedPhotos, photo: Any, person: int) -> None:
        if self.seen == count:
            self.flush()
            shutting_down.set()
        original(self, photo, person)

    original = EncodedPhotos.add
    return add


def test_a_run_that_its_worker_left_goes_on_and_comes_to_the_same(
    administrator: User, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight = worked(new_run(administrator, folder))
    run = new_run(administrator, folder)
    with monkeypatch.context() as patch:
        patch.setattr(EncodedPhotos, "add", until_photo(run, 5))
        assert worked(run).status == Status.QUEUED
    shutting_down.clear()
    assert (folder_of(run.pk) / "photos" / "about.json").exists()
    assert run.done >= 5
    assert worked(run).status == Status.DONE
    assert run.curve == straight.curve
    assert run.photos == straight.photos


def test_paused_while_training_it_keeps_its_checkpoint(
    administrator: User, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from facerec.services import work_training

    straight = worked(new_run(administrator, folder))
    run = new_run(administrator, folder)
    original = work_training.Course.saw

    def saw(self: Any, step: Any) -> None:
        original(self, step)
        if step.step == 4:
            ask_run(run=run, request=Request.PAUSE)

    with monkeypatch.context() as patch:
        patch.setattr(work_training.Course, "saw", saw)
        assert worked(run).status == Status.PAUSED
    assert [point["step"] for point in run.curve][-1] == 4
    assert (folder_of(run.pk) / "checkpoint.safetensors").exists()
    resume(run)
    assert worked(run).status == Status.DONE
    assert run.curve == straight.curve


def test_cancelled_while_it_waits_nothing_stays(administrator: User, folder: Path) -> None:
    run = new_run(administrator, folder)
    shutting_down.set()
    worked(run)
    shutting_down.clear()
    folder_of(run.pk).mkdir(parents=True, exist_ok=True)
    ask_run(run=run, request=Request.CANCEL)
    assert run.status == Status.CANCELLED
    assert not folder_of(run.pk).exists()


def test_too_few_people_are_told(administrator: User, tmp_path: Path) -> None:
    for person in range(3):
        (tmp_path / str(person)).mkdir()
        for variation in range(2):
            (tmp_path / str(person) / f"{variation}.jpg").write_bytes(
                as_jpeg(portrait(person, variation))
            )
    run = worked(new_run(administrator, tmp_path))
    assert run.status == Status.FAILED
    assert run.error["code"] == "too_few_people"
    assert "6 are needed" in run.error["message"]


class TestPages:
    def test_only_administrators_train(
        self, signed_in: Callable[[User], Client], operator: User
    ) -> None:
        client = signed_in(operator)
        for name in ("training", "encoders", "encoders_people"):
            assert client.get(reverse(f"facerec:{name}")).status_code == 403
        assert client.post(reverse("facerec:encoders_back")).status_code == 403

    def test_a_form_starts_a_run(
        self, signed_in: Callable[[User], Client], administrator: User, folder: Path
    ) -> None:
        client = signed_in(administrator)
        archive = upload(zipped(folder), "club.zip")
        values = form_values() | {"name": "club", "steps": 6, "archive": archive}
        response = client.post(reverse("facerec:training"), values)
        run = TrainingRun.objects.get()
        assert response.url == run.get_absolute_url()
        assert (run.config["steps"], run.config["eval_every"]) == (6, 1)
        assert archives.path_of(run.archive).exists()
        worked(run)
        assert run.error is None
        assert not archives.path_of(run.archive).exists()
        page = client.get(run.get_absolute_url())
        assert "club-1" in page.content.decode()
        points = client.get(reverse("facerec:training_points", args=[run.pk]), {"from": 5})
        assert [point["step"] for point in points.json()["points"]] == [5, 6]
        assert b"Nobody" not in client.get(reverse("facerec:encoders")).content

    @pytest.mark.parametrize(
        ("field", "value"),
        [("name", "My Club"), ("steps", 0), ("miner", "hardest"), ("margin", "x")],
    )
    def test_what_is_wrong_is_told_and_nothing_starts(
        self,
        signed_in: Callable[[User], Client],
        administrator: User,
        field: str,
        value: Any,
    ) -> None:
        values = form_values() | {"name": "club", field: value}
        response = signed_in(administrator).post(reverse("facerec:training"), values)
        assert response.status_code == 422
        assert f'href="#id_{field}"' in response.content.decode()
        assert not TrainingRun.objects.exists()

    def test_a_broken_archive_is_told_at_once(
        self, signed_in: Callable[[User], Client], administrator: User
    ) -> None:
        values = form_values() | {"name": "club", "archive": upload(b"no zip", "club.zip")}
        response = signed_in(administrator).post(reverse("facerec:training"), values)
        assert response.status_code == 415
        assert "not a ZIP" in response.content.decode()
        assert not list(settings.STAGING_DIR.glob("*.zip"))

    def test_a_collapse_is_shown_loudly(
        self, signed_in: Callable[[User], Client], administrator: User, folder: Path
    ) -> None:
        run = new_run(administrator, folder)
        client = signed_in(administrator)
        url = reverse("facerec:training_panel", args=[run.pk])
        assert "collapsed" not in client.get(url).content.decode()
        TrainingRun.objects.update(collapsed=True, status=Status.RUNNING)
        page = client.get(url).content.decode()
        assert 'role="alert"' in page
        assert "It has collapsed" in page
        assert run.as_event().keys() >= {"collapsed", "points", "stage", "done", "total"}
        TrainingRun.objects.update(status=Status.CANCELLED)

    def test_without_photos_nothing_starts(
        self, signed_in: Callable[[User], Client], administrator: User
    ) -> None:
        response = signed_in(administrator).post(
            reverse("facerec:training"), form_values() | {"name": "club"}
        )
        assert response.status_code == 422
        assert not TrainingRun.objects.exists()


def form_values() -> dict[str, Any]:
    from facerec.forms.training import initial_of

    return initial_of(TrainingConfig())


class TestVerdict:
    def report(self, low: float, high: float) -> dict[str, Any]:
        def row(encoder: str, tar: float) -> dict[str, Any]:
            gain = {"value": (low + high) / 2, "low": low, "high": high}
            estimate = {"value": tar, "low": tar - 0.01, "high": tar + 0.01}
            return {
                "encoder": encoder,
                "rule": "distance",
                "tar": {"0.01": estimate, "0.001": estimate},
                "gain": {"0.01": gain, "0.001": gain},
                "eer": estimate,
                "accuracy": estimate,
            }

        rows = [row("old", 0.9), row("new", 0.93)]
        counts = {"people": 50, "photos": 120, "genuine": 200, "impostor": 9000}
        return {"rows": rows, "old": "old", "new": "new", "best_step": 3, **counts}

    @pytest.mark.parametrize(
        ("low", "high", "word"),
        [(0.01, 0.05, "Better"), (-0.05, -0.01, "Worse"), (-0.01, 0.03, "Not proven")],
    )
    def test_only_an_interval_without_zero_decides(
        self, low: float, high: float, word: str
    ) -> None:
        told = verdict(self.report(low, high))
        assert told.word == word
        assert "1,000" in told.sentence
        assert "93.0 %" in told.sentence
        assert "90.0 %" in told.sentence

    def test_too_few_people_are_not_read_as_a_result(self) -> None:
        report = self.report(0.01, 0.05)
        for row in report["rows"]:
            row["tar"] = {"0.01": None, "0.001": None}
        assert verdict(report).word == "Cannot be told"


def test_a_run_that_is_not_over_cannot_be_deleted(administrator: User, folder: Path) -> None:
    from facerec.services.training import delete_run

    run = new_run(administrator, folder)
    with pytest.raises(UserFacingError, match="not over"):
        delete_run(run=run)
