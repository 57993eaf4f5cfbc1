"""A question about a photo: answered once, to its asker alone, and a bug has its reference."""

from __future__ import annotations

from uuid import uuid4

import pytest
from PIL import Image

from tests.pictures import make_painter
from webapp.errors import UserFacingError
from webapp.jobs.photo_ask import PhotoAsk
from webapp.jobs.redis import client

pytestmark = [pytest.mark.django_db, pytest.mark.redis]
ASK = PhotoAsk("trial", "trial.task")


@pytest.fixture
def asked(redis_url, monkeypatch):
    """(asker, id) of a photo that waits."""
    sent = []
    monkeypatch.setattr("webapp.jobs.photo_ask.app.send_task", lambda *a, **kw: sent.append(kw))
    asker = make_painter("pia")
    ask = ASK.start(Image.new("RGB", (20, 10), "red"), "one", 2, by=asker)
    assert sent[0]["args"] == [asker.pk, str(ask), "one", 2]
    return asker, ask


def test_it_is_answered_once_and_forgotten(asked) -> None:
    asker, ask = asked
    assert ASK.take_answer(ask, by=asker) is None
    ASK.give(asker.pk, ask, lambda photo: {"size": list(photo.size)})
    assert ASK.take_answer(ask, by=asker) == {"size": [20, 10]}
    assert client().keys("trial:*") == []
    with pytest.raises(KeyError):
        ASK.take_answer(ask, by=asker)


def test_nobody_else_gets_it(asked) -> None:
    asker, ask = asked
    ASK.give(asker.pk, ask, lambda photo: {"seen": True})
    with pytest.raises(KeyError):
        ASK.take_answer(ask, by=make_painter("vera"))
    with pytest.raises(KeyError):
        ASK.take_answer(uuid4(), by=asker)


def test_a_refusal_is_told_as_it_is(asked) -> None:
    asker, ask = asked

    def refuse(photo: Image.Image) -> dict:
        raise UserFacingError("no_face", "There is no face.", "Choose another.")

    ASK.give(asker.pk, ask, refuse)
    answer = ASK.take_answer(ask, by=asker)
    assert (answer["code"], answer["message"]) == ("no_face", "There is no face.")


def test_a_bug_tells_a_reference_and_nothing_else(asked, caplog) -> None:
    asker, ask = asked

    def fail(photo: Image.Image) -> dict:
        raise ValueError("secret path /etc/shadow")

    ASK.give(asker.pk, ask, fail)
    answer = ASK.take_answer(ask, by=asker)
    assert answer["code"] == "internal_error"
    assert "shadow" not in str(answer)
    assert answer["reference"] in caplog.text
