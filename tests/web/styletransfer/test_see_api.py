"""/api/v1/networks and /api/v1/minings, as a program uses them."""

from __future__ import annotations

import io
import threading
import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from styletransfer.models import Corpus, Mining
from styletransfer.services.excited import ExcitedFolder
from tests.pictures import image_bytes, make_painter, photo
from tests.web.styletransfer.minings import found, holiday, staged
from tests.web.styletransfer.test_api import program
from webapp.accounts.models import Scope, User
from webapp.accounts.roles import Role
from webapp.jobs.models import Status
from webapp.jobs.redis import client as redis

MININGS = "/api/v1/minings"


@pytest.fixture
def api(painter: User) -> Client:
    return program(painter, Scope.PAINT)


def send(api: Client, **body: Any) -> Any:
    return api.post(MININGS, body, content_type="application/json")


def test_networks_and_what_their_units_see(api: Client, painter: User) -> None:
    lite, _, face = api.get("/api/v1/networks").json()
    assert (lite["name"], lite["here"], lite["house"]) == ("lite", True, None)
    assert lite["layers"][0] == {
        "name": "relu1_1", "group": 1, "units": 16, "size": 3, "stride": 1, "start": -1,
    }  # fmt: skip
    assert face["layers"][0]["size"] == 7
    mining = found(painter)
    assert api.get("/api/v1/networks").json()[0]["house"] == str(mining.pk)


def test_from_archive_to_mining(api: Client, painter: User) -> None:
    answer = api.post("/api/v1/archives")
    assert answer.status_code == 201  # a painter's key may send one
    _, receipt = staged(painter, holiday())
    answer = send(api, network="lite", corpus="archive", archive=receipt, source="h.zip")
    assert answer.status_code == 202
    told = answer.json()
    assert (told["status"], told["total"], told["found"]) == ("queued", 3, False)
    one = f"{MININGS}/{told['id']}"
    assert api.get(one).json() == told == api.get(MININGS).json()[0]
    assert api.post(f"{one}/pause").json()["status"] == "paused"
    assert api.post(f"{one}/resume").json()["status"] == "queued"
    assert api.post(f"{one}/explode").status_code == 422
    assert api.delete(one).status_code == 204
    assert not Mining.objects.exists()


def test_refusals(api: Client) -> None:
    assert send(api, network="resnet").status_code == 422
    assert send(api, network="lite", corpus="gallery").json()["code"] == "gallery_empty"
    assert send(api, network="lite", corpus="archive").json()["code"] == "no_archive"
    gone = send(api, network="lite", corpus="archive", archive="made-up")
    assert (gone.status_code, gone.json()["code"]) == (410, "archive_gone")


def test_a_units_patches(api: Client, painter: User) -> None:
    mining = found(painter, Corpus.GALLERY)
    strongest, second = api.get(f"{MININGS}/{mining.pk}/units/relu2_1/5").json()
    assert (strongest["activation"], strongest["title"]) == (7.0, "Picture 0 of vera")
    assert strongest["box"] == [0, -2, 10, 8]
    assert second["activation"] == 1.5
    patch = api.get(strongest["url"].removeprefix("http://testserver"))
    assert Image.open(io.BytesIO(patch.content)).size == (240, 240)
    source = api.get(strongest["source_url"].removeprefix("http://testserver"))
    assert Image.open(io.BytesIO(source.content)).size == (96, 64)
    assert api.get(f"{MININGS}/{mining.pk}/units/relu2_1/3").json() == []
    for path in ("units/relu2_1/32", "units/x/0", "units/relu2_1/3/0.png", "sources/9.jpg"):
        assert api.get(f"{MININGS}/{mining.pk}/{path}").status_code == 404, path


def test_nobody_elses(api: Client, painter: User) -> None:
    other = make_painter("other", Role.ADMINISTRATOR)
    theirs, house = found(other, Corpus.ARCHIVE), found(other)
    for path in ("", "/units/relu2_1/5", "/units/relu2_1/5/0.png", "/sources/0.jpg"):
        assert api.get(f"{MININGS}/{theirs.pk}{path}").status_code == 404
        assert api.get(f"{MININGS}/{house.pk}{path}").status_code == 200
    assert api.delete(f"{MININGS}/{theirs.pk}").status_code == 404
    assert api.delete(f"{MININGS}/{house.pk}").status_code == 403
    assert api.post(f"{MININGS}/{house.pk}/cancel").status_code == 403
    assert [mining["id"] for mining in api.get(MININGS).json()] == [str(house.pk)]
    assert Mining.objects.filter(status=Status.DONE).count() == 2


def test_keys(painter: User) -> None:
    operator = make_painter("olga", Role.OPERATOR)
    wrong = program(operator, Scope.RECOGNISE)
    for url in ("/api/v1/networks", MININGS, f"{MININGS}/{uuid.uuid4()}"):
        assert wrong.get(url).status_code == 403
        assert Client().get(url).status_code == 401


def test_heat(api: Client, painter: User) -> None:
    """The worker looks while the request waits."""
    from styletransfer.services.work_looks import give_look

    def work() -> None:
        while not (keys := list(redis().scan_iter("look:*:photo"))):
            stop.wait(0.05)
        give_look(painter.pk, uuid.UUID(keys[0].decode().split(":")[2]), "lite", "relu1_1", 0)

    stop = threading.Event()
    worker = threading.Thread(target=work)
    worker.start()
    upload = SimpleUploadedFile("photo.png", image_bytes(photo(1)), "image/png")
    answer = api.post("/api/v1/networks/lite/layers/relu1_1/units/0/heat", {"photo": upload})
    worker.join()
    assert answer.status_code == 200
    seen = answer.json()
    assert (seen["width"], seen["height"]) == (96, 64)
    assert len(seen["strongest"]) == 12
    assert not list(redis().scan_iter("look:*"))


def test_heat_of_what_there_is_not(api: Client) -> None:
    for path in ("lite/layers/relu1_1/units/16", "lite/layers/x/units/0", "x/layers/y/units/0"):
        upload = SimpleUploadedFile("photo.png", image_bytes(photo(1)), "image/png")
        answer = api.post(f"/api/v1/networks/{path}/heat", {"photo": upload})
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_unit")


def test_a_picture_that_excites(api: Client) -> None:
    url = "/api/v1/networks/lite/layers/relu1_1/units/5/excited"
    answer = api.post(url)
    assert (answer.status_code, answer.json()["done"]) == (202, False)
    assert api.get(f"{url}.jpg").json()["code"] == "no_such_picture"
    folder = ExcitedFolder("lite")
    folder.write("relu1_1/5.jpg", b"a picture")
    folder.write("relu1_1/5.json", b'{"activation": 3.5, "seconds": 1.0}')
    answer = api.post(url)
    assert (answer.status_code, answer.json()["activation"]) == (200, 3.5)
    assert api.get(answer.json()["url"].removeprefix("http://testserver")).content == b"a picture"
    assert api.post(url.replace("5", "16")).status_code == 404
