"""The live check's panel before a scripted server: every state, and what leaves the browser."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from tests.e2e.house import Show, stage

GRANTED = {
    "id": "00000000-0000-4000-8000-000000000000",
    "nonce": "a secret",
    "socket": "/ws/liveness/00000000-0000-4000-8000-000000000000/",
    "expires_in": 120,
    "steps": 4,
    "width": 480,
    "height": 360,
    "fps": 10,
    "credits": 3,
    "max_bytes": 60_000,
}
PANEL = """<link rel="stylesheet" href="/static/css/live-check.css">
{% include "components/live_check.html" with purpose=purpose stays=stays %}"""
SCRIPT = """import "/static/js/lib/live-check.js";
window.told = [];
const check = document.querySelector("live-check");
check.labels = {species: "flat_print", person: "P 07", scene: "lobby"};
for (const type of ["opening", "decided", "passed"]) {
  document.addEventListener(type, ({detail}) => told.push([type, detail]));
}
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (what) => (window.stream = await ask(what));
window.cameraIsOff = () => stream.getTracks().every((track) => track.readyState === "ended");"""


def progress(frame: int = 1, phase: str = "move", **more: Any) -> dict[str, Any]:
    told = {"movement": "turn_left" if phase == "move" else None, "share": 0.5, "hint": None}
    return {"type": "progress", "frame": frame, "phase": phase, "done": 1, "steps": 4} | told | more


def verdict(outcome: str) -> dict[str, Any]:
    titles = {"passed": "Live check passed", "failed": "Live check not passed"}
    return {
        "type": "verdict",
        "outcome": outcome,
        "title": titles.get(outcome, "It could not be told"),
        "advice": "More light would help.",
    }


@dataclass
class Server:
    """What the server says: after `begin`, and to the frames as they come."""

    page: Page
    begins: int = 0
    frames: list[bytes] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    refuse: Callable[[int], int | None] = lambda _begins: None  # the code that closes, by begin
    on_frame: Callable[[Server, int], None] = lambda _server, _frame: None
    socket: WebSocketRoute | None = None
    closed: list[int | None] = field(default_factory=list)
    opened: int = 0
    refusal: dict[str, Any] | None = None

    def listen(self) -> Server:
        def open_session(route: Any) -> None:
            self.opened += 1
            status, body = (429, self.refusal) if self.refusal else (201, GRANTED)
            route.fulfill(status=status, body=json.dumps(body))

        def connect(socket: WebSocketRoute) -> None:
            self.socket = socket
            socket.on_message(self._take)
            socket.on_close(lambda code, _reason: self.closed.append(code))

        self.page.route("**/liveness/sessions/", open_session)
        self.page.route_web_socket("**/ws/liveness/**", connect)
        return self

    def say(self, message: dict[str, Any]) -> None:
        assert self.socket is not None
        self.socket.send(json.dumps(message))

    def lose(self, code: int = 1012) -> None:
        assert self.socket is not None
        self.socket.close(code=code)

    def _take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.frames.append(message)
            self.on_frame(self, len(self.frames))
            return
        self.said.append(message)
        if json.loads(message)["type"] != "begin":
            return
        self.begins += 1
        if code := self.refuse(self.begins):
            self.lose(code)
            return
        resumed = {"state": "running", "done": 0, "steps": 4, "expires_in": 60, "credits": 3}
        self.say({"type": "session", "resumed": self.begins > 1, **resumed})


@pytest.fixture
def show(browser: Browser) -> Iterator[Show]:
    yield from stage(browser)


@pytest.fixture
def server(show: Show) -> Server:
    """The page with the panel's button, and the server behind it."""
    return Server(show(PANEL, SCRIPT, purpose="verification", stays="")).listen()


def start(server: Server) -> Page:
    server.page.get_by_role("button", name="Start the live check").click()
    return server.page


def said(page: Page, words: str) -> None:
    expect(page.locator("[data-instruction]")).to_have_text(words)


def frames_come(server: Server, count: int) -> None:
    """Wait until so many frames came in all; a busy machine takes its time."""
    for _ in range(100):
        if len(server.frames) >= count:
            return
        server.page.wait_for_timeout(100)
    raise AssertionError(f"{len(server.frames)} frames, not {count}")


def hinted(page: Page, words: str) -> None:
    expect(page.locator("[data-hint]")).to_contain_text(words)


def test_from_the_first_frame_to_the_pass(server: Server) -> None:
    page = start(server)
    said(page, "Look straight into the camera")
    assert json.loads(server.said[0]) == {"type": "begin", "nonce": "a secret"}
    server.say(progress(1, "find", done=0, hint="closer"))
    hinted(page, "Come a little closer.")
    server.say(progress(2, "hold", done=0))
    said(page, "Hold still")
    server.say(progress(3, done=0, share=0.25))
    said(page, "Turn your head to the left")
    arrow, window = page.locator("[data-arrow]"), page.locator(".live-stage")
    middle = window.bounding_box()["x"] + window.bounding_box()["width"] / 2  # type: ignore[index]
    assert arrow.bounding_box()["x"] < middle - 100  # type: ignore[index]  # as in a mirror
    server.say(progress(3, "return", done=0))
    said(page, "And look straight again")
    expect(arrow).to_be_hidden()
    server.say(progress(3, movement="turn_right", done=1))
    said(page, "Turn your head to the right")
    assert arrow.bounding_box()["x"] > middle + 40  # type: ignore[index]
    ring = page.get_by_role("progressbar", name="Movements done")
    expect(ring).to_have_attribute("aria-valuenow", "1")
    expect(ring).to_have_attribute("aria-valuemax", "4")
    server.say(verdict("passed"))
    said(page, "Live check passed")
    assert page.evaluate("cameraIsOff()")
    expect(page.get_by_role("dialog")).to_be_hidden()  # by itself
    assert page.evaluate("told.at(-1)") == ["passed", {"id": GRANTED["id"]}]


def test_frames_are_small_unmirrored_and_stamped(server: Server) -> None:
    page = start(server)
    server.on_frame = lambda server, n: server.say(progress(n, "find", done=0))
    frames_come(server, 10)
    times = [struct.unpack_from(">d", frame)[0] for frame in server.frames]
    assert times == sorted(set(times))
    assert (times[-1] - times[0]) / (len(times) - 1) > 80  # ms: about ten a second at most
    now = page.evaluate("performance.now()")
    assert all(0 < taken <= now for taken in times)
    picture = Image.open(io.BytesIO(server.frames[-1][8:]))
    assert (picture.format, picture.size) == ("JPEG", (480, 360))
    assert not picture.getexif()


def test_no_more_than_the_credits_are_under_way(server: Server) -> None:
    page = start(server)
    frames_come(server, GRANTED["credits"])
    page.wait_for_timeout(500)
    assert len(server.frames) == GRANTED["credits"]
    server.say(progress(2, "find", done=0))
    frames_come(server, GRANTED["credits"] + 2)
    page.wait_for_timeout(500)
    assert len(server.frames) == GRANTED["credits"] + 2


@pytest.mark.parametrize("outcome", ["failed", "inconclusive"])
def test_whoever_did_not_pass_may_try_again_at_once(server: Server, outcome: str) -> None:
    page = start(server)
    said(page, "Look straight into the camera")
    server.say(verdict(outcome))
    said(page, verdict(outcome)["title"])
    hinted(page, "More light would help.")
    assert page.evaluate("cameraIsOff()")
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_focused()
    page.keyboard.press("Enter")
    said(page, "Look straight into the camera")
    assert (server.opened, server.begins) == (2, 2)
    assert page.evaluate("told.filter(([type]) => type === 'passed')") == []


def test_escape_gives_up_and_leaves_nothing_running(server: Server) -> None:
    page = start(server)
    said(page, "Look straight into the camera")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Start the live check")).to_be_focused()
    assert page.evaluate("cameraIsOff()")
    page.wait_for_timeout(300)
    assert json.loads(server.said[-1]) == {"type": "cancel"}
    assert server.begins == 1
    assert page.evaluate("told.map(([type]) => type)") == ["opening"]


def test_a_lost_connection_is_taken_up_again(server: Server) -> None:
    # The server still believes in the lost connection at first.
    server.refuse = lambda begins: 4409 if begins == 2 else None
    page = start(server)
    said(page, "Look straight into the camera")
    server.say(progress(1))
    said(page, "Turn your head to the left")
    server.lose()
    said(page, "The connection is lost")
    expect(page.locator("[data-arrow]")).to_be_hidden()
    said(page, "Look straight into the camera")
    assert (server.opened, server.begins) == (1, 3)  # the same session
    frames_come(server, len(server.frames) + 1)


def test_a_connection_that_stays_away_ends_the_check(server: Server) -> None:
    server.page.clock.install()
    server.refuse = lambda begins: 1012 if begins > 1 else None
    page = start(server)
    said(page, "Look straight into the camera")
    server.lose()
    said(page, "The connection is lost")
    page.clock.run_for(10_500)
    said(page, "The check ended")
    hinted(page, "away for too long")
    assert page.evaluate("cameraIsOff()")
    tried = server.begins
    page.clock.run_for(5_000)
    assert server.begins == tried


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (4409, "already runs in another window"),
        (4410, "This check is over."),
        (4401, "You are signed out."),
        (4403, "opened by another page"),
    ],
)
def test_a_refusal_is_a_sentence(server: Server, code: int, says: str) -> None:
    server.refuse = lambda _begins: code
    page = start(server)
    said(page, "No live check now")
    hinted(page, says)
    assert server.begins == 1  # it does not knock again
    assert page.evaluate("cameraIsOff()")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_who_is_locked_out_is_told_for_how_long(server: Server) -> None:
    server.refusal = {
        "code": "liveness_locked",
        "message": "Five live checks in a row were not passed.",
        "hint": "Try again in 4 minutes.",
    }
    page = start(server)
    hinted(page, "Five live checks in a row were not passed. Try again in 4 minutes.")
    assert server.socket is None
    assert page.evaluate("cameraIsOff()")


@pytest.mark.parametrize(
    ("error", "says"),
    [("NotAllowedError", "may not use the camera"), ("NotFoundError", "No camera was found")],
)
def test_without_a_camera_nothing_is_opened(server: Server, error: str, says: str) -> None:
    server.page.evaluate(f"""() => {{ navigator.mediaDevices.getUserMedia =
      () => Promise.reject(new DOMException('', '{error}')) }}""")
    page = start(server)
    said(page, "There is no picture")
    hinted(page, says)
    assert "photo instead" not in (page.locator("[data-hint]").text_content() or "")
    assert server.opened == 0


def test_a_page_in_the_background_pauses(server: Server) -> None:
    page = start(server)
    said(page, "Look straight into the camera")
    hide = """hidden => {
      Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
      document.dispatchEvent(new Event("visibilitychange")); }"""
    page.evaluate(hide, True)
    said(page, "Paused")
    hinted(page, "within ten seconds")
    page.wait_for_timeout(900)
    assert server.begins == 1  # it waits until somebody looks
    before = len(server.frames)
    page.wait_for_timeout(300)
    assert len(server.frames) == before
    page.evaluate(hide, False)
    said(page, "Look straight into the camera")
    assert server.begins == 2


def test_a_camera_that_is_unplugged(server: Server) -> None:
    page = start(server)
    said(page, "Look straight into the camera")
    page.evaluate("stream.getTracks()[0].dispatchEvent(new Event('ended'))")
    said(page, "The camera was turned off")


def test_a_recording_is_packed_in_the_browser(show: Show) -> None:
    steps = [{"movement": "turn_left", "hold": 0.4}, {"movement": "look_up", "hold": 0.9}]
    page = show(PANEL, SCRIPT, purpose="recording", stays=True)
    server = Server(page).listen()
    granted = GRANTED | {"challenge": steps}
    page.route(
        "**/liveness/sessions/", lambda route: route.fulfill(status=201, body=json.dumps(granted))
    )

    def judge(server: Server, n: int) -> None:
        server.say(progress(n, arrived=100.0 + n, judged=100.5 + n))

    server.on_frame = judge
    start(server)
    frames_come(server, 4)
    server.say(verdict("failed"))
    said(page, "Live check not passed")
    read = """async () => {
      const {name, frames, blob} = told.at(-1)[1].recording;
      return [name, frames, [...new Uint8Array(await blob.arrayBuffer())]];
    }"""
    name, frames, data = page.evaluate(read)
    assert name.startswith("liveness-flat_print-p_07-")
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        assert archive.testzip() is None
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        told = json.loads(archive.read("recording.json"))
        pictures = [archive.read(frame["file"]) for frame in told["frames"]]
    assert pictures == [frame[8:] for frame in server.frames[: len(pictures)]]
    assert frames == len(pictures) >= 3
    assert told["format"] == 1
    assert told["consent"] is True
    assert (told["species"], told["person"], told["scene"]) == ("flat_print", "P 07", "lobby")
    assert told["steps"] == steps
    assert told["verdict"] == "failed"
    second = told["frames"][1]
    assert second["taken"] == struct.unpack_from(">d", server.frames[1])[0] / 1000
    assert (second["arrived"], second["judged"]) == (102.0, 102.5)


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_panel_fits_its_window(server: Server, width: int) -> None:
    server.page.set_viewport_size({"width": width, "height": 740})
    page = start(server)
    said(page, "Look straight into the camera")
    server.say(progress(1, hint="light"))
    hinted(page, "More light")
    dialog = page.get_by_role("dialog").bounding_box()
    assert dialog is not None
    assert dialog["x"] >= 0
    assert dialog["x"] + dialog["width"] <= width
    button = page.get_by_role("button", name="Cancel").bounding_box()
    assert button is not None
    assert button["y"] + button["height"] <= 740  # reached without scrolling
