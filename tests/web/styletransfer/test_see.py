"""The pages of what the network sees: walls, units, photos tried and pictures made for them."""

from __future__ import annotations

import base64
import io
import json
import re
import uuid
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from styletransfer.models import Corpus, Mining
from styletransfer.services import excited
from styletransfer.services import minings as services
from tests.pictures import image_bytes, make_painter, photo
from tests.web.styletransfer.minings import found, holiday, packed, staged
from webapp import archives
from webapp.accounts.models import User
from webapp.accounts.roles import Role
from webapp.jobs import photo_ask
from webapp.jobs.models import Status
from webapp.jobs.redis import client as redis


@pytest.fixture
def browser(painter: User) -> Client:
    client = Client()
    client.force_login(painter)
    return client


def signed_in(name: str, role: Role = Role.PAINTER) -> Client:
    client = Client()
    client.force_login(make_painter(name, role))
    return client


def pages_of(mining: Mining) -> list[str]:
    """Every address that shows something of a mining."""
    url, pk = f"/see/{mining.network}", mining.pk
    pages = [f"{url}/", f"{url}/relu2_1/", f"{url}/relu2_1/5/"]
    return [f"{page}?in={pk}" for page in pages] + [
        reverse("styletransfer:mining_panel", args=[pk]),
        reverse("styletransfer:mining_sheet", args=[pk, "relu2_1", 0]),
        reverse("styletransfer:mining_patch", args=[pk, "relu2_1", 5, 0]),
        reverse("styletransfer:mining_source", args=[pk, "0"]),
        reverse("styletransfer:mining_filter", args=[pk, 0]),
    ]


class TestWhoSeesWhat:
    def test_a_visitor_signs_in(self, painter: User) -> None:
        for url in ["/see/", *pages_of(found(painter))]:
            answer = Client().get(url)
            assert answer.status_code == 302, url
            assert answer["Location"].startswith("/sign-in/")

    def test_ones_own_oneself_alone(self, painter: User, browser: Client) -> None:
        mining, other = found(painter, Corpus.ARCHIVE, source="holiday.zip"), signed_in("other")
        administrator = signed_in("grace", Role.ADMINISTRATOR)
        for url in pages_of(mining):
            assert browser.get(url).status_code == 200, url
            assert other.get(url).status_code == 404, url
            assert administrator.get(url).status_code == 404, url
        for act in ("pause", "resume", "cancel", "delete"):
            url = f"/see/minings/{mining.pk}/{act}/"
            assert other.post(url).status_code == 404
            assert other.get(url).status_code == 405
        for url in ("/see/", "/see/lite/"):
            assert "holiday.zip" in browser.get(url).content.decode()
            assert "holiday.zip" not in other.get(url).content.decode()

    def test_the_houses_everybody(self, painter: User) -> None:
        mining, other = found(painter), signed_in("other")
        for url in pages_of(mining):
            assert other.get(url).status_code == 200, url
        assert other.post(f"/see/minings/{mining.pk}/delete/").status_code == 403
        assert (
            signed_in("grace", Role.ADMINISTRATOR)
            .post(f"/see/minings/{mining.pk}/delete/")
            .status_code
            == 302
        )
        assert not Mining.objects.exists()

    def test_what_there_is_not(self, painter: User, browser: Client) -> None:
        mining = found(painter)
        for url in (
            "/see/resnet/",
            "/see/lite/relu9_1/",
            "/see/lite/relu1_1/16/",
            "/see/lite/?in=x",
            f"/see/lite/?in={uuid.uuid4()}",
            f"/see/face/?in={mining.pk}",  # of another network
            f"/see/minings/{mining.pk}/sources/7.jpg",
            f"/see/minings/{mining.pk}/sources/..%2Fmining.json.jpg",
            f"/see/minings/{mining.pk}/patches/relu1_1/0/9.png",
            f"/see/minings/{mining.pk}/patches/relu1_1/3/0.png",
            f"/see/minings/{mining.pk}/sheets/relu1_1-7.jpg",
            f"/see/minings/{mining.pk}/filters/99.png",
        ):
            assert browser.get(url).status_code == 404, url
        assert browser.post(f"/see/minings/{mining.pk}/explode/").status_code == 404


class TestPages:
    def test_where_nothing_was_seen_one_button_begins(self, browser: Client) -> None:
        for url in ("/see/", "/see/lite/", "/see/lite/relu1_1/", "/see/lite/relu1_1/0/"):
            page = browser.get(url).content.decode()
            assert "Show it the house’s pictures" in page, url
        answer = browser.post("/see/minings/", {"network": "lite", "corpus": "house"})
        mining = Mining.objects.get()
        assert answer["Location"] == mining.get_absolute_url() == f"/see/lite/?in={mining.pk}"
        for url in (answer["Location"], "/see/lite/relu1_1/", "/see/lite/relu1_1/0/"):
            page = browser.get(url).content.decode()
            assert f'data-job="{mining.pk}"' in page, url
            assert "Show it the house’s pictures" not in page

    def test_vgg19_says_how_to_get_it(self, browser: Client, settings: Any) -> None:
        settings.VGG19_WEIGHTS = "/nowhere.pth"
        assert "VGG19_WEIGHTS" in browser.get("/see/").content.decode()
        page = browser.get("/see/vgg19/relu1_1/0/").content.decode()
        assert "VGG19_WEIGHTS" in page
        assert 'id="try"' not in page

    def test_a_network_shows_its_layers(self, painter: User, browser: Client) -> None:
        found(painter)
        page = browser.get("/see/lite/").content.decode()
        assert [f"Layer {n}</h2>" in page for n in range(1, 6)] == [True] * 5
        assert "sees 10 × 10 pixels" in page  # relu2_1
        assert 'href="/see/lite/relu5_1/"' in page
        face = browser.get("/see/face/").content.decode()
        assert "sees 7 × 7 pixels" in face
        assert "sees the whole face" in face  # 899 pixels, of the 150 that it is shown

    def test_a_wall_in_either_order(self, painter: User, browser: Client) -> None:
        found(painter)
        by_number = browser.get("/see/lite/relu1_1/?by=number").content.decode()
        tiles = r'class="tile" href="/see/lite/relu1_1/(\d+)/"'
        assert re.findall(tiles, by_number) == [str(n) for n in range(16)]
        strongest = browser.get("/see/lite/relu1_1/").content.decode()
        assert re.findall(tiles, strongest) == [str(n) for n in range(15, -1, -1) if n != 3] + ["3"]
        assert "1 unit of these answered to nothing" in strongest

    def test_a_unit_shows_its_patches_boxed(self, painter: User, browser: Client) -> None:
        mining = found(painter)
        page = browser.get("/see/lite/relu2_1/5/").content.decode()
        assert "Picture 0 of vera" in page
        # relu2_1 sees 10 pixels from -4 on, every 2: the hit at row 1, column 2 lies at 0, -2.
        assert (
            'data-place="0.0 0.0 10.417 12.5" data-width="96" data-height="64" data-beyond' in page
        )
        patch = browser.get(f"/see/minings/{mining.pk}/patches/relu2_1/5/0.png")
        assert patch["Content-Type"] == "image/png"
        assert Image.open(io.BytesIO(patch.content)).size == (240, 240)
        assert 'href="/see/lite/relu2_1/4/"' in page
        assert 'href="/see/lite/relu2_1/6/"' in page
        assert "Its filter" not in page
        assert "Its filter" in browser.get("/see/lite/relu1_1/0/").content.decode()
        assert "Silent" in browser.get("/see/lite/relu2_1/3/").content.decode()

    def test_links_keep_the_corpus(self, painter: User, browser: Client) -> None:
        own = found(painter, Corpus.ARCHIVE)
        page = browser.get(f"/see/lite/relu2_1/5/?in={own.pk}").content.decode()
        assert f'href="/see/lite/relu2_1/6/?in={own.pk}"' in page
        assert f'href="/see/lite/relu2_1/?in={own.pk}"' in page

    def test_learn_is_for_painters_too(self, browser: Client) -> None:
        page = browser.get("/see/").content.decode()
        assert re.search(r'href="/see/" aria-current="page">Learn<', page)
        assert "Learning by threes" not in page
        assert (
            "Learning by threes" in signed_in("olga", Role.OPERATOR).get("/see/").content.decode()
        )


class TestBegin:
    def test_an_archive_that_travelled_ahead(self, painter: User, browser: Client) -> None:
        _, receipt = staged(painter, holiday())
        body = {"network": "lite", "corpus": "archive", "archive": receipt, "archive_name": "h.zip"}
        answer = browser.post("/see/minings/", body, headers={"HX-Request": "true"})
        mining = Mining.objects.get()
        assert answer["HX-Redirect"] == mining.get_absolute_url()
        assert (mining.source, mining.total) == ("h.zip", 3)

    def test_without_the_script(self, browser: Client) -> None:
        upload = SimpleUploadedFile("h.zip", packed(holiday()))
        body = {"network": "lite", "corpus": "archive", "archive": upload}
        assert browser.post("/see/minings/", body).status_code == 302
        services.delete_mining(mining=Mining.objects.get())

    @pytest.mark.parametrize(
        ("body", "status", "says"),
        [
            ({"network": "lite", "corpus": "archive"}, 422, "There is no archive"),
            ({"network": "lite", "corpus": "gallery"}, 422, "no finished picture"),
            ({"network": "lite", "corpus": "world"}, 422, "Choose which pictures"),
            ({"corpus": "house"}, 422, "Choose a network"),
        ],
    )
    def test_refusals_are_sentences(
        self, browser: Client, body: dict[str, str], status: int, says: str
    ) -> None:
        for headers in ({"HX-Request": "true"}, {}):
            answer = browser.post("/see/minings/", body, headers=headers)
            assert answer.status_code == status
            assert says in answer.content.decode()
        assert not Mining.objects.exists()

    def test_anothers_archive(self, painter: User, browser: Client) -> None:
        archive, receipt = staged(make_painter("other"), holiday())
        body = {"network": "lite", "corpus": "archive", "archive": receipt}
        assert browser.post("/see/minings/", body).status_code == 410
        archives.discard(archive)

    def test_not_too_often(self, browser: Client, settings: Any) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "mine": "1/hour"}
        body = {"network": "lite", "corpus": "house"}
        assert browser.post("/see/minings/", body).status_code == 302
        assert browser.post("/see/minings/", body).status_code == 429

    def test_pause_and_go_on(self, painter: User, browser: Client) -> None:
        browser.post("/see/minings/", {"network": "lite", "corpus": "house"})
        mining = Mining.objects.get()
        panel = browser.post(f"/see/minings/{mining.pk}/pause/", headers={"HX-Request": "true"})
        assert "Go on" in panel.content.decode()
        browser.post(f"/see/minings/{mining.pk}/resume/")
        mining.refresh_from_db()
        assert mining.status == Status.QUEUED
        assert signed_in("other").post(f"/see/minings/{mining.pk}/cancel/").status_code == 403


HEAT = "/see/lite/relu2_1/5/heat/"


def try_on(browser: Client, picture: bytes = b"", url: str = HEAT) -> Any:
    upload = SimpleUploadedFile("photo.png", picture or image_bytes(photo(1)), "image/png")
    return browser.post(url, {"photo": upload})


def worker_looks(user: User, url: str, layer: str = "relu2_1", network: str = "lite") -> None:
    from styletransfer.services.work_looks import give_look

    give_look(user.pk, uuid.UUID(url.split("/")[-2]), network, layer, 5)


class TestTryIt:
    def test_a_photo_is_looked_at_and_forgotten(self, painter: User, browser: Client) -> None:
        answer = try_on(browser)
        assert answer.status_code == 202
        url = answer.json()["url"]
        assert browser.get(url).status_code == 202  # no worker yet
        assert redis().llen("faces") == 1
        worker_looks(painter, url)
        answer = browser.get(url)
        assert answer.status_code == 200
        seen = answer.json()
        assert (seen["width"], seen["height"]) == (96, 64)
        overlay = Image.open(io.BytesIO(base64.b64decode(seen["overlay"])))
        assert (overlay.size, overlay.mode) == ((96, 64), "RGBA")
        assert Image.open(io.BytesIO(base64.b64decode(seen["picture"]))).size == (96, 64)
        activations = [activation for _, activation in seen["strongest"]]
        assert activations == sorted(activations, reverse=True)
        assert max(activations) >= seen["peak"]
        left, top, right, bottom = seen["box"]
        assert 0 <= left < right <= 96
        assert 0 <= top < bottom <= 64
        # Told once; then nothing of it is anywhere.
        assert browser.get(url).status_code == 404
        assert not list(redis().scan_iter("look:*"))
        assert not list(settings.MEDIA_ROOT.iterdir())

    def test_an_answer_is_its_askers(self, painter: User, browser: Client) -> None:
        url = try_on(browser).json()["url"]
        worker_looks(painter, url)
        assert signed_in("other").get(url).status_code == 404
        assert browser.get(url).status_code == 200

    def test_it_waits_for_a_minute_at_most(self, browser: Client) -> None:
        try_on(browser)
        lives = [redis().ttl(key) for key in redis().scan_iter("look:*")]
        assert len(lives) == 2
        assert all(0 < life <= photo_ask.LIFE for life in lives)

    def test_no_face_for_the_face_encoder(self, painter: User, browser: Client) -> None:
        url = try_on(browser, url="/see/face/stem/5/heat/").json()["url"]
        worker_looks(painter, url, "stem", "face")
        answer = browser.get(url)
        assert (answer.status_code, answer.json()["code"]) == (422, "no_face")

    def test_what_is_no_photo(self, browser: Client) -> None:
        answer = try_on(browser, b"this is text")
        assert (answer.status_code, answer.json()["code"]) == (415, "not_an_image")
        assert browser.post(HEAT).json()["code"] == "no_file"
        assert try_on(browser, url="/see/lite/relu2_1/999/heat/").status_code == 404

    def test_not_too_often(self, browser: Client, settings: Any) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "look": "1/hour"}
        assert try_on(browser).status_code == 202
        assert try_on(browser).status_code == 429


EXCITE = "/see/lite/relu1_1/5/excite/"


class TestExcited:
    def test_made_once_when_first_asked_for(self, browser: Client) -> None:
        from styletransfer.services.work_excited import make_exciting

        picture = "/see/lite/relu1_1/5/excited.jpg"
        assert browser.get(EXCITE).json() == {}
        assert browser.get(picture).status_code == 404
        assert browser.post(EXCITE).json() == {"step": 0, "steps": 0}
        signed_in("other").post(EXCITE)
        assert redis().llen("style") == 1  # whoever comes second watches
        make_exciting("lite", "relu1_1", 5)
        told = browser.get(EXCITE).json()
        assert told["done"] is True
        assert told["activation"] > 0
        assert Image.open(io.BytesIO(browser.get(picture).content)).format == "JPEG"
        browser.post(EXCITE)
        assert redis().llen("style") == 1
        assert "excited.jpg" in browser.get("/see/lite/relu1_1/5/").content.decode()

    def test_a_unit_that_nothing_excites(self, browser: Client) -> None:
        folder = excited.ExcitedFolder("lite")
        folder.write("relu1_1/5.jpg", b"x")
        folder.write("relu1_1/5.json", b'{"activation": 0.0, "seconds": 1.0}')
        assert "never learnt" in browser.get("/see/lite/relu1_1/5/").content.decode()

    def test_a_failure_is_told_and_can_be_tried_again(self, browser: Client) -> None:
        key = excited.progress_key("lite", "relu1_1", 5)
        redis().set(key, json.dumps({"code": "x", "message": "No.", "hint": ""}))
        assert browser.get(EXCITE).json()["message"] == "No."
        assert browser.post(EXCITE).json() == {"step": 0, "steps": 0}
        assert redis().llen("style") == 1

    def test_other_weights_make_another(self, painter: User) -> None:
        folder = excited.ExcitedFolder("lite")
        folder.belong_to("a")
        folder.write("relu1_1/5.jpg", b"x")
        folder.belong_to("a")
        assert folder.picture("relu1_1", 5) == b"x"
        folder.belong_to("b")
        with pytest.raises(FileNotFoundError):
            folder.picture("relu1_1", 5)

    def test_visitors_make_nothing(self, painter: User) -> None:
        assert Client().post(EXCITE).status_code == 302
        assert redis().llen("style") == 0
