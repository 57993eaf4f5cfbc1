"""A finished picture, looked into: by the painter, on the page, by the API."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from styletransfer.files import PictureFolder
from styletransfer.models import StyleJob
from styletransfer.services import asking, insights
from styletransfer.services.work_insights import give_insight
from styletransfer.tasks import paint
from tests.pictures import make_painter, make_row, photo
from tests.web.styletransfer.conftest import Start, run
from tests.web.styletransfer.minings import found
from webapp.accounts.models import User
from webapp.accounts.services import create_api_key
from webapp.jobs.models import Status
from webapp.jobs.redis import client

HTMX = {"HX-Request": "true"}
LAYERS = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]


@pytest.fixture
def browser(painter: User) -> Client:
    client = Client()
    client.force_login(painter)
    return client


@pytest.fixture
def painted(start: Start) -> StyleJob:
    """A finished picture that no one has looked into (and no one has really painted)."""
    job = start(steps=6)
    PictureFolder(job.pk).write_result(photo(3, (128, 85)))
    job.status, job.kept_step = Status.DONE, 6
    job.save()
    return job


def url(job: StyleJob) -> str:
    return reverse("styletransfer:insight", args=[job.pk])


def gram_url(job: StyleJob, layer: str = "relu3_1", which: str = "difference") -> str:
    return reverse("styletransfer:gram", args=[job.pk, layer, which])


def test_the_painter_looks_into_what_it_has_finished(start: Start) -> None:
    job = start(steps=6)
    paint(str(job.pk))
    job.refresh_from_db()
    found = insights.stored(job)
    assert job.status == Status.DONE
    assert found["extractor"] == "lite"
    assert found["version"] == job.made_with["version"]
    assert [row["name"] for row in found["layers"]] == LAYERS
    assert [row["units"] for row in found["layers"]] == [16, 32, 64, 128, 128]
    assert insights.progress(job) is None


def test_what_remains_is_what_the_job_ended_with(start: Start) -> None:
    """Within what rounding to a PNG's 8 bits does."""
    painted = run(start(steps=6))
    give_insight(painted.pk)
    by_name = {row["name"]: row for row in insights.stored(painted)["layers"]}
    at_content_layer = by_name[painted.cooked.content_layer]["content"]
    assert at_content_layer == pytest.approx(painted.losses["content"], rel=0.05)
    for row in by_name.values():
        assert row["content"] >= 0
        assert 0 < row["style"] < 2
        for pair in row["pairs"]:
            first, second = pair["units"]
            assert 0 <= first < second < row["units"]
            assert 0 < pair["style"] <= 1
        units = [k for pair in row["pairs"] for k in pair["units"]]
        assert len(units) == len(set(units))


def test_it_is_made_once(painted: StyleJob, monkeypatch: pytest.MonkeyPatch) -> None:
    give_insight(painted.pk)
    monkeypatch.setattr("styletransfer.services.work_insights._look", lambda _: 1 / 0)
    give_insight(painted.pk)
    insights.start_insight(job=painted)
    assert insights.progress(painted) is None


def test_another_picture_of_the_same_job_is_looked_into_anew(painted: StyleJob) -> None:
    give_insight(painted.pk)
    painted.kept_step = 4
    assert insights.stored(painted) is None


@pytest.mark.parametrize("recipe", [{"keep_colours": True}, {"content_layer": "relu2_1"}])
def test_of_any_recipe(start: Start, recipe: dict) -> None:
    job = run(start(steps=2, **recipe))
    give_insight(job.pk)
    assert len(insights.stored(job)["layers"]) == 5


def test_nothing_is_seen_of_what_is_not_finished(start: Start, browser: Client) -> None:
    job = start()
    give_insight(job.pk)
    assert insights.stored(job) is None
    assert "What remains" not in browser.get(job.get_absolute_url()).content.decode()
    answer = browser.post(url(job), headers=HTMX)
    assert answer.status_code == 404
    assert client().get(insights.progress_key(job)) is None


def test_a_job_that_was_deleted_meanwhile_leaves_nothing(
    painted: StyleJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = insights.store

    def deleted_first(job, *what) -> None:
        asking.delete_job(job=StyleJob.objects.get(pk=job.pk))
        store(job, *what)

    monkeypatch.setattr("styletransfer.services.work_insights.store", deleted_first)
    give_insight(painted.pk)
    assert PictureFolder(painted.pk).names("insight") == []
    assert str(painted.pk) not in PictureFolder.ids()


def test_a_failure_is_told_and_can_be_tried_again(
    painted: StyleJob, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("styletransfer.services.work_insights.look_into", lambda *_: 1 / 0)
        give_insight(painted.pk)
    page = browser.get(url(painted), headers=HTMX).content.decode()
    assert "Try again" in page
    assert "ZeroDivision" not in page
    page = browser.post(url(painted), headers=HTMX).content.decode()
    assert "as soon as it is free" in page
    give_insight(painted.pk)
    assert "relu5_1" in browser.get(url(painted), headers=HTMX).content.decode()


class TestPage:
    def test_it_begins_when_it_is_looked_at_and_is_then_there(
        self, painted: StyleJob, browser: Client
    ) -> None:
        page = browser.get(painted.get_absolute_url()).content.decode()
        assert 'hx-trigger="revealed, submit"' in page
        waiting = browser.post(url(painted), headers=HTMX).content.decode()
        assert 'hx-trigger="load delay:700ms"' in waiting
        client().set(insights.progress_key(painted), json.dumps({"done": 2, "of": 5}))
        assert "Layer 2 of 5." in browser.get(url(painted), headers=HTMX).content.decode()
        give_insight(painted.pk)
        ready = browser.get(painted.get_absolute_url()).content.decode()
        assert "hx-trigger" not in ready.partition('id="insight"')[2].partition("</section>")[0]
        assert ready.count("<details name=") == 5
        assert ready.count('name="insight-layer" open') == 1
        pair = insights.stored(painted)["layers"][2]["pairs"][0]
        for unit in pair["units"]:
            assert reverse("styletransfer:see_unit", args=["lite", "relu3_1", unit]) in ready
        assert "These two fire together" in ready

    def test_units_are_shown_once_the_houses_pictures_were_looked_through(
        self, painted: StyleJob, browser: Client
    ) -> None:
        give_insight(painted.pk)
        before = browser.get(url(painted), headers=HTMX).content.decode()
        assert 'class="sprite"' not in before
        assert reverse("styletransfer:see_layer", args=["lite", "relu3_1"]) in before
        mining = found(make_painter("other"))  # of the house's: everybody's
        page = browser.get(url(painted), headers=HTMX).content.decode()
        rows = insights.stored(painted)["layers"]
        units = [k for row in rows for pair in row["pairs"] for k in pair["units"]]
        assert page.count('class="sprite"') == len(units) - units.count(3)  # 3 is silent there
        assert reverse("styletransfer:mining_sheet", args=[mining.pk, "relu3_1", 0]) in page

    def test_without_a_script_the_button_leads_back(
        self, painted: StyleJob, browser: Client
    ) -> None:
        answer = browser.post(url(painted))
        assert (answer.status_code, answer["Location"]) == (302, painted.get_absolute_url())
        assert insights.progress(painted) == {"done": 0, "of": 0}

    def test_the_gram_matrices_are_pictures_of_their_units(
        self, painted: StyleJob, browser: Client
    ) -> None:
        assert browser.get(gram_url(painted)).status_code == 404
        give_insight(painted.pk)
        for which in insights.WHICH:
            answer = browser.get(gram_url(painted, which=which))
            pixels = np.asarray(Image.open(io.BytesIO(answer.content)))
            assert pixels.shape == (64, 64, 3)
            assert np.array_equal(pixels, pixels.swapaxes(0, 1))
            assert pixels.std() > 1
        assert browser.get(gram_url(painted, "relu1_2")).status_code == 404
        assert browser.get(gram_url(painted, which="content")).status_code == 404

    def test_it_is_the_painters_alone(self, painted: StyleJob) -> None:
        give_insight(painted.pk)
        other = Client()
        other.force_login(make_painter("other"))
        for address in (url(painted), gram_url(painted)):
            assert other.get(address, headers=HTMX).status_code == 404
            assert Client().get(address).status_code == 302
        assert other.post(url(painted), headers=HTMX).status_code == 404

    def test_asking_has_a_limit(self, painted: StyleJob, browser: Client, settings) -> None:
        settings.RATE_LIMITS = settings.RATE_LIMITS | {"look": "1/minute"}
        codes = [browser.post(url(painted), headers=HTMX).status_code for _ in range(2)]
        assert codes == [200, 429]


class TestApi:
    @pytest.fixture
    def api(self, painter: User) -> Client:
        _, secret = create_api_key(user=painter, scopes=["paint"])
        return Client(headers={"Authorization": f"Bearer {secret}"})

    @staticmethod
    def address(job: StyleJob) -> str:
        return f"/api/v1/style-jobs/{job.pk}/insight"

    def test_it_is_begun_followed_and_fetched(self, painted: StyleJob, api: Client) -> None:
        first = api.get(self.address(painted))
        assert (first.status_code, first.json()) == (202, {"done": 0, "of": 0})
        give_insight(painted.pk)
        answer = api.get(self.address(painted))
        layers = answer.json()["layers"]
        assert [layer["name"] for layer in layers] == LAYERS
        gram = api.get(layers[1]["grams"]["picture"])
        assert (gram.status_code, gram["Content-Type"]) == (200, "image/png")
        assert api.get(f"{self.address(painted)}/relu1_1/nothing.png").status_code == 404

    def test_not_before_there_is_a_picture(self, painter: User, api: Client) -> None:
        answer = api.get(self.address(make_row(painter)))
        assert (answer.status_code, answer.json()["code"]) == (404, "no_picture_yet")

    def test_nobody_elses(self, api: Client) -> None:
        answer = api.get(self.address(make_row(make_painter("other"))))
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_job")
