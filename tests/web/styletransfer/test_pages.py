"""The pages: who sees what, what the form refuses and how, and the pictures' way out."""

from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from styletransfer.core.types import Recipe
from styletransfer.files import RESULT, PictureFolder
from styletransfer.models import StyleJob
from styletransfer.services import asking
from tests.pictures import image_bytes, make_painter, photo
from tests.web.styletransfer.conftest import Start
from webapp.accounts.models import User
from webapp.jobs.models import Status

PAINT = "/paint/"


@pytest.fixture
def browser(painter: User) -> Client:
    client = Client()
    client.force_login(painter)
    return client


def upload(seed: int = 1, name: str = "photo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, image_bytes(photo(seed)), "image/png")


def form(**fields: object) -> dict[str, object]:
    return {"content": upload(1), "style": upload(2, "waves.png"), "size": 128, "steps": 3} | fields


class TestWhoSeesWhat:
    PAGES = ["paint", "gallery"]
    OF_A_JOB = ["job", "panel", "curve", "result", "content", "style", "thumb"]
    ACTIONS = ["cancel", "pause", "resume", "delete"]

    def test_a_visitor_is_sent_to_sign_in(self, start: Start) -> None:
        job = start()
        urls = [reverse(f"styletransfer:{name}") for name in self.PAGES]
        urls += [reverse(f"styletransfer:{n}", args=[job.pk]) for n in self.OF_A_JOB]
        for url in urls:
            answer = Client().get(url)
            assert answer.status_code == 302
            assert answer["Location"].startswith("/sign-in/")

    def test_a_painter_does_not_see_anothers(self, start: Start) -> None:
        job, other = start(), Client()
        PictureFolder(job.pk).write_result(photo(1))
        StyleJob.objects.update(kept_step=1)
        other.force_login(make_painter("other"))
        for name in self.OF_A_JOB:
            url = reverse(f"styletransfer:{name}", args=[job.pk])
            assert other.get(url).status_code == 404, name
        for name in self.ACTIONS:
            url = reverse(f"styletransfer:{name}", args=[job.pk])
            assert other.post(url).status_code == 404, name
        assert "Harbour" not in other.get("/pictures/").content.decode()
        assert other.get(f"/paint/?like={job.pk}").status_code == 200
        assert "Harbour, as" not in other.get(f"/paint/?like={job.pk}").content.decode()
        answer = other.post(PAINT, {"like": str(job.pk), "size": 128, "steps": 3})
        assert answer.status_code == 422  # its pictures cannot be borrowed either
        assert StyleJob.objects.count() == 1

    def test_one_without_a_role_is_told_why(self, painter: User) -> None:
        painter.groups.clear()
        client = Client()
        client.force_login(painter)
        answer = client.get(PAINT)
        assert answer.status_code == 403
        assert "may not paint" in answer.content.decode()

    @pytest.mark.parametrize("name", ACTIONS)
    def test_nothing_happens_by_a_link(self, browser: Client, start: Start, name: str) -> None:
        job = start()
        assert browser.get(reverse(f"styletransfer:{name}", args=[job.pk])).status_code == 405
        job.refresh_from_db()
        assert job.status == Status.QUEUED


class TestPaint:
    def test_starts_a_job_and_goes_to_its_page(self, browser: Client) -> None:
        answer = browser.post(PAINT, form(optimiser="adam", style_weight=70, keep_colours="on"))
        job = StyleJob.objects.get()
        assert (answer.status_code, answer["Location"]) == (302, job.get_absolute_url())
        assert job.title == "Photo, as Waves"
        recipe = job.cooked
        assert (recipe.size, recipe.steps, recipe.optimiser) == (128, 3, "adam")
        assert (recipe.style_weight, recipe.keep_colours) == (70, True)
        assert recipe.layer_weights == Recipe().layer_weights

    def test_tells_htmx_where_to_go(self, browser: Client) -> None:
        answer = browser.post(PAINT, form(), headers={"HX-Request": "true"})
        assert answer["HX-Redirect"] == StyleJob.objects.get().get_absolute_url()

    def test_every_default_of_the_page_is_the_recipes(self, browser: Client) -> None:
        """What the page shows at first, sent as it is, is the default recipe."""
        page = browser.get(PAINT).content.decode()
        sent: dict[str, object] = {}
        for tag in re.findall(r"<input[^>]+>", page):
            attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
            kind, name = attributes.get("type"), attributes.get("name", "")
            if kind in ("number", "range") or (kind in ("radio", "checkbox") and " checked" in tag):
                sent[name] = attributes.get("value", "on")
        sent["content_layer"] = re.search(r"<option selected>(\w+)", page)[1]
        browser.post(PAINT, {**sent, "content": upload(1), "style": upload(2)})
        assert StyleJob.objects.get().cooked == Recipe()

    def test_layer_weights(self, browser: Client) -> None:
        weights = {f"weight_relu{n}_1": w for n, w in enumerate([0, 1, 2.5, 0, 0], start=1)}
        browser.post(PAINT, form(**weights))
        assert StyleJob.objects.get().cooked.layer_weights == {"relu2_1": 1.0, "relu3_1": 2.5}

    def test_starters(self, browser: Client) -> None:
        chosen = {"content_starter": "harbour", "style_starter": "waves", "size": 128}
        assert browser.post(PAINT, chosen).status_code == 302
        assert StyleJob.objects.get().title == "Harbour at dusk, as Indigo swell"

    def test_again_with_other_parameters(self, browser: Client, start: Start) -> None:
        job = start(steps=77, seed=5, optimiser="adam", style_scales=3)
        page = browser.get(f"/paint/?like={job.pk}").content.decode()
        assert re.search(r'name="steps" value="77"', page)
        assert re.search(r'value="adam" checked', page)
        assert re.search(r'name="style_scales" value="3" checked', page)
        browser.post(PAINT, {"like": str(job.pk), "size": 128, "steps": 9, "seed": 6})
        again = StyleJob.objects.exclude(pk=job.pk).get()
        assert (again.steps, again.cooked.seed) == (9, 6)
        for name in ("content.jpg", "style.jpg"):
            old, new = (PictureFolder(j.pk).picture(name) for j in (job, again))
            assert old.size == new.size

    @pytest.mark.parametrize(
        ("wrong", "field", "sentence"),
        [
            ({"content": None}, "content", "no photo yet"),
            ({"style": None}, "style", "no style picture yet"),
            ({"content": SimpleUploadedFile("a.png", b"")}, "content", "empty"),
            ({"content": SimpleUploadedFile("a.png", b"no picture")}, "content", "not a picture"),
            ({"style": SimpleUploadedFile("a.png", image_bytes(photo(1))[:900])}, "style", "damag"),
            ({"size": 64}, "size", "between 128 and 1024"),
            ({"size": "large"}, "size", "whole number"),
            ({"steps": 0}, "steps", "between 1 and 2000"),
            ({"steps": 99999}, "steps", "between 1 and 2000"),
            ({"style_weight": "nan"}, "style_weight", "number"),
            ({"style_weight": 101}, "style_weight", "between 0 and 100"),
            ({"optimiser": "magic"}, "optimiser", "magic"),
            ({"start": "nowhere"}, "start", "nowhere"),
            ({"extractor": "vgg99"}, "extractor", "vgg99"),
            ({"content_layer": "relu9_9"}, "content_layer", "relu"),
            ({"learning_rate": 1e9}, "learning_rate", "between"),
            ({f"weight_relu{n}_1": 0 for n in range(1, 6)}, "", "at least one layer"),
            ({"weight_relu1_1": -1}, "", "between 0 and 100"),
            ({"style_scales": 4}, "style_scales", "between 1 and 3"),
            ({"title": "x" * 121}, "title", "120"),
        ],
    )
    def test_what_is_wrong_is_said_at_its_field(
        self, browser: Client, wrong: dict[str, object], field: str, sentence: str
    ) -> None:
        sent = {k: v for k, v in form(**wrong).items() if v is not None}
        answer = browser.post(PAINT, sent, headers={"HX-Request": "true"})
        text = answer.content.decode()
        assert answer.status_code == 422
        assert "error-summary" in text
        assert sentence in text
        if field:
            assert re.search(rf'id="{field}-error" hx-swap-oob="true">[^<]*\w', text)
            assert f'href="#id_{field}"' in text
        assert not StyleJob.objects.exists()
        assert not PictureFolder.ids()

    def test_without_a_script_what_was_typed_stays(self, browser: Client) -> None:
        answer = browser.post(PAINT, form(size=64, steps=123, title="Mine"))
        text = answer.content.decode()
        assert answer.status_code == 422
        assert 'name="steps" value="123"' in text
        assert 'value="Mine"' in text
        assert "between 128 and 1024" in text


class TestJobPage:
    def test_tells_status_parameters_and_what_can_be_done(
        self, browser: Client, start: Start
    ) -> None:
        job = start(optimiser="adam")
        page = browser.get(job.get_absolute_url()).content.decode()
        for text in ("Harbour, as Waves", "Waiting", "Pause", "Cancel", "Adam", "128 × 85"):
            assert text in page
        assert "Download" not in page

    def test_a_failed_one_says_why(self, browser: Client, start: Start) -> None:
        job = start()
        error = {"code": "x", "message": "It left all bounds.", "hint": "Try less."}
        StyleJob.objects.update(status=Status.FAILED, error=error)
        page = browser.get(job.get_absolute_url()).content.decode()
        assert "It left all bounds. Try less." in page

    def test_pause_resume_cancel_delete(self, browser: Client, start: Start) -> None:
        job = start()

        def act(name: str) -> str:
            url = reverse(f"styletransfer:{name}", args=[job.pk])
            return browser.post(url, headers={"HX-Request": "true"}).content.decode()

        assert "Paused" in act("pause")
        assert "Waiting" in act("resume")
        assert "Cancelled" in act("cancel")
        act("delete")
        assert not StyleJob.objects.exists()

    def test_without_a_script_too(self, browser: Client, start: Start) -> None:
        job = start()
        answer = browser.post(reverse("styletransfer:pause", args=[job.pk]))
        assert (answer.status_code, answer["Location"]) == (302, job.get_absolute_url())

    def test_files_go_to_their_owner_and_into_no_shared_cache(
        self, browser: Client, start: Start
    ) -> None:
        job = start()
        result = reverse("styletransfer:result", args=[job.pk])
        assert browser.get(result).status_code == 404
        PictureFolder(job.pk).write_result(photo(3))
        StyleJob.objects.update(kept_step=3)
        answer = browser.get(result)
        assert answer.content == PictureFolder(job.pk).open(RESULT).read()
        assert answer["Content-Type"] == "image/png"
        for name in ("result", "content", "style", "thumb"):
            answer = browser.get(reverse(f"styletransfer:{name}", args=[job.pk]))
            assert "private" in answer["Cache-Control"]
        down = browser.get(result + "?download")
        assert down["Content-Disposition"] == 'attachment; filename="harbour-as-waves.png"'

    def test_the_curve(self, browser: Client, start: Start) -> None:
        job = start()
        StyleJob.objects.update(curve=b"\0" * 24)
        answer = browser.get(reverse("styletransfer:curve", args=[job.pk]))
        assert answer.content == b"\0" * 24


class TestGallery:
    def test_an_empty_wall_says_what_to_do(self, browser: Client) -> None:
        page = browser.get("/pictures/").content.decode()
        assert "Paint the first picture" in page

    def test_shows_the_painters_own(self, browser: Client, start: Start) -> None:
        start(title="First"), start(title="Second")
        start(title="Foreign", owner=make_painter("other"))
        page = browser.get("/pictures/").content.decode()
        assert page.index("Second") < page.index("First")
        assert "Foreign" not in page
        assert "every 4s" in page  # something moves: it looks again
        for job in StyleJob.objects.all():
            asking.cancel_job(job=job)
        assert "every 4s" not in browser.get("/pictures/").content.decode()
