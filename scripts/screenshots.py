"""Take the README's pictures anew, from the running app, with generated people and pictures.

`make screenshots` starts a Likeness of its own, enrols people that `tests.faces` draws, asks about
them, looks into the network, makes a sound and a volume, paints a starter in another's style,
and writes `docs/screenshots/`. The painting comes twice: as a page, and as an animation of the very
frames that the browser was sent. Names of `parts` as arguments take only these.
"""

from __future__ import annotations

import io
import json
import struct
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, WebSocket, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from facerec.core.liveness.types import Movement, Phase, Progress  # noqa: E402
from tests.e2e.conftest import CHROMIUM, chromium_path  # noqa: E402
from tests.e2e.stack import Stack  # noqa: E402
from tests.faces import draw_face  # noqa: E402
from tests.simulator.living import Living  # noqa: E402
from tests.simulator.y4m import StagedCamera  # noqa: E402

OUT = ROOT / "docs" / "screenshots"
DESKTOP = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}
PEOPLE = [(1, "Ada Example", "E-1042"), (3, "Bruno Example", "E-1043")]
STRANGER = 2
SITTER = 2009  # for the live check; of the simulator's people
MINUTES = 5  # for a painting, on a slow machine


def save(page: Page, name: str, *, whole: bool = False) -> None:
    """One screenshot as WebP, which is a fifth of a PNG."""
    page.wait_for_timeout(600)  # cross-fades end
    picture = Image.open(io.BytesIO(page.screenshot(full_page=whole)))
    picture.convert("RGB").save(OUT / f"{name}.webp", quality=88, method=6)
    print(f"docs/screenshots/{name}.webp")


def file_of(image: Image.Image, name: str) -> dict[str, object]:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=95)
    return {"name": name, "mimeType": "image/jpeg", "buffer": buffer.getvalue()}


def sign_in(browser: Browser, stack: Stack, **context: object) -> Page:
    page = browser.new_context(base_url=stack.url, viewport=DESKTOP, **context).new_page()
    page.goto("/sign-in/")
    page.fill("input[name=username]", stack.username)
    page.fill("input[name=password]", stack.password)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(lambda url: "/sign-in/" not in url)
    return page


def enrol_everybody(page: Page) -> None:
    for seed, name, external_id in PEOPLE:
        page.goto("/admin/facerec/subject/add/")
        page.fill("input[name=name]", name)
        page.fill("input[name=external_id]", external_id)
        page.check("input[type=checkbox][name*=consent]")
        page.set_input_files("input[type=file]", file_of(draw_face(seed), "portrait.jpg"))
        page.click("[name=_save]")
        page.locator("[data-job] [data-status=enrolled]").wait_for()
    save(page, "enrolment")


def ask_about_faces(page: Page) -> None:
    seed, _, external_id = PEOPLE[0]
    page.goto("/verify/")
    page.fill("#id_subject", external_id)
    page.set_input_files("main input[type=file]", file_of(draw_face(seed, 2), "door.jpg"))
    page.click("main button[type=submit]")
    page.locator("[data-outcome=match]").first.wait_for()
    save(page, "verify")

    faces = [draw_face(PEOPLE[0][0], 3), draw_face(STRANGER, 1), draw_face(PEOPLE[1][0], 4)]
    group = Image.new("RGB", (sum(face.width for face in faces), faces[0].height))
    left = 0
    for face in faces:
        group.paste(face, (left, 0))
        left += face.width
    page.goto("/identify/")
    page.set_input_files("main input[type=file]", file_of(group, "visitors.jpg"))
    page.click("main button[type=submit]")
    page.locator("[data-outcome=not_recognized]").first.wait_for()
    save(page, "identify", whole=True)


def check_liveness(playwright: Playwright, stack: Stack, folder: Path) -> None:
    """The live check while it asks for a movement, before a drawn person; and its page."""
    with StagedCamera(folder / "camera.y4m", Living(SITTER), fps=12) as camera:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=[*CHROMIUM, *camera.flags]
        )
        page = sign_in(browser, stack, permissions=["camera"])

        def listen(socket: WebSocket) -> None:
            if "/ws/liveness/" in socket.url:
                socket.on("framereceived", lambda message: tell(camera, json.loads(message)))

        page.on("websocket", listen)
        page.goto("/liveness/")
        save(page, "liveness", whole=True)
        page.get_by_role("button", name="Try the live check").click()
        page.locator("dialog[data-state=move]:has([data-done])").wait_for(timeout=60_000)
        save(page, "live-check")
        browser.close()


def tell(camera: StagedCamera, told: dict[str, object]) -> None:
    """The drawn person does what the page shows."""
    if told["type"] == "progress":
        camera.told = Progress(
            Phase(str(told["phase"])),
            int(str(told["done"])),
            int(str(told["steps"])),
            Movement(str(told["movement"])) if told["movement"] else None,
        )


def calibrate_and_learn(page: Page) -> None:
    """The curve of error rates, and one triplet."""
    page.goto("/calibration/")
    page.locator("#h-choose").evaluate("heading => heading.scrollIntoView()")
    save(page, "calibration")
    page.goto("/learn/triplet/")
    page.locator("#encoder-name", has_text="Encoded by").wait_for()
    page.locator("#triplet").evaluate("lesson => lesson.scrollIntoView()")
    page.set_viewport_size({"width": 1280, "height": 1000})
    save(page, "triplet")
    page.set_viewport_size(DESKTOP)


def paint(page: Page, browser: Browser) -> None:
    """Paint the harbour, keep every frame that the browser gets, and look at it from a phone."""
    frames: dict[int, bytes] = {}

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda message: keep(frames, message))

    page.on("websocket", listen)
    page.goto("/paint/")
    page.check("input[name=content_starter][value=harbour]", force=True)
    page.check("input[name=style_starter][value=currents]", force=True)
    save(page, "paint", whole=True)
    page.click("form button[type=submit]:has-text('Paint')")
    page.wait_for_url("**/pictures/*-*/")
    half = int(page.locator("[role=progressbar]").first.get_attribute("aria-valuemax") or 100) // 2
    page.wait_for_function(
        "half => Number(document.querySelector('[role=progressbar]').ariaValueNow) >= half",
        arg=half,
        timeout=MINUTES * 60_000,
    )
    save(page, "painting")
    phone = browser.new_context(
        base_url=page.url.split("/pictures/")[0],
        viewport=PHONE,
        color_scheme="dark",
        storage_state=page.context.storage_state(),
    ).new_page()
    phone.goto(page.url)
    phone.wait_for_timeout(1500)
    save(phone, "painting-phone-dark")
    page.get_by_role("link", name="Download").first.wait_for(timeout=MINUTES * 60_000)
    save(page, "painted")
    animate(frames, OUT / "painting-live.webp")
    page.goto("/pictures/")
    save(page, "gallery")


def look_into_the_network(page: Page) -> None:
    """A wall of units, and one of them with a picture made to excite it and a photo tried."""
    page.goto("/see/")
    page.get_by_role("button", name="Show it the house").first.click()
    page.wait_for_url("**/see/lite/**")
    page.locator("#mining").wait_for(state="detached", timeout=MINUTES * 60_000)
    page.goto("/see/lite/relu3_1/")
    page.wait_for_load_state("networkidle")
    save(page, "see-wall")
    page.goto("/see/lite/relu3_1/17/")
    page.get_by_role("button", name="Have it made").click()
    page.set_input_files("#try input[type=file]", ROOT / "static" / "starters" / "harbour.jpg")
    page.get_by_text("Looked at in").wait_for()
    page.locator("#made-says", has_text="activation").wait_for(timeout=MINUTES * 60_000)
    save(page, "see-unit", whole=True)


def make_pieces(page: Page) -> None:
    """A sound half way, and a volume when it is done."""
    page.goto("/make/sound/")
    page.check("input[name=content_starter][value=voice]", force=True)
    page.check("input[name=style_starter][value=bells]", force=True)
    page.fill("#id_seconds", "6")
    page.get_by_role("button", name="Make it").click()
    page.wait_for_url("**/pieces/*-*/")
    page.locator("#steps input").nth(4).wait_for(state="attached", timeout=MINUTES * 60_000)
    save(page, "sound", whole=True)
    page.goto("/make/volume/")
    page.check("input[name=style_starter][value=bone]", force=True)
    page.get_by_role("button", name="Make it").click()
    page.wait_for_url("**/pieces/*-*/")
    page.get_by_role("link", name="Download").first.wait_for(timeout=MINUTES * 60_000)
    page.wait_for_timeout(2000)
    save(page, "volume", whole=True)


def keep(frames: dict[int, bytes], message: object) -> None:
    """Note a binary frame's JPEG by its step (see docs/websocket.md)."""
    if not isinstance(message, bytes):
        return
    (length,) = struct.unpack_from(">I", message)
    header = json.loads(message[4 : 4 + length])
    curve = 4 * header["points"] * len(header["columns"])
    frames[header["step"]] = message[4 + length + curve :]


def animate(frames: dict[int, bytes], path: Path, *, shown: int = 48, width: int = 400) -> None:
    """An animation of about `shown` frames: dense at the start, where most happens."""
    steps = sorted(frames)
    chosen = sorted(
        {steps[round((len(steps) - 1) * (i / (shown - 1)) ** 1.6)] for i in range(shown)}
    )
    pictures = []
    for step in chosen:
        picture = Image.open(io.BytesIO(frames[step])).convert("RGB")
        pictures.append(picture.resize((width, round(width * picture.height / picture.width))))
    durations = [80] * (len(pictures) - 1) + [2500]
    first, *rest = pictures
    first.save(
        path, save_all=True, append_images=rest, duration=durations, loop=0, quality=70, method=6
    )
    print(f"docs/screenshots/{path.name}: {len(pictures)} of {len(frames)} frames")


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        stack = Stack(Path(folder)).start()
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM)
        try:
            visitor = browser.new_context(base_url=stack.url, viewport=DESKTOP).new_page()
            visitor.goto("/")
            save(visitor, "home")
            page = sign_in(browser, stack)
            parts = {
                "faces": lambda: (enrol_everybody(page), ask_about_faces(page)),
                "learn": lambda: calibrate_and_learn(page),
                "liveness": lambda: check_liveness(playwright, stack, Path(folder)),
                "see": lambda: look_into_the_network(page),
                "pieces": lambda: make_pieces(page),
                "paint": lambda: paint(page, browser),
            }
            for name in sys.argv[1:] or parts:
                parts[name]()
            page.goto("/status/")
            save(page, "status")
        finally:
            browser.close()
            stack.stop()


if __name__ == "__main__":
    main()
