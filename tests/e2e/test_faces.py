"""A person is enrolled and then known, in a real browser before the real stack."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserType, Page, expect

from tests.e2e.conftest import CHROMIUM
from tests.e2e.stack import Stack
from tests.people import ADA, BOB, as_jpeg, group, nobody, portrait

pytestmark = pytest.mark.usefixtures("people")

PASSWORD = "correct horse staple"
PATIENCE = 60_000  # ms; the machine may be busy
SignIn = Callable[[Page, str, str], None]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("photos")
    images = {
        "ada": portrait(ADA),
        "ada again": portrait(ADA, 1),
        "bob": portrait(BOB),
        "both": group(),
        "nobody": nobody(),
    }
    for name, image in images.items():
        (folder / f"{name}.jpg").write_bytes(as_jpeg(image))
    return {name: folder / f"{name}.jpg" for name in images}


@pytest.fixture(scope="module")
def operator(stack: Stack) -> str:
    stack.create_user("olive", "operator", PASSWORD)
    return "olive"


@pytest.fixture(scope="module")
def ada(stack: Stack, browser: Browser, photos: dict[str, Path]) -> str:
    """Enrolled by the administrator through the admin panel, from one photo of two."""
    context = browser.new_context(base_url=stack.url)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto("/sign-in/?next=/admin/facerec/subject/add/")
    page.fill("input[name=username]", stack.username)
    page.fill("input[name=password]", stack.password)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url("**/admin/facerec/subject/add/")
    page.fill("input[name=name]", "Ada Example")
    page.fill("input[name=external_id]", "E-1042")
    page.check("input[name=consent]")
    page.set_input_files("input[name=photos]", [photos["ada"], photos["nobody"]])
    expect(page.locator("drop-zone .drop-one img")).to_have_count(2)
    page.click("button[name=_save]")
    page.wait_for_url(re.compile(r"/admin/facerec/subject/\d+/change/"))
    panel = page.locator("#enrolments")
    expect(panel).to_contain_text("1 template", timeout=PATIENCE)
    expect(panel.locator("[data-job] [data-status=enrolled]")).to_have_count(1)
    expect(panel.locator("[data-job] [data-status=refused]")).to_have_count(1)
    expect(panel).to_contain_text("No face was found.")
    context.close()
    assert not errors
    assert not list((stack.data_dir / "enrolment").iterdir())
    return "E-1042"


@pytest.fixture
def as_operator(page: Page, operator: str, ada: str, sign_in: SignIn) -> Page:
    page.set_default_timeout(PATIENCE)
    sign_in(page, operator, PASSWORD)
    return page


def verify(page: Page, claim: str, photo: Path) -> None:
    page.goto("/verify/")
    page.fill("input[name=subject]", claim)
    page.set_input_files("input[name=photo]", photo)
    page.get_by_role("button", name="Verify", exact=True).click()


def test_match(as_operator: Page, photos: dict[str, Path]) -> None:
    verify(as_operator, "E-1042", photos["ada again"])
    answer = as_operator.locator("#answer")
    expect(answer.locator("[data-outcome=match]")).to_be_visible(timeout=PATIENCE)
    expect(answer).to_contain_text("It is Ada Example")
    expect(answer.get_by_role("img", name=re.compile("^Distance 0.*same face"))).to_be_visible()
    expect(answer).to_contain_text("strangers would pass")


def test_no_match_then_match_on_the_same_page(as_operator: Page, photos: dict[str, Path]) -> None:
    page = as_operator
    verify(page, "Ada Example", photos["bob"])
    expect(page.locator("[data-outcome=no_match]")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#answer")).to_contain_text("It is not Ada Example")
    page.set_input_files("input[name=photo]", photos["ada again"])
    page.get_by_role("button", name="Verify", exact=True).click()
    expect(page.locator("[data-outcome=match]")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("[data-outcome=no_match]")).to_have_count(0)


def test_cannot_decide(as_operator: Page, photos: dict[str, Path]) -> None:
    verify(as_operator, "E-1042", photos["nobody"])
    expect(as_operator.locator("[data-outcome=cannot_decide]")).to_be_visible(timeout=PATIENCE)
    expect(as_operator.locator("#answer")).to_contain_text("No face was found.")


def test_a_problem_keeps_the_chosen_photo(as_operator: Page, photos: dict[str, Path]) -> None:
    page = as_operator
    verify(page, "Eve", photos["ada again"])
    summary = page.locator(".error-summary")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("Nobody with this name")
    summary.get_by_role("link").click()
    expect(page.locator("input[name=subject]")).to_be_focused()
    page.fill("input[name=subject]", "E-1042")
    page.get_by_role("button", name="Verify", exact=True).click()
    expect(page.locator("[data-outcome=match]")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".error-summary")).to_have_count(0)


def test_who_was_signed_out_meanwhile_signs_in_again(
    as_operator: Page, photos: dict[str, Path]
) -> None:
    page = as_operator
    page.goto("/verify/")
    with page.expect_response("**/verify/people/**"):  # else it would lead to the sign-in page too
        page.fill("input[name=subject]", "E-1042")
    page.set_input_files("input[name=photo]", photos["ada again"])
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Verify", exact=True).click()
    page.wait_for_url("**/sign-in/?next=/verify/")
    expect(page.locator("input[name=password]")).to_be_visible()


def test_people_are_offered_while_one_types(as_operator: Page) -> None:
    page = as_operator
    page.goto("/verify/")
    page.locator("input[name=subject]").press_sequentially("exam", delay=30)
    option = page.locator("#people option")
    expect(option).to_have_attribute("value", "E-1042")
    page.locator("input[name=subject]").press_sequentially("zzz", delay=30)
    expect(option).to_have_count(0)


def test_identify_boxes_the_known_and_the_stranger(
    as_operator: Page, photos: dict[str, Path]
) -> None:
    page = as_operator
    page.goto("/identify/")
    page.set_input_files("input[name=photo]", photos["both"])
    page.get_by_role("button", name="Identify", exact=True).click()
    picture = page.locator("#answer [data-picture]")
    expect(picture).to_be_visible(timeout=PATIENCE)
    assert picture.locator("img").evaluate("img => img.src").startswith("blob:")
    known, stranger = picture.locator(".facebox.match"), picture.locator(".facebox.no")
    expect(known).to_have_count(1)
    expect(stranger).to_have_count(1)
    middle = picture.locator("img").bounding_box()
    centre = middle["x"] + middle["width"] / 2
    assert known.bounding_box()["x"] < centre < stranger.bounding_box()["x"]
    expect(page.locator("#answer li[data-outcome=match]")).to_contain_text("Ada Example")
    expect(page.locator("#answer li[data-outcome=not_recognized]")).to_contain_text(
        "Not recognized"
    )


def test_a_stranger_alone(as_operator: Page, photos: dict[str, Path]) -> None:
    page = as_operator
    page.goto("/identify/")
    page.set_input_files("input[name=photo]", photos["bob"])
    page.get_by_role("button", name="Identify", exact=True).click()
    expect(page.locator("#answer li")).to_have_attribute(
        "data-outcome", "not_recognized", timeout=PATIENCE
    )


def test_it_waits_for_a_worker_that_was_killed(
    as_operator: Page, stack: Stack, photos: dict[str, Path]
) -> None:
    """kill -9 of the faces worker: the question is answered by the next one, without a reload."""
    page = as_operator
    os.kill(stack.pids["faces"], signal.SIGKILL)
    verify(page, "E-1042", photos["ada again"])
    expect(page.locator("[data-outcome=match]")).to_be_visible(timeout=PATIENCE)


def test_the_log_tells_it(page: Page, stack: Stack, sign_in: SignIn, ada: str) -> None:
    sign_in(page, stack.username, stack.password)
    page.goto("/admin/facerec/attempt/?outcome__exact=match")
    row = page.locator("#result_list tbody tr").first
    expect(row).to_contain_text("olive")
    expect(row).to_contain_text("Ada Example (E-1042)")


def test_by_webcam(
    browser: Browser, stack: Stack, ada: str, operator: str, sign_in: SignIn, tmp_path: Path
) -> None:
    """A browser whose camera sees Ada."""
    video = tmp_path / "ada.y4m"
    video.write_bytes(as_video(portrait(ADA, 2)))
    chromium: BrowserType = browser.browser_type
    own = chromium.launch(
        executable_path=executable(),
        args=[*CHROMIUM, f"--use-file-for-fake-video-capture={video}"],
    )
    try:
        context = own.new_context(base_url=stack.url, permissions=["camera"])
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        sign_in(page, operator, PASSWORD)
        page.goto("/verify/")
        page.fill("input[name=subject]", ada)
        page.get_by_role("button", name="Use the camera").click()
        shutter = page.get_by_role("dialog").get_by_role("button", name="Take the photo")
        expect(shutter).to_be_enabled()
        shutter.click()
        page.get_by_role("button", name="Verify", exact=True).click()
        expect(page.locator("[data-outcome=match]")).to_be_visible(timeout=PATIENCE)
    finally:
        own.close()


def executable() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


def as_video(image: Image.Image) -> bytes:
    """One frame as YUV4MPEG2 (4:2:0, full range), 640 by 480."""
    frame = Image.new("RGB", (640, 480), (120, 130, 140))
    fitted = image.resize((384, 480))
    frame.paste(fitted, (128, 0))
    y, cb, cr = frame.convert("YCbCr").split()
    halves = [plane.resize((320, 240)) for plane in (cb, cr)]
    planes = b"".join(np.asarray(plane, np.uint8).tobytes() for plane in (y, *halves))
    return b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420jpeg\n" + (b"FRAME\n" + planes) * 5
