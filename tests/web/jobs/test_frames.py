"""Frames: what a worker publishes is what a browser takes apart."""

from __future__ import annotations

import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ws.conftest import COLUMNS, Message, frame
from webapp.jobs.frames import KEPT, Frame, forget_frames, stream_of
from webapp.jobs.redis import client

headers = st.dictionaries(
    st.text(max_size=9).filter(lambda k: k not in ("first", "points", "columns")),
    st.none() | st.integers(-(2**53), 2**53) | st.text() | st.floats(allow_nan=False),
    max_size=4,
)
rows = st.lists(st.tuples(*[st.floats(width=32, allow_nan=False)] * 3), max_size=40)


@given(header=headers, rows=rows, jpeg=st.binary(), first=st.integers(0, 60))
def test_a_message_can_be_taken_apart(header, rows, jpeg, first) -> None:
    curve = np.array(rows, "<f4").reshape(-1, 3)
    sent = Frame({**header, "columns": COLUMNS}, curve.tobytes(), jpeg)
    got = Message.parse(sent.message(first))
    assert got.header == {
        **header,
        "columns": COLUMNS,
        "first": min(first, len(rows)),
        "points": max(0, len(rows) - first),
    }
    np.testing.assert_array_equal(got.curve.reshape(-1, 3), curve[first:])
    assert got.jpeg == jpeg


def test_the_stream_keeps_the_newest_and_expires(redis_url: str) -> None:
    job = uuid.uuid4()
    for step in range(6):
        frame(step).publish(job)
    entries = client().xrange(stream_of(job))
    assert len(entries) == KEPT
    assert Frame.from_entry(entries[-1][1]) == frame(5)
    assert 0 < client().ttl(stream_of(job)) <= 3600
    forget_frames(job)
    assert not client().exists(stream_of(job))


def test_a_frame_that_redis_does_not_take_is_dropped(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.conf.settings.REDIS_URL", "redis://127.0.0.1:1/0")
    frame(1).publish(uuid.uuid4())  # says so in the log, and nothing else
