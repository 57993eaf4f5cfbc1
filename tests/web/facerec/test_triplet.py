from __future__ import annotations

import json
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from PIL import Image

from facerec.core.distance import squared_distance
from facerec.core.losses import MARGIN, Difficulty, difficulty
from facerec.encoders import active, adapter_of
from facerec.models import Attempt
from facerec.runtime import runtime
from facerec.services.lessons import start_lesson
from facerec.services.work_lessons import give_lesson
from facerec.views.triplet import CAST
from tests.people import ADA, nobody, portrait
from tests.web.facerec.conftest import until, upload
from webapp.accounts.models import User
from webapp.jobs.redis import client as redis_client

PAGE = "/learn/triplet/"
FACES = f"{PAGE}faces/"
SignIn = Callable[[User], Client]


@pytest.fixture
def client(operator: User, signed_in: SignIn) -> Client:
    return signed_in(operator)


def test_operators_may_and_others_may_not(
    client: Client, painter: User, administrator: User, signed_in: SignIn
) -> None:
    assert Client().get(PAGE).status_code == 302
    assert signed_in(painter).get(PAGE).status_code == 403
    assert signed_in(painter).post(FACES).status_code == 403
    assert signed_in(painter).get(f"{FACES}{uuid4()}/").status_code == 403
    assert b"Anchor" in client.get(PAGE).content
    assert b"What the network sees" in client.get(PAGE).content  # the other page to learn by
    assert signed_in(administrator).get(PAGE).status_code == 200


def test_numbers_go_to_nobody_else(
    client: Client, operator: User, administrator: User, signed_in: SignIn
) -> None:
    lesson = start_lesson(image=portrait(ADA), by=operator)
    give_lesson(operator.pk, lesson)
    assert signed_in(administrator).get(f"{FACES}{lesson}/").status_code == 404
    assert client.get(f"{FACES}{lesson}/").status_code == 200


def test_both_are_forgotten_after_a_minute(operator: User) -> None:
    lesson = start_lesson(image=nobody(), by=operator)
    keys = redis_client().keys(f"lesson:*{lesson}*")
    assert len(keys) == 2
    assert all(0 < redis_client().ttl(key) <= 60 for key in keys)
    give_lesson(operator.pk, lesson)
    [key] = redis_client().keys(f"lesson:*{lesson}*")
    assert 0 < redis_client().ttl(key) <= 60


def test_a_photo_without_a_face_says_what_to_do(client: Client, operator: User) -> None:
    lesson = start_lesson(image=nobody(), by=operator)
    assert client.get(f"{FACES}{lesson}/").status_code == 202
    give_lesson(operator.pk, lesson)
    answer = client.get(f"{FACES}{lesson}/")
    assert answer.status_code == 422
    assert answer.json()["code"] == "no_face"
    assert "No face was found" in answer.json()["message"]


def test_what_is_no_picture_is_refused_as_json(client: Client) -> None:
    answer = client.post(FACES, {"photo": upload(b"not a picture")})
    assert answer.status_code in (415, 422)
    assert json.loads(answer.content)["message"]
    assert client.post(FACES).status_code == 400
    assert client.get(FACES).status_code == 405


def test_too_many_are_refused(client: Client, settings) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "face": "2/minute"}
    statuses = [client.post(FACES, {"photo": upload(nobody())}).status_code for _ in range(3)]
    assert statuses == [202, 202, 429]


def test_the_drawn_people_make_a_semi_hard_triplet_as_promised(house: None) -> None:
    encodings, adapt = {}, adapter_of(active())
    for person in CAST:
        with Image.open(settings.BASE_DIR / "static" / "learn" / f"{person['file']}.jpg") as face:
            encodings[person["file"]] = adapt(runtime().pipeline.one_face(face).encoding)
    a, p, n = (
        next(encodings[person["file"]] for person in CAST if person["role"] == role)
        for role in "APN"
    )
    d_positive, d_negative = squared_distance(a, p), squared_distance(a, n)
    assert difficulty(d_positive, d_negative, MARGIN) == Difficulty.SEMI_HARD
    assert difficulty(d_positive, d_negative, 0.05) == Difficulty.EASY
    assert d_positive < squared_distance(a, encodings["ines-1"]) < d_negative  # who looks like her


# Last: from here on the worker takes up what is sent.
def test_a_photo_becomes_its_numbers_once_and_leaves_nothing(client: Client, worker: None) -> None:
    url = client.post(FACES, {"photo": upload(portrait(ADA))}).json()["url"]
    answers = []

    def answered() -> bool:
        answers.append(client.get(url))
        return answers[-1].status_code != 202

    until(answered)
    answer = answers[-1]
    assert answer.status_code == 200
    assert answer.json()["encoder"] == active().name
    face = runtime().pipeline.one_face(portrait(ADA))
    expected = adapter_of(active())(face.encoding)
    assert len(answer.json()["encoding"]) == 128
    assert squared_distance(expected, answer.json()["encoding"]) < 0.01  # JPEG
    assert "no-store" in answer["Cache-Control"]
    assert client.get(url).status_code == 404
    assert not redis_client().keys("lesson:*")
    assert not Attempt.objects.exists()
