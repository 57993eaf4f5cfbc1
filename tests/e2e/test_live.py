"""What is shown as it changes: the job's socket, the live picture, the loss curve."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from tests.e2e.house import BLUE, RED, Show, stage


@pytest.fixture
def show(browser: Browser) -> Iterator[Show]:
    yield from stage(browser)


WATCH = """<live-picture waiting="Soon."></live-picture><p id="after">after</p>
<loss-curve steps="150"></loss-curve>"""
WATCH_SCRIPT = """import { JobSocket } from "/static/js/lib/job-socket.js";
import { watchLink } from "/static/js/lib/notices.js";
import "/static/js/lib/live-picture.js";
import "/static/js/lib/loss-curve.js";
const socket = window.socket = new JobSocket("abc");
window.seen = {state: [], link: [], frames: []};
socket.addEventListener("state", ({detail}) => seen.state.push(detail));
socket.addEventListener("link", ({detail}) => seen.link.push(detail));
const curve = document.querySelector("loss-curve");
socket.addEventListener("frame", ({detail: {header, curve: points, blob}}) => {
  seen.frames.push([header.step, [...points], blob.size]);
  curve.push(header.first, points, header.columns);
});
watchLink(socket);
document.querySelector("live-picture").follow(socket);"""
COLUMNS = ["total", "content", "style"]


def frame(step: int, first: int, rows: list[tuple[float, float, float]], jpeg: bytes) -> bytes:
    header = {"step": step, "steps": 150, "width": 64, "height": 48, "seconds_left": 9.5}
    header |= {"first": first, "points": len(rows), "columns": COLUMNS, "raw": {}}
    packed = json.dumps(header, ensure_ascii=False).encode()
    numbers = [number for row in rows for number in row]
    return (
        struct.pack(">I", len(packed)) + packed + struct.pack(f"<{len(numbers)}f", *numbers) + jpeg
    )


class Server:
    """Plays the server's side of /ws/jobs/abc/."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.connections: list[WebSocketRoute] = []
        self.got: list[str] = []
        page.route_web_socket("**/ws/jobs/abc/", self.accept)

    def accept(self, socket: WebSocketRoute) -> None:
        socket.on_message(lambda message: self.got.append(str(message)))
        self.connections.append(socket)

    def until(self, count: int, what: list[object]) -> None:
        for _ in range(100):
            if len(what) >= count:
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"{len(what)} of {count} came")

    @property
    def now(self) -> WebSocketRoute:
        return self.connections[-1]


@pytest.fixture
def server(show: Show) -> Server:
    page = show("<p>first, an empty page</p>")
    return Server(page)


def test_states_and_frames_arrive_whole_and_are_acknowledged(show: Show, server: Server) -> None:
    page = show(WATCH, WATCH_SCRIPT)
    server.until(1, server.connections)
    server.now.send(json.dumps({"type": "state", "job": {"id": "abc", "status": "running"}}))
    server.now.send(frame(1, 0, [(1.0, 0.0, 1.0), (0.5, 0.125, 0.375)], RED))
    page.wait_for_function("() => seen.frames.length === 1")
    assert page.evaluate("seen.state") == [{"id": "abc", "status": "running"}]
    assert page.evaluate("seen.frames[0]") == [1, [1, 0, 1, 0.5, 0.125, 0.375], len(RED)]
    page.wait_for_function("() => document.querySelector('[data-painted]')")
    server.until(1, server.got)
    assert json.loads(server.got[0]) == {"type": "ack"}
    top = page.evaluate("document.querySelector('#after').offsetTop")
    for step in range(2, 7):
        server.now.send(frame(step, step, [(0.4, 0.1, 0.3)], BLUE if step % 2 else RED))
    server.now.send(frame(7, 7, [(0.25, 0.1, 0.15)], BLUE))
    server.until(7, server.got)
    page.wait_for_function("""() => {
      const canvas = document.querySelector("live-picture canvas");
      const [r, , b] = canvas.getContext("2d").getImageData(32, 24, 1, 1).data;
      return b > 190 && r < 40;
    }""")
    assert page.evaluate("document.querySelector('#after').offsetTop") == top
    assert page.evaluate("document.querySelector('loss-curve').points") == 8
    page.wait_for_timeout(300)
    assert len(server.got) == 7  # one for each frame, shown or overtaken


def test_a_lost_socket_comes_back_and_says_so(show: Show, server: Server) -> None:
    page = show(WATCH, WATCH_SCRIPT)
    server.until(1, server.connections)
    server.now.close(code=1012, reason="restart")
    expect(page.locator("#toasts")).to_contain_text("Reconnecting")
    server.until(2, server.connections)
    expect(page.locator("#toasts")).to_contain_text("The connection is back.")
    server.now.send(frame(3, 0, [(1, 0, 1)] * 3, RED))
    page.wait_for_function("() => seen.frames.length === 1")
    assert page.evaluate("seen.link") == ["open", "reconnecting", "open"]
    page.evaluate("socket.close()")
    page.wait_for_timeout(800)
    assert len(server.connections) == 2
    assert page.evaluate("seen.link.at(-1)") == "closed"


@pytest.mark.parametrize(("code", "says"), [(4401, "signed out"), (4404, "no longer there")])
def test_a_refused_socket_stays_closed(show: Show, server: Server, code: int, says: str) -> None:
    page = show(WATCH, WATCH_SCRIPT)
    server.until(1, server.connections)
    server.now.close(code=code)
    expect(page.locator("#toasts")).to_contain_text(says)
    page.wait_for_timeout(800)
    assert len(server.connections) == 1
    assert page.evaluate("seen.link.at(-1)") == "refused"


def test_a_broken_picture_is_acknowledged_too(show: Show, server: Server) -> None:
    show(WATCH, WATCH_SCRIPT)
    server.until(1, server.connections)
    server.now.send(frame(1, 0, [], b"not a JPEG"))
    server.now.send(frame(2, 0, [], RED))
    server.until(2, server.got)


CURVE = '<loss-curve steps="2000"></loss-curve>'
CURVE_SCRIPT = """import { axis, readable } from "/static/js/lib/loss-curve.js";
Object.assign(window, {axis, readable, curve: document.querySelector("loss-curve")});"""


def test_the_curve_takes_thousands_of_points_cheaply(show: Show) -> None:
    page = show(CURVE, CURVE_SCRIPT)
    page.wait_for_function("() => window.curve?.points === 0")
    took = page.evaluate("""async () => {
      const start = performance.now();
      for (let first = 0; first < 2000; first += 10) {
        const rows = [];
        for (let i = first; i < first + 10; i++) {
          rows.push(Math.exp(-i / 300), 0.1, Math.exp(-i / 300) - 0.1);
        }
        curve.push(first, Float32Array.from(rows), ["total", "content", "style"]);
        if (first % 100 === 0) await new Promise(requestAnimationFrame);
      }
      return performance.now() - start;
    }""")
    assert page.evaluate("curve.points") == 2000
    assert took < 3000  # 200 pushes and 20 drawings; 0.4 s on a quiet machine
    page.wait_for_timeout(50)
    path = page.evaluate("curve.querySelector('.plot path:last-child').getAttribute('d')")
    assert path.startswith("M0.0 0.0")
    assert 300 <= path.count("L") <= 401
    label = page.locator("loss-curve .plot")
    expect(label).to_have_attribute(
        "aria-label",
        "J went from 1.00 to 0.00128; content went from "
        "0.100 to 0.100; style went from 0.900 to -0.0987 in 2000 steps.",
    )
    before = path
    page.get_by_role("button", name="Show a linear scale").click()
    expect(page.get_by_role("button", name="Show a logarithmic scale")).to_be_visible()
    after = page.evaluate("curve.querySelector('.plot path:last-child').getAttribute('d')")
    assert before != after


def test_the_curve_starts_again_where_a_reconnect_begins(show: Show) -> None:
    page = show(CURVE, CURVE_SCRIPT)
    page.wait_for_function("() => window.curve?.points === 0")
    push = "([first, rows]) => curve.push(first, Float32Array.from(rows), ['total'])"
    page.evaluate(push, [0, [1, 0.5, 0.25]])
    page.evaluate(push, [9, [0.1]])  # a gap: nothing is invented
    assert page.evaluate("curve.points") == 3
    page.evaluate(push, [2, [0.3, 0.2]])
    assert page.evaluate("curve.points") == 4
    expect(page.locator("loss-curve output").first).to_have_text("0.200")


def test_axes_hold_what_they_show(show: Show) -> None:
    page = show(CURVE, CURVE_SCRIPT)
    page.wait_for_function("() => window.axis")
    assert page.evaluate("axis(0.02, 0.9, true)") == [-2, 0]
    assert page.evaluate("axis(1e-9, 1, true)") == [-4, 0]
    assert page.evaluate("axis(0.02, 0.9, false)") == [0, 1]
    assert page.evaluate("axis(10, 2300, false)") == [0, 2500]
    assert page.evaluate("[0.3124, 470000, 12, 0].map(readable)") == ["0.312", "4.7e5", "12.0", "0"]
