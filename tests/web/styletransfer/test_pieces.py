"""Pieces on the web's side and on the worker's, with the real core."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from PIL import Image

from styletransfer.core.media import registry
from styletransfer.core.media.types import Clip, Signal, Sound, Volume
from styletransfer.core.pieces import KINDS, PieceRecipe
from styletransfer.core.synthesis.state_file import load_piece
from styletransfer.core.synthesis.types import PieceIterate
from styletransfer.models import Piece
from styletransfer.piece_files import PieceFolder
from styletransfer.services import asking
from styletransfer.services import pieces as services
from styletransfer.services.leftovers import discard_orphans
from styletransfer.services.work_pieces import MOMENTS, Making, extent_of, make_piece, moments_of
from tests.pictures import make_painter, photo
from tests.pieces import beats
from tests.web.styletransfer.conftest import Begin, Start, make
from tests.web.styletransfer.test_painting import curve_of, newest_frame
from webapp.accounts.models import User
from webapp.errors import UserFacingError
from webapp.jobs.frames import stream_of
from webapp.jobs.models import Status
from webapp.jobs.redis import client
from webapp.jobs.runner import run_job, shutting_down


def again(piece: Piece) -> Piece:
    return Piece.objects.get(pk=piece.pk)


class TestBegin:
    def test_a_piece_waits_with_its_inputs_and_a_picture(self, begin: Begin) -> None:
        piece = begin(steps=7)
        assert (piece.status, piece.steps, piece.medium) == (Status.QUEUED, 7, "signal")
        assert piece.title == "More of Heartbeat"
        assert piece.called == {"style": "Heartbeat"}
        folder = PieceFolder(piece.pk)
        kept = folder.read_input("style")
        assert isinstance(kept, Signal)
        np.testing.assert_array_equal(kept.values, beats().values)
        assert (kept.rate, kept.names, kept.units) == (128, ("ECG",), ("mV",))
        shown = Image.open(io.BytesIO(folder.read("inputs/style/picture.jpg")))
        assert shown.size == (piece.width, piece.height)
        assert folder.read("thumb.jpg")[:2] == b"\xff\xd8"
        assert client().llen("style") == 1

    def test_a_picture_is_kept_as_a_picture(self, painter: User) -> None:
        solid = PieceRecipe.from_dict({"medium": "volume", "goal": "solid", "size": 16})
        piece = services.start_piece(
            owner=painter, recipe=solid, inputs={"style": photo(1)}, called={"style": "Bark"}
        )
        kept = PieceFolder(piece.pk).read_input("style")
        assert isinstance(kept, Image.Image)
        assert kept.size == photo(1).size
        assert piece.title == "Bark, in the round"

    def test_pictures_and_pieces_wait_in_one_row(
        self, begin: Begin, start: Start, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("django.conf.settings.STYLE_JOBS_PER_USER", 2)
        start()
        first = begin()
        for one_more in (begin, start):
            with pytest.raises(UserFacingError) as refused:
                one_more()
            assert (refused.value.code, refused.value.status) == ("too_many_jobs", 429)
        assert len(PieceFolder.ids()) == 1  # nothing is left of the refused one
        asking.pause_job(job=first)
        start()
        with pytest.raises(UserFacingError):
            asking.resume_job(job=first)

    def test_nothing_is_left_half_made(self, begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
        def no_room(*_: object, **__: object) -> None:
            raise OSError("no space left on the device")

        monkeypatch.setattr(PieceFolder, "write_thumb", no_room)
        with pytest.raises(OSError, match="no space"):
            begin()
        assert not PieceFolder.ids()
        assert not Piece.objects.exists()

    def test_a_starter_that_is_not_there(self) -> None:
        for medium in ("sound", "picture"):
            with pytest.raises(UserFacingError) as refused:
                services.take_input(None, "../x", name="style", medium=medium)
            assert (refused.value.code, refused.value.field) == ("no_such_starter", "style")


@pytest.mark.parametrize(
    ("goal", "content", "style", "title"),
    [
        ("transfer", "A voice", "The sea", "A voice, as the sea"),
        ("transfer", "Bells", "Rain", "Bells, as Rain"),
        ("texture", "", "A drum loop", "More of a drum loop"),
    ],
)
def test_titles(goal: str, content: str, style: str, title: str) -> None:
    asked = PieceRecipe.from_dict({"medium": "sound", "goal": goal})
    assert services.title_for(asked, {"content": content, "style": style}) == title


class TestMoments:
    @pytest.mark.parametrize("steps", [1, 2, 10, 11, 12, 150, 1000])
    def test_they_are_spread_from_the_start_to_the_end(self, steps: int) -> None:
        kept = sorted(moments_of(steps))
        assert (kept[0], kept[-1]) == (0, steps)
        assert len(kept) == min(MOMENTS, steps + 1)
        gaps = np.diff(kept)
        assert gaps.max() - gaps.min() <= 1

    def test_what_is_told_of_an_extent(self) -> None:
        assert extent_of(beats(2.0)) == {"seconds": 2.0, "rate": 128.0, "channels": 1}


class TestToTheEnd:
    def test_moments_files_figures_and_the_curve_are_kept(self, begin: Begin) -> None:
        piece = make(begin(steps=4))
        assert (piece.status, piece.step, piece.error) == (Status.DONE, 4, None)
        assert piece.moments == [0, 1, 2, 3, 4]
        folder = PieceFolder(piece.pk)
        for step in piece.moments:
            shown = ["picture.jpg", "spectrogram.jpg", "waveform.json"]
            assert folder.names(f"moments/{step}") == shown
        assert folder.names("inputs/style") == [
            "input.npz",
            "picture.jpg",
            "spectrogram.jpg",
            "waveform.json",
        ]
        assert folder.names("result") == sorted(piece.files) == ["signal.csv", "signal.edf"]
        given_back = registry.read("signal", folder.read("result/signal.csv"), "signal.csv")
        assert isinstance(given_back, Signal)
        assert given_back.rate == pytest.approx(128)
        assert given_back.seconds == pytest.approx(2)
        assert piece.extent == {"seconds": 2.0, "rate": 128.0, "channels": 1}
        assert piece.figures
        assert set(piece.figures[0]) == {"name", "result", "example", "unit", "meaning"}
        assert piece.made_with["filters"]["name"]
        curve = curve_of(piece)
        assert curve.shape == (5, 3)
        assert curve[-1, 0] < curve[0, 0]
        assert not piece.checkpoint_path.exists()
        picture = Image.open(io.BytesIO(folder.read("moments/4/picture.jpg")))
        assert picture.size == (piece.width, piece.height)

    def test_the_last_frame_is_the_last_step(self, begin: Begin) -> None:
        piece = make(begin(steps=2))
        last = newest_frame(piece)
        assert (last.header["step"], last.header["steps"]) == (2, 2)
        assert (last.header["width"], last.header["height"]) == (piece.width, piece.height)
        assert last.header["layers"]
        assert last.header["waveform"]["channels"]
        assert last.curve == bytes(piece.curve)
        assert last.jpeg[:2] == b"\xff\xd8"

    def test_what_a_watcher_is_told(self, begin: Begin) -> None:
        told = make(begin(steps=1)).as_event()
        assert (told["kind"], told["status"], told["medium"]) == ("piece", "done", "signal")
        assert set(told["losses"]) == {"total", "content", "style"}
        assert told["moments"] == [0, 1]
        assert told["result_url"].endswith("/result/signal.csv")


@pytest.fixture
def when(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], object]], None]:
    """`when(step, action)`: does something right after that step, and no other."""

    def when(step: int, action: Callable[[], object]) -> None:
        class Watched(Making):
            def saw(self, iterate: PieceIterate) -> None:
                super().saw(iterate)
                if iterate.step == step:
                    action()

        monkeypatch.setattr("styletransfer.services.work_pieces.Making", Watched)

    return when


When = Callable[[int, Callable[[], object]], None]


class TestStopAndGoOn:
    def test_a_resumed_piece_equals_an_uninterrupted_one(self, begin: Begin, when: When) -> None:
        whole = make(begin(steps=14))
        piece = begin(steps=14)
        when(7, lambda: asking.pause_job(job=again(piece)))
        make(piece)
        assert (piece.status, piece.step, piece.kept_step) == (Status.PAUSED, 7, 7)
        assert load_piece(piece.checkpoint_path).step == 7
        assert len(curve_of(piece)) == 8
        assert PieceFolder(piece.pk).names("result") == sorted(piece.files) != []
        when(-1, list)
        asking.resume_job(job=piece)
        make(piece)
        assert piece.status == Status.DONE
        assert piece.moments == whole.moments
        assert 7 not in piece.moments  # that step was kept for the pause alone
        assert {int(name) for name in _folders(piece, "moments")} == set(piece.moments)
        np.testing.assert_allclose(curve_of(piece), curve_of(whole), rtol=1e-3)
        made, expected = (
            registry.read("signal", PieceFolder(p.pk).read("result/signal.csv"), "signal.csv")
            for p in (piece, whole)
        )
        np.testing.assert_allclose(made.values, expected.values, atol=1e-3)

    def test_a_leaving_worker_loses_nothing(self, begin: Begin, when: When) -> None:
        piece = begin(steps=12)
        when(4, shutting_down.set)
        make(piece)
        assert (piece.status, piece.step) == (Status.QUEUED, 4)
        assert load_piece(piece.checkpoint_path).step == 4
        shutting_down.clear()
        seen: list[int] = []
        when(5, lambda: seen.append(again(piece).step))
        make(piece)
        assert piece.status == Status.DONE
        assert seen == [4]  # it went on from there

    def test_a_killed_worker_costs_what_was_not_saved(self, begin: Begin, when: When) -> None:
        piece = begin(steps=8)

        def killed() -> None:
            raise SystemExit

        when(5, killed)
        with pytest.raises(SystemExit):
            run_job(Piece, str(piece.pk), make_piece)
        assert again(piece).status == Status.RUNNING  # the reaper sends it again
        when(-1, list)
        assert make(piece).status == Status.DONE
        assert piece.moments == list(range(9))
        assert len(curve_of(piece)) == 9

    def test_cancel_keeps_what_was_made(self, begin: Begin, when: When) -> None:
        piece = begin(steps=100)
        when(3, lambda: asking.cancel_job(job=again(piece)))
        make(piece)
        assert (piece.status, piece.step, piece.moments) == (Status.CANCELLED, 3, [0, 3])
        assert PieceFolder(piece.pk).names("result") == sorted(piece.files) != []
        assert piece.figures
        assert not piece.checkpoint_path.exists()

    def test_a_damaged_checkpoint_means_from_the_start(self, begin: Begin) -> None:
        piece = begin(steps=2)
        piece.checkpoint_path.write_bytes(b"not a checkpoint")
        assert make(piece).status == Status.DONE
        assert len(curve_of(piece)) == 3

    def test_deleted_while_it_is_made_it_leaves_nothing(self, begin: Begin, when: When) -> None:
        piece = begin(steps=100)
        when(3, lambda: asking.delete_job(job=again(piece)))
        run_job(Piece, str(piece.pk), make_piece)
        assert not PieceFolder.ids()
        assert not piece.checkpoint_path.exists()
        assert not client().exists(stream_of(piece.pk))


def _folders(piece: Piece, under: str) -> list[str]:
    folder = PieceFolder(piece.pk)
    return folder.storage.listdir(f"{folder.path}/{under}")[0]


def test_what_deleted_users_leave_is_discarded(begin: Begin, start: Start) -> None:
    leaver = make_painter("leaver")
    kept, gone, picture = begin(), begin(owner=leaver), start()
    for job in (kept, gone, picture):
        job.checkpoint_path.write_bytes(b"a checkpoint")
    leaver.delete()
    assert discard_orphans(older_than=timedelta()) == 1
    assert PieceFolder.ids() == [str(kept.pk)]
    left = {path.stem for path in settings.CHECKPOINT_DIR.iterdir()}
    assert left == {str(kept.pk), str(picture.pk)}  # one kind's are not the other's orphans


class TestKindly:
    def test_what_the_medium_refuses(self, begin: Begin) -> None:
        piece = make(begin(seconds=0.1))
        assert (piece.status, piece.error["code"]) == (Status.FAILED, "too_short")
        assert piece.error["message"].endswith(".")
        assert piece.error["hint"]

    def test_one_that_diverges(self, begin: Begin) -> None:
        piece = make(begin(steps=60, optimiser="gd", learning_rate=10.0))
        if piece.status == Status.FAILED:  # the rule of the notes has no bounds of its own
            assert piece.error["code"] == "diverged"
            assert "learning rate 10" in piece.error["message"]
        else:
            assert np.isfinite(curve_of(piece)).all()

    @pytest.mark.parametrize(
        "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
    )
    def test_no_memory(
        self, begin: Begin, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        def too_much(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr("styletransfer.services.work_pieces.compose", too_much)
        piece = make(begin())
        assert (piece.status, piece.error["code"]) == (Status.FAILED, "out_of_memory")
        assert "signal" in piece.error["message"]


def _small_recipe(medium: str, goal: str) -> PieceRecipe:
    """The smallest of a kind."""
    numbers = KINDS[medium, goal].numbers
    small: dict[str, Any] = {"medium": medium, "goal": goal, "steps": 1}
    if "seconds" in numbers:
        small["seconds"] = 2
    if "size" in numbers:
        small["size"] = int(numbers["size"][0])
    return PieceRecipe.from_dict(small)


def _small_input(medium: str) -> services.Given:
    """Something small of a medium; the starters are drawn finer than a test needs."""
    t = np.arange(44_100, dtype=np.float32) / 22_050
    if medium == "picture":
        return photo(1)
    if medium == "clip":
        return Clip(np.stack([np.asarray(photo(1).rotate(i)) for i in range(3)]), 8.0)
    if medium == "volume":
        waves = np.sin(np.indices((32, 32, 32)) / 3).prod(0, keepdims=True)
        return Volume((0.5 + 0.5 * waves).astype(np.float32))
    if medium == "sound":
        return Sound((0.5 * np.sin(3000 * t) * np.exp(-3 * (t % 0.5)))[None], 22_050)
    return beats()


@pytest.mark.parametrize(("medium", "goal"), list(KINDS))
def test_every_kind_comes_to_its_end(painter: User, medium: str, goal: str) -> None:
    """Through the worker, to files that the house itself reads again."""
    asked = _small_recipe(medium, goal)
    inputs = {name: _small_input(kind) for name, kind in asked.kind.inputs.items()}
    called = dict.fromkeys(inputs, "Something")
    piece = make(services.start_piece(owner=painter, recipe=asked, inputs=inputs, called=called))
    assert (piece.status, piece.error) == (Status.DONE, None)
    assert piece.moments == [0, 1]
    folder = PieceFolder(piece.pk)
    for name in piece.files:
        if any(name.endswith(ending) for ending in registry.reads(medium)):
            registry.read(medium, folder.read(f"result/{name}"), name)
    assert piece.extent
    assert piece.figures
