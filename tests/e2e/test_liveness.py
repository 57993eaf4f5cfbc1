"""The live check before the real stack, with a camera that shows the simulator's pictures.

The loop is closed: what the socket tells the page is what the drawn person reacts to. They are a
calm person, since a busy machine sees few frames of a quick movement, and like a person they may
try again.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, WebSocket, expect

from facerec.core.liveness.challenge import Challenge
from facerec.core.liveness.types import Hint, Movement, Phase, Progress
from tests.e2e.conftest import CHROMIUM, chromium_path
from tests.e2e.stack import Stack
from tests.simulator.actor import Actor, willing
from tests.simulator.living import Living
from tests.simulator.people import head
from tests.simulator.prints import FlatPrint
from tests.simulator.scene import Scene
from tests.simulator.session import Presentation
from tests.simulator.y4m import StagedCamera

pytestmark = pytest.mark.usefixtures("people")

PASSWORD = "correct horse staple"
PATIENCE = 60_000  # ms; the machine may be busy
TRIES = 4  # fewer than lock a person out
SEED = 2009
OVER = "passed", "failed", "inconclusive", "refused", "over", "stopped", "no-camera"


class Watched:
    """A page whose socket the camera listens to, and what was said there."""

    def __init__(self, page: Page, camera: StagedCamera) -> None:
        self.page, self.camera = page, camera
        self.told: list[dict[str, Any]] = []
        self.sent: list[tuple[float, bytes]] = []  # (seconds, JPEG)
        self.granted: list[dict[str, Any]] = []
        page.on("websocket", self._listen)
        page.on("response", self._note_opened)

    def stage(self, presentation: Presentation) -> None:
        self.told.clear()
        self.sent.clear()
        self.camera.stage(presentation)

    def start(self, button: str) -> None:
        self.page.get_by_role("button", name=button).click()

    def wait_for_state(self, *states: str) -> str:
        """Wait in the page, seldom: whoever asks often takes the time that the judge needs."""
        found = self.page.wait_for_function(
            """(wanted) => [...document.querySelectorAll("live-check dialog")]
              .map((dialog) => dialog.dataset.state).find((state) => wanted.includes(state))""",
            arg=states,
            polling=200,
            timeout=2 * PATIENCE,
        )
        state: str = found.json_value()
        return state

    def wait_for(self, condition: Callable[[], Any], what: str) -> None:
        for _ in range(PATIENCE // 200):
            if condition():
                return
            self.page.wait_for_timeout(200)
        raise AssertionError(f"{what} did not come about: {self.told[-3:]}")

    def start_and_be_found(self, button: str) -> None:
        """Start, and try again where a busy machine saw too little of the person to begin."""
        for attempt in range(TRIES):
            self.stage(calm_person())
            self.start("Try again" if attempt else button)
            state = self.wait_for_state("hold", "move", "return", *OVER)
            if state not in OVER:
                return
        raise AssertionError(f"never found: {self.told[-3:]}")

    def end(self) -> str:
        """How it ended."""
        return self.wait_for_state(*OVER)

    def _listen(self, socket: WebSocket) -> None:
        if "/ws/liveness/" in socket.url:
            socket.on("framereceived", self._hear)
            socket.on("framesent", self._note_sent)

    def _hear(self, message: str | bytes) -> None:
        told = json.loads(message)
        self.told.append(told)
        if told["type"] == "session":
            self.camera.told = Progress(Phase.FIND, told["done"], told["steps"])
        elif told["type"] == "progress":
            self.camera.told = Progress(
                Phase(told["phase"]),
                told["done"],
                told["steps"],
                Movement(told["movement"]) if told["movement"] else None,
                told["share"],
                Hint(told["hint"]) if told["hint"] else None,
            )

    def _note_sent(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            taken = float(np.frombuffer(message[:8], ">f8")[0])
            self.sent.append((taken / 1000, message[8:]))

    def _note_opened(self, response: Any) -> None:
        if response.url.endswith("/liveness/sessions/") and response.status == 201:
            self.granted.append(response.json())


class Rerun:
    """The very pictures of another session, put before the camera again."""

    def __init__(self, sent: list[tuple[float, bytes]]) -> None:
        self.scene = Scene(SEED)
        self._times = [taken - sent[0][0] for taken, _ in sent]
        self._pictures = [np.asarray(Image.open(io.BytesIO(jpeg))) for _, jpeg in sent]

    def begin(self, challenge: Challenge) -> None:
        pass

    def picture(self, t: float, told: Progress | None) -> NDArray[np.uint8]:
        last = int(np.searchsorted(self._times, t % self._times[-1], side="right")) - 1
        return self._pictures[max(0, last)]


def calm_person() -> Living:
    someone = Living(SEED)
    temper = replace(
        willing(SEED),
        reaction=0.35,
        pace=0.9,
        turn=np.radians(24),
        nod=np.radians(16),
        closer=0.3,
        overshoot=0.0,
        late=0.0,
        slip=0.0,
    )
    someone.actor = Actor(SEED, temper, someone.head)
    return someone


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StagedCamera]:
    path = tmp_path_factory.mktemp("camera") / "camera.y4m"
    with StagedCamera(path, calm_person(), fps=12) as camera:
        yield camera


@pytest.fixture(scope="module")
def own(browser: Browser, camera: StagedCamera) -> Iterator[Browser]:
    """A browser before that camera: it is chosen when a browser starts."""
    own = browser.browser_type.launch(
        executable_path=chromium_path(), args=[*CHROMIUM, *camera.flags]
    )
    yield own
    own.close()


@pytest.fixture(scope="module")
def context(own: Browser, stack: Stack) -> BrowserContext:
    """An administrator's."""
    return signed_in(own, stack, stack.username, stack.password)


@pytest.fixture(scope="module")
def operators(own: Browser, stack: Stack) -> BrowserContext:
    """An operator's, so that nobody fails so often that they are locked out."""
    stack.create_user("lena", "operator", PASSWORD)
    return signed_in(own, stack, "lena", PASSWORD)


def signed_in(own: Browser, stack: Stack, username: str, password: str) -> BrowserContext:
    small = {"width": 640, "height": 720}
    context = own.new_context(base_url=stack.url, permissions=["camera"], viewport=small)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto("/sign-in/")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", password)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(lambda url: "/sign-in/" not in url)
    page.close()
    return context


@pytest.fixture
def watched(context: BrowserContext, camera: StagedCamera) -> Iterator[Watched]:
    yield from watch(context, camera)


@pytest.fixture
def operator(operators: BrowserContext, camera: StagedCamera) -> Iterator[Watched]:
    yield from watch(operators, camera)


def watch(context: BrowserContext, camera: StagedCamera) -> Iterator[Watched]:
    """A page of theirs; an error in its console fails the test."""
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield Watched(page, camera)
    page.close()
    assert not errors


@pytest.fixture(scope="module")
def recorded() -> list[tuple[float, bytes]]:
    """What the browser sent of a session that was passed."""
    return []


@pytest.fixture(scope="module")
def required(context: BrowserContext, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Verification requires a live check from now on, and the camera's person is enrolled."""
    page = context.new_page()
    enrol(page, tmp_path_factory.mktemp("enrolment"))
    page.goto("/liveness/")
    page.check("[name=verification_liveness]")
    page.get_by_role("button", name="Set the policy").click()
    expect(page.locator(".notices")).to_contain_text("From now on, it is so")
    page.close()


@pytest.mark.usefixtures("required")
def test_a_live_head_passes_and_its_own_picture_is_verified(
    operator: Watched, recorded: list[tuple[float, bytes]]
) -> None:
    page = operator.page
    page.goto("/verify/")
    expect(page.locator("drop-zone")).to_have_count(0)
    operator.start("Start the live check")
    expect(page.locator("#subject-error")).to_contain_text("Say first who they claim to be")
    page.fill("input[name=subject]", "E-2009")
    operator.stage(calm_person())
    operator.start("Start the live check")
    for _ in range(TRIES - 1):
        if operator.end() == "passed":
            break
        operator.stage(calm_person())
        operator.start("Try again")
    answer = page.locator("#answer")
    expect(answer.locator("[data-outcome=match]")).to_be_visible(timeout=PATIENCE)
    expect(answer).to_contain_text("It is Ada Example")
    expect(answer).to_contain_text("Live check passed")
    recorded.extend(operator.sent)


@pytest.mark.usefixtures("required")
def test_a_flat_print_of_the_same_person_does_not(operator: Watched) -> None:
    page = operator.page
    page.goto("/verify/")
    page.fill("input[name=subject]", "E-2009")
    operator.stage(FlatPrint(SEED))
    operator.start("Start the live check")
    assert operator.end() in ("failed", "inconclusive")
    expect(page.locator("#answer [data-outcome]")).to_have_count(0)
    expect(page.get_by_role("button", name="Try again")).to_be_focused()


def test_nor_do_the_pictures_of_another_session(
    watched: Watched, recorded: list[tuple[float, bytes]]
) -> None:
    assert len(recorded) > 20
    watched.page.goto("/liveness/")
    watched.stage(Rerun(recorded))
    watched.start("Try the live check")
    assert watched.end() in ("failed", "inconclusive")
    watched.page.get_by_role("button", name="Close").click()
    expect(watched.page.locator("#latest tbody tr").first).to_contain_text(
        "Trial", ignore_case=True
    )


def test_a_lost_connection_is_resumed_and_nobody_else_takes_over(
    watched: Watched, context: BrowserContext
) -> None:
    page, other = watched.page, context.new_page()
    other.goto("/status/")
    page.goto("/liveness/")
    watched.start_and_be_found("Try the live check")
    granted = watched.granted[-1]
    assert knock(other, granted, granted["nonce"]) == 4409  # another tab, with all it needs
    assert knock(other, granted, "a guess") == 4403
    other.close()
    context.set_offline(True)
    watched.wait_for_state("lost")
    context.set_offline(False)
    watched.wait_for(lambda: sessions(watched)[1:], "the second connection")
    assert [told["resumed"] for told in sessions(watched)] == [False, True]
    assert watched.granted[-1] == granted
    heard = len(watched.told)
    watched.wait_for(lambda: len(watched.told) > heard + 3, "progress after it")
    frames = [told["frame"] for told in watched.told[heard:] if told["type"] == "progress"]
    assert frames[0] <= 3  # counted anew
    assert all(a < b for a, b in pairwise(frames))
    page.keyboard.press("Escape")


def test_who_stays_away_ends_the_check(watched: Watched, context: BrowserContext) -> None:
    page = watched.page
    page.goto("/liveness/")
    watched.start_and_be_found("Try the live check")
    context.set_offline(True)
    try:
        assert watched.end() == "over"
    finally:
        context.set_offline(False)
    expect(page.locator("[data-instruction]").first).to_have_text("The check ended")
    granted = watched.granted[-1]
    assert knock(page, granted, granted["nonce"]) == 4410
    told = page.request.get(f"/liveness/sessions/{granted['id']}/").json()
    assert told["state"] == "abandoned"


def sessions(watched: Watched) -> list[dict[str, Any]]:
    return [told for told in watched.told if told["type"] == "session"]


def knock(tab: Page, granted: dict[str, Any], nonce: str) -> int:
    """A tab of the same person begins the session; the code that it is refused with."""
    code: int = tab.evaluate(
        """([path, nonce]) => new Promise((done) => {
          const socket = new WebSocket(new URL(path, location.href.replace("http", "ws")));
          socket.onopen = () => socket.send(JSON.stringify({type: "begin", nonce}));
          socket.onclose = ({code}) => done(code);
        })""",
        [granted["socket"], nonce],
    )
    return code


def enrol(page: Page, folder: Path) -> None:
    """The camera's person, by a photo from another room."""
    photo = Living(SEED + 4, head(SEED)).picture(0.0, None)
    path = folder / "ada.jpg"
    Image.fromarray(photo).save(path, quality=95)
    page.goto("/admin/facerec/subject/add/")
    page.fill("input[name=name]", "Ada Example")
    page.fill("input[name=external_id]", "E-2009")
    page.check("input[name=consent]")
    page.set_input_files("input[name=photos]", path)
    page.click("button[name=_save]")
    expect(page.locator("#enrolments [data-job] [data-status=enrolled]")).to_be_visible(
        timeout=PATIENCE
    )
