"""The pages of pieces: who sees what, what the forms refuse and how, and the files' way out."""

from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from styletransfer.core.media import registry
from styletransfer.core.pieces import KINDS, PieceRecipe
from styletransfer.models import Piece
from styletransfer.piece_files import PieceFolder
from styletransfer.services.starter_shows import show
from tests.pictures import image_bytes, make_painter, photo
from tests.pieces import beats, csv_of
from tests.web.styletransfer.conftest import Begin
from webapp.accounts.models import User
from webapp.jobs.models import Status

SIGNAL = "/make/signal/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def browser(painter: User) -> Client:
    client = Client()
    client.force_login(painter)
    return client


def upload(name: str = "heartbeat.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, csv_of(beats()), "text/csv")


def form(**fields: object) -> dict[str, object]:
    return {"goal": "texture", "style": upload(), "seconds": 2, "steps": 3} | fields


def urls_of(piece: Piece) -> list[str]:
    """Every address of a piece that is read."""
    names = ["piece", "piece_panel", "piece_curve", "piece_thumb"]
    return [reverse(f"styletransfer:{name}", args=[piece.pk]) for name in names] + [
        reverse("styletransfer:piece_input", args=[piece.pk, "style", "picture.jpg"]),
        reverse("styletransfer:piece_input", args=[piece.pk, "style", "input.npz"]),
        reverse("styletransfer:moment", args=[piece.pk, 0, "picture.jpg"]),
        reverse("styletransfer:moment", args=[piece.pk, 0, "waveform.json"]),
        reverse("styletransfer:piece_result", args=[piece.pk, "signal.csv"]),
    ]


def fill(piece: Piece) -> None:
    """What a worker would have left."""
    folder = PieceFolder(piece.pk)
    folder.write("moments/0/picture.jpg", b"a picture")
    folder.write("moments/0/waveform.json", b"{}")
    folder.write("result/signal.csv", b"time,ECG\n0,1\n")
    Piece.objects.filter(pk=piece.pk).update(
        moments=[0], files=["signal.csv"], status=Status.DONE, figures=FIGURES
    )


FIGURES = [
    {"name": "Period", "result": 0.9, "example": 0.8, "unit": "s", "meaning": "Beat to beat."},
    {"name": "Gap", "result": 0.02, "example": None, "unit": "", "meaning": "Nearer is better."},
]
ACTIONS = ["piece_cancel", "piece_pause", "piece_resume", "piece_delete"]


class TestWhoSeesWhat:
    def test_a_visitor_is_sent_to_sign_in(self, begin: Begin) -> None:
        piece = begin()
        fill(piece)
        for url in ["/make/sound/", "/pieces/", *urls_of(piece)]:
            answer = Client().get(url)
            assert answer.status_code == 302, url
            assert answer["Location"].startswith("/sign-in/")

    def test_a_painter_does_not_see_anothers(
        self, begin: Begin, browser: Client, painter: User
    ) -> None:
        piece, other = begin(), Client()
        fill(piece)
        other.force_login(make_painter("other"))
        for url in urls_of(piece):
            assert browser.get(url).status_code == 200, url
            assert other.get(url).status_code == 404, url
        for name in ACTIONS:
            url = reverse(f"styletransfer:{name}", args=[piece.pk])
            assert other.post(url).status_code == 404, name
        assert "Heartbeat" not in other.get("/pieces/").content.decode()
        like = f"{SIGNAL}?like={piece.pk}"
        assert "use “Heartbeat” again" in browser.get(like).content.decode()
        assert "use “Heartbeat” again" not in other.get(like).content.decode()
        answer = other.post(SIGNAL, {"like": str(piece.pk), "goal": "texture"})
        assert answer.status_code == 422  # its signal cannot be borrowed either
        assert Piece.objects.count() == 1

    @pytest.mark.parametrize("name", ACTIONS)
    def test_nothing_happens_by_a_link(self, browser: Client, begin: Begin, name: str) -> None:
        piece = begin()
        assert browser.get(reverse(f"styletransfer:{name}", args=[piece.pk])).status_code == 405
        piece.refresh_from_db()
        assert piece.status == Status.QUEUED

    @pytest.mark.parametrize("file", ["..", "../../x", "%2e%2e%2fx", "nothing.json", ""])
    def test_a_name_does_not_lead_out_of_the_folder(
        self, browser: Client, begin: Begin, file: str
    ) -> None:
        piece = begin()
        fill(piece)
        answer = browser.get(f"/pieces/{piece.pk}/moments/0/{file}")
        assert answer.status_code in (400, 404)


class TestMake:
    @pytest.mark.parametrize(("medium", "goal"), list(KINDS))
    def test_every_default_of_the_page_is_the_recipes(
        self, browser: Client, medium: str, goal: str
    ) -> None:
        """The page of each kind shows its inputs, and what it sends at first is the default."""
        page = browser.get(f"/make/{medium}/?goal={goal}").content.decode()
        sent: dict[str, str] = {}
        for tag in re.findall(r"<input[^>]+>", page):
            attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
            kind, name = attributes.get("type"), attributes.get("name", "")
            if kind in ("number", "range") or (kind == "radio" and " checked" in tag):
                sent[name] = attributes.get("value", "")
        recipe = PieceRecipe.from_dict({"medium": medium, "goal": goal})
        for name, value in recipe.to_dict().items():
            if name in sent:
                shown: object = sent[name] if isinstance(value, str) else float(sent[name])
                assert shown == value, name
        assert {"filters", "optimiser", "seed", *KINDS[medium, goal].numbers} <= set(sent)
        for name, each in KINDS[medium, goal].inputs.items():
            assert f'id="id_{name}"' in page
            assert f'name="{name}_starter"' in page
            if each != "picture":
                endings = ",".join(registry.reads(each))
                assert f'accept="{endings}"' in page

    def test_a_medium_that_there_is_not(self, browser: Client) -> None:
        assert browser.get("/make/smell/").status_code == 404

    def test_starts_a_piece_and_goes_to_its_page(self, browser: Client) -> None:
        answer = browser.post(SIGNAL, form(optimiser="adam", seed=9))
        piece = Piece.objects.get()
        assert (answer.status_code, answer["Location"]) == (302, piece.get_absolute_url())
        assert piece.title == "More of Heartbeat"
        recipe = piece.cooked
        assert (recipe.seconds, recipe.steps, recipe.optimiser, recipe.seed) == (2, 3, "adam", 9)

    def test_tells_htmx_where_to_go(self, browser: Client) -> None:
        answer = browser.post(SIGNAL, form(title="Mine"), headers=HTMX)
        assert answer["HX-Redirect"] == Piece.objects.get().get_absolute_url()
        assert Piece.objects.get().title == "Mine"

    def test_starters(self, browser: Client) -> None:
        sent = {"goal": "texture", "style_starter": "heartbeat", "seconds": 2}
        assert browser.post(SIGNAL, sent).status_code == 302
        solid = {"goal": "solid", "style_starter": "waves"}
        assert browser.post("/make/volume/", solid).status_code == 302
        assert {p.goal for p in Piece.objects.all()} == {"texture", "solid"}

    def test_again_with_other_settings(self, browser: Client, begin: Begin) -> None:
        piece = begin(steps=77, seed=5, optimiser="adam")
        page = browser.get(f"{SIGNAL}?like={piece.pk}").content.decode()
        assert re.search(r'name="steps" value="77"', page)
        assert re.search(r'value="adam" checked', page)
        browser.post(SIGNAL, {"like": str(piece.pk), "goal": "texture", "seconds": 2, "seed": 6})
        made = Piece.objects.exclude(pk=piece.pk).get()
        assert (made.cooked.seed, made.called) == (6, {"style": "Heartbeat"})
        old, new = (PieceFolder(p.pk).read("inputs/style/input.npz") for p in (piece, made))
        assert len(old) == len(new)

    @pytest.mark.parametrize(
        ("wrong", "field", "sentence"),
        [
            ({"style": None}, "style", "no signal yet"),
            ({"style": SimpleUploadedFile("a.csv", b"")}, "style", "empty"),
            ({"style": SimpleUploadedFile("a.csv", b"x,y\nlala,2\n")}, "style", r"\w+"),
            ({"style": SimpleUploadedFile("a.edf", b"no EDF")}, "style", r"\w+"),
            ({"style": None, "style_starter": "nothing"}, "style", "no signal “nothing”"),
            ({"seconds": 0}, "seconds", "between"),
            ({"seconds": "nan"}, "seconds", "number"),
            ({"steps": 0}, "steps", "between 1 and 1000"),
            ({"steps": 2.5}, "steps", "whole number"),
            ({"filters": "magic"}, "filters", "one of"),
            ({"optimiser": "magic"}, "optimiser", "magic"),
            ({"learning_rate": 1e9}, "learning_rate", "between"),
            ({"title": "x" * 121}, "title", "120"),
        ],
    )
    def test_what_is_wrong_is_said_at_its_field(
        self, browser: Client, wrong: dict[str, object], field: str, sentence: str
    ) -> None:
        sent = {k: v for k, v in form(**wrong).items() if v is not None}
        answer = browser.post(SIGNAL, sent, headers=HTMX)
        text = answer.content.decode()
        assert answer.status_code == 422
        assert "error-summary" in text
        assert re.search(rf'id="{field}-error" hx-swap-oob="true">[^<]*{sentence}', text)
        assert f'href="#id_{field}"' in text
        assert not Piece.objects.exists()
        assert not PieceFolder.ids()

    def test_too_large_a_file(self, browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("django.conf.settings.MAX_MEDIUM_MB", 1)
        large = SimpleUploadedFile("a.csv", b"1\n" * 600_000)
        text = browser.post(SIGNAL, form(style=large), headers=HTMX).content.decode()
        assert "at most 1 MB" in text

    def test_what_is_larger_than_a_picture_may_be_still_fits(
        self, browser: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("django.conf.settings.MAX_UPLOAD_MB", 0)
        assert browser.post(SIGNAL, form()).status_code == 302
        given = PieceFolder(Piece.objects.get().pk).read_input("style")
        assert given.values.shape == beats().values.shape  # type: ignore[union-attr]

    def test_without_a_script_what_was_typed_stays(self, browser: Client) -> None:
        answer = browser.post(SIGNAL, form(steps=0, seed=123, title="Mine"))
        text = answer.content.decode()
        assert answer.status_code == 422
        assert 'name="seed" value="123"' in text
        assert 'value="Mine"' in text
        assert "between 1 and 1000" in text

    def test_a_picture_where_a_picture_is_asked_for(self, browser: Client) -> None:
        picture = SimpleUploadedFile("bark.png", image_bytes(photo(1)), "image/png")
        browser.post("/make/volume/", {"goal": "solid", "style": picture, "size": 16})
        assert Piece.objects.get().title == "Bark, in the round"


class TestStarters:
    def test_a_picture_and_a_sound_drawn_once(self, painter: User, browser: Client) -> None:
        name = registry.starters("signal")[0].name
        url = f"/make/signal/starters/{name}/picture.jpg"
        first = browser.get(url)
        assert (first.status_code, first["Content-Type"]) == (200, "image/jpeg")
        assert browser.get(url).content == first.content == show("signal", name, "picture.jpg")
        bell = registry.starters("sound")[0].name
        sound = browser.get(f"/make/sound/starters/{bell}/sound.flac")
        assert sound["Content-Type"] == "audio/flac"
        assert sound.content[:4] == b"fLaC"

    @pytest.mark.parametrize(
        "path",
        ["sound/starters/no/picture.jpg", "smell/starters/a/picture.jpg"]
        + [f"signal/starters/heartbeat/{name}" for name in ("sound.flac", "waveform.json")],
    )
    def test_what_there_is_not(self, browser: Client, path: str) -> None:
        assert browser.get(f"/make/{path}").status_code == 404


class TestPiecePage:
    def test_tells_status_parameters_and_what_can_be_done(
        self, browser: Client, begin: Begin
    ) -> None:
        page = browser.get(begin(optimiser="adam").get_absolute_url()).content.decode()
        for text in ("More of Heartbeat", "Waiting", "Pause", "Cancel", "Adam", "2 s", "Random"):
            assert text in page
        assert "Download" not in page

    def test_a_finished_one_has_its_moments_figures_and_files(
        self, browser: Client, begin: Begin
    ) -> None:
        piece = begin()
        fill(piece)
        page = browser.get(piece.get_absolute_url()).content.decode()
        assert re.search(r'name="moment" value="0" checked', page)
        assert "Download CSV" in page
        assert "Beat to beat." in page
        assert "0.9 s" in page

    def test_a_failed_one_says_why(self, browser: Client, begin: Begin) -> None:
        piece = begin()
        error = {"code": "x", "message": "It left all bounds.", "hint": "Try less."}
        Piece.objects.update(status=Status.FAILED, error=error)
        page = browser.get(piece.get_absolute_url()).content.decode()
        assert "It left all bounds. Try less." in page

    def test_pause_resume_cancel_delete(self, browser: Client, begin: Begin) -> None:
        piece = begin()

        def act(name: str) -> str:
            url = reverse(f"styletransfer:piece_{name}", args=[piece.pk])
            return browser.post(url, headers=HTMX).content.decode()

        assert "Paused" in act("pause")
        assert "Waiting" in act("resume")
        assert "Cancelled" in act("cancel")
        act("delete")
        assert not Piece.objects.exists()
        assert not PieceFolder.ids()

    def test_without_a_script_too(self, browser: Client, begin: Begin) -> None:
        piece = begin()
        answer = browser.post(reverse("styletransfer:piece_pause", args=[piece.pk]))
        assert (answer.status_code, answer["Location"]) == (302, piece.get_absolute_url())

    def test_files_go_to_their_owner_and_into_no_shared_cache(
        self, browser: Client, begin: Begin
    ) -> None:
        piece = begin()
        fill(piece)
        url = reverse("styletransfer:piece_result", args=[piece.pk, "signal.csv"])
        assert browser.get(url).content == b"time,ECG\n0,1\n"
        assert browser.get(url)["X-Content-Type-Options"] == "nosniff"
        for each in urls_of(piece)[2:]:
            assert "private" in browser.get(each)["Cache-Control"], each
        down = browser.get(url + "?download")["Content-Disposition"]
        assert down == 'attachment; filename="more-of-heartbeat.csv"'

    @pytest.mark.parametrize(
        ("asked", "status", "part", "said"),
        [
            ("bytes=0-3", 206, b"time", "bytes 0-3/13"),
            ("bytes=9-", 206, b"0,1\n", "bytes 9-12/13"),
            ("bytes=9-900", 206, b"0,1\n", "bytes 9-12/13"),
            ("bytes=-4", 206, b"0,1\n", "bytes 9-12/13"),
            ("bytes=13-", 416, b"", "bytes */13"),
            ("bytes=-", 200, b"time,ECG\n0,1\n", None),
            ("lines=0-1", 200, b"time,ECG\n0,1\n", None),
            ("bytes=0-1,4-5", 200, b"time,ECG\n0,1\n", None),
        ],
    )
    def test_a_player_seeks_by_ranges(
        self,
        browser: Client,
        begin: Begin,
        asked: str,
        status: int,
        part: bytes,
        said: str | None,
    ) -> None:
        piece = begin()
        fill(piece)
        url = reverse("styletransfer:piece_result", args=[piece.pk, "signal.csv"])
        answer = browser.get(url, headers={"Range": asked})
        assert (answer.status_code, answer.content) == (status, part)
        assert answer.headers.get("Content-Range") == said


class TestGallery:
    def test_an_empty_wall_says_what_to_do(self, browser: Client) -> None:
        assert "Make a sound" in browser.get("/pieces/").content.decode()

    def test_shows_the_painters_own(self, browser: Client, begin: Begin) -> None:
        begin(title="First"), begin(title="Second")
        begin(title="Foreign", owner=make_painter("other"))
        page = browser.get("/pieces/").content.decode()
        assert page.index("Second") < page.index("First")
        assert "Foreign" not in page
        assert "every 4s" in page
        assert 'href="/pieces/"' in browser.get("/pictures/").content.decode()
