"""/api/v1/pieces, as a program uses it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from styletransfer.core.pieces import KINDS
from styletransfer.models import Piece
from styletransfer.piece_files import PieceFolder
from tests.pictures import make_painter
from tests.pieces import beats, csv_of
from tests.web.styletransfer.conftest import Begin, make
from tests.web.styletransfer.test_api import program
from webapp.accounts.models import Scope, User

URL = "/api/v1/pieces"
SMALL = {"medium": "signal", "goal": "texture", "seconds": 2, "steps": 2}


@pytest.fixture
def api(painter: User) -> Client:
    return program(painter, Scope.PAINT)


def body(recipe: Any = SMALL, **fields: Any) -> dict[str, Any]:
    text = recipe if isinstance(recipe, str) else json.dumps(recipe)
    style = SimpleUploadedFile("heartbeat.csv", csv_of(beats()))
    return {k: v for k, v in ({"style": style, "recipe": text} | fields).items() if v is not None}


def test_from_start_to_files(api: Client) -> None:
    answer = api.post(URL, body())
    assert answer.status_code == 202
    told = answer.json()
    piece = Piece.objects.get()
    assert told == {
        "id": str(piece.pk),
        "status": "queued",
        "url": f"http://testserver{URL}/{piece.pk}",
        "ws": f"ws://testserver/ws/jobs/{piece.pk}/",
    }
    waiting = api.get(told["url"]).json()
    assert (waiting["status"], waiting["step"], waiting["moments"]) == ("queued", 0, [])
    assert waiting["files"] == []
    early = api.get(f"{told['url']}/result/signal.csv")
    assert (early.status_code, early.json()["code"]) == (404, "no_such_file")
    make(piece)
    done = api.get(told["url"]).json()
    assert (done["status"], done["step"], done["moments"]) == ("done", 2, [0, 1, 2])
    assert set(done["losses"]) == {"total", "content", "style"}
    assert done["extent"] == {"seconds": 2.0, "rate": 128.0, "channels": 1}
    assert done["figures"][0]["meaning"]
    assert [f["name"] for f in done["files"]] == ["signal.csv", "signal.edf"]
    assert api.get(done["files"][0]["url"]).content.startswith(b"# rate: 128")
    moments = api.get(f"{told['url']}/moments").json()
    assert [m["step"] for m in moments] == [0, 1, 2]
    files = {f["name"]: f["url"] for f in moments[1]["files"]}
    waveform = api.get(files["waveform.json"]).json()
    assert waveform["channels"][0]["name"] == "ECG"


def test_a_starter_by_its_name(api: Client) -> None:
    sent = body(style=None, style_starter="heartbeat")
    assert api.post(URL, sent).status_code == 202
    assert Piece.objects.get().title.startswith("More of Heartbeat")


def test_what_can_be_made(api: Client) -> None:
    told = api.get("/api/v1/piece-kinds").json()
    assert {(k["medium"], k["goal"]) for k in told} == set(KINDS)
    signal = next(k for k in told if k["medium"] == "signal")
    assert ".csv" in signal["inputs"]["style"]["endings"]
    assert "heartbeat" in signal["inputs"]["style"]["starters"]
    assert signal["numbers"]["steps"]["smallest"] == 1
    assert signal["filters"] == list(KINDS["signal", "texture"].filters)


def test_delete_cancels_and_says_what_became_of_it(api: Client, begin: Begin) -> None:
    piece = begin()
    answer = api.delete(f"{URL}/{piece.pk}")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    done = make(begin(steps=1))
    assert api.delete(f"{URL}/{done.pk}").json()["status"] == "done"


@pytest.mark.parametrize(
    ("recipe", "field", "words"),
    [
        ("not json", "recipe", "not a JSON object"),
        ("[1]", "recipe", "must be an object"),
        ({}, "medium", "one of sound"),
        ({"medium": "signal"}, "goal", "one of texture"),
        ({"medium": "signal", "goal": "solid"}, "goal", "one of texture"),
        (SMALL | {"seconds": 0}, "seconds", "between"),
        (SMALL | {"steps": 1.5}, "steps", "whole number"),
        (SMALL | {"size": 64}, "size", "not part of this recipe"),
        (SMALL | {"filters": ["random"]}, "filters", "one of"),
        (SMALL | {"optimiser": "magic"}, "optimiser", "one of lbfgs"),
    ],
)
def test_a_wrong_recipe_names_its_field(api: Client, recipe: Any, field: str, words: str) -> None:
    answer = api.post(URL, body(recipe))
    told = answer.json()
    assert answer.status_code == 422, told
    assert told["field"] == field
    assert words in told["message"]
    assert not Piece.objects.exists()
    assert not PieceFolder.ids()


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"style": None}, 400, "no_file"),
        ({"style": SimpleUploadedFile("x.csv", b"")}, 422, "empty_file"),
        ({"style": SimpleUploadedFile("x.edf", b"no EDF")}, 422, None),
        ({"style": None, "style_starter": "nothing"}, 422, "no_such_starter"),
    ],
)
def test_a_wrong_input_names_its_field(
    api: Client, fields: dict[str, Any], status: int, code: str | None
) -> None:
    answer = api.post(URL, body(**fields))
    told = answer.json()
    assert (answer.status_code, told["field"]) == (status, "style")
    assert code in (None, told["code"])
    assert told["message"].endswith(".")


def test_somebody_elses_piece_is_not_there(begin: Begin) -> None:
    piece = make(begin(steps=1))
    other = program(make_painter("other"))
    for answer in (
        other.get(f"{URL}/{piece.pk}"),
        other.delete(f"{URL}/{piece.pk}"),
        other.get(f"{URL}/{piece.pk}/moments"),
        other.get(f"{URL}/{piece.pk}/moments/0/waveform.json"),
        other.get(f"{URL}/{piece.pk}/result/signal.csv"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_job")


def test_a_key_is_needed_and_the_right_one(painter: User, begin: Begin) -> None:
    piece = begin()
    assert Client().get(f"{URL}/{piece.pk}").status_code == 401
    wrong = program(painter, Scope.RECOGNISE).get(f"{URL}/{piece.pk}")
    assert (wrong.status_code, wrong.json()["code"]) == (403, "key_not_allowed")


def test_the_limit_is_429(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.conf.settings.STYLE_JOBS_PER_USER", 1)
    assert api.post(URL, body()).status_code == 202
    answer = api.post(URL, body())
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_jobs")
