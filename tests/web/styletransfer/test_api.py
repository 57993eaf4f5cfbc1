"""/api/v1/style-jobs, as a program uses it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from styletransfer.files import PictureFolder
from styletransfer.models import StyleJob
from tests.pictures import image_bytes, make_painter, photo
from tests.web.styletransfer.conftest import Start, run
from webapp.accounts.models import Scope, User
from webapp.accounts.services import create_api_key

URL = "/api/v1/style-jobs"


def program(user: User, *scopes: Scope) -> Client:
    _, secret = create_api_key(user=user, scopes=scopes)
    return Client(headers={"Authorization": f"Bearer {secret}"})


@pytest.fixture
def api(painter: User) -> Client:
    return program(painter, Scope.PAINT)


def upload(seed: int = 1) -> SimpleUploadedFile:
    return SimpleUploadedFile("photo.png", image_bytes(photo(seed)), "image/png")


def body(recipe: Any = None, **fields: Any) -> dict[str, Any]:
    recipe = {"size": 128, "steps": 2} if recipe is None else recipe
    text = recipe if isinstance(recipe, str) else json.dumps(recipe)
    return {"content": upload(1), "style": upload(2), "recipe": text} | fields


def test_from_start_to_picture(api: Client) -> None:
    answer = api.post(URL, body())
    assert answer.status_code == 202
    told = answer.json()
    job = StyleJob.objects.get()
    assert told == {
        "id": str(job.pk),
        "status": "queued",
        "url": f"http://testserver{URL}/{job.pk}",
        "ws": f"ws://testserver/ws/jobs/{job.pk}/",
    }
    waiting = api.get(told["url"]).json()
    assert waiting == {
        "id": str(job.pk),
        "status": "queued",
        "step": 0,
        "steps": 2,
        "losses": None,
        "seconds_left": None,
        "result_url": None,
        "error": None,
    }
    early = api.get(f"{told['url']}/result")
    assert (early.status_code, early.json()["code"]) == (404, "no_picture_yet")
    run(job)
    done = api.get(told["url"]).json()
    assert (done["status"], done["step"]) == ("done", 2)
    assert set(done["losses"]) == {"total", "content", "style"}
    picture = api.get(done["result_url"])
    assert picture["Content-Type"] == "image/png"
    assert picture.content[:4] == b"\x89PNG"


def test_all_of_the_recipe_may_be_left_out(api: Client) -> None:
    assert api.post(URL, {"content": upload(1), "style": upload(2)}).status_code == 202


def test_delete_cancels_and_says_what_became_of_it(api: Client, start: Start) -> None:
    job = start()
    answer = api.delete(f"{URL}/{job.pk}")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert api.delete(f"{URL}/{job.pk}").json()["status"] == "cancelled"
    done = run(start(steps=1))
    assert api.delete(f"{URL}/{done.pk}").json()["status"] == "done"


@pytest.mark.parametrize(
    ("recipe", "field", "words"),
    [
        ("not json", "recipe", "not a JSON object"),
        ("[1]", "recipe", "must be an object"),
        ({"size": 64}, "size", "between 128 and 1024"),
        ({"size": 128.5}, "size", "whole number"),
        ({"size": True}, "size", "whole number"),
        ({"steps": 0}, "steps", "between 1 and 2000"),
        ({"steps": "many"}, "steps", "whole number"),
        ('{"style_weight": NaN}', "style_weight", "between 0 and 100"),
        ({"optimiser": "magic"}, "optimiser", "one of lbfgs"),
        ({"extractor": ["lite"]}, "extractor", "one of"),
        ({"brush": 3}, "brush", "not part of a recipe"),
        ({"layer_weights": {"relu9_9": 1}}, "layer_weights", "no layer"),
        ({"keep_colours": "yes"}, "keep_colours", "true or false"),
    ],
)
def test_a_wrong_recipe_names_its_field(api: Client, recipe: Any, field: str, words: str) -> None:
    answer = api.post(URL, body(recipe))
    told = answer.json()
    assert answer.status_code == 422
    assert told["field"] == field
    assert words in told["message"]
    assert not StyleJob.objects.exists()
    assert not PictureFolder.ids()


def test_a_wrong_picture_names_its_field(api: Client) -> None:
    answer = api.post(URL, body(style=SimpleUploadedFile("x.png", b"no picture")))
    assert answer.status_code == 415
    assert (answer.json()["code"], answer.json()["field"]) == ("not_an_image", "style")
    missing = api.post(URL, {"content": upload()})
    assert missing.status_code == 422
    assert "style" in missing.json()["message"]


def test_somebody_elses_job_is_not_there(start: Start) -> None:
    job = start()
    other = program(make_painter("other"))
    for answer in (
        other.get(f"{URL}/{job.pk}"),
        other.delete(f"{URL}/{job.pk}"),
        other.get(f"{URL}/{job.pk}/result"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_job")
    job.refresh_from_db()
    assert job.status == "queued"


def test_a_key_is_needed_and_the_right_one(painter: User, start: Start) -> None:
    job = start()
    assert Client().get(f"{URL}/{job.pk}").status_code == 401
    wrong = program(painter, Scope.RECOGNISE).get(f"{URL}/{job.pk}")
    assert (wrong.status_code, wrong.json()["code"]) == (403, "key_not_allowed")


def test_the_limit_is_429(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.conf.settings.STYLE_JOBS_PER_USER", 1)
    assert api.post(URL, body()).status_code == 202
    answer = api.post(URL, body())
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_jobs")
