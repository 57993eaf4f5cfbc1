"""A picture is painted before a person's eyes, in a real browser on the real stack."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.e2e.stack import Stack
from tests.pictures import image_bytes, photo

PASSWORD = "correct horse staple"
PATIENCE = 120_000  # ms; the machine may be busy


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("pictures")
    content, style = folder / "harbour.png", folder / "waves.jpg"
    content.write_bytes(image_bytes(photo(1, (240, 160))))
    style.write_bytes(image_bytes(photo(2, (200, 240)), "JPEG"))
    return content, style


@pytest.fixture(scope="module")
def painter(stack: Stack) -> str:
    stack.create_user("pia", "painter", PASSWORD)
    return "pia"


def fill(page: Page, files: tuple[Path, Path], *, size: int = 160, steps: int = 20) -> None:
    """The form, as a person fills it (and a size smaller than the page offers, for speed)."""
    page.goto("/paint/")
    page.set_input_files("#id_content", files[0])
    page.set_input_files("#id_style", files[1])
    page.fill("#id_steps", str(steps))
    page.locator("input[name=size]:checked").evaluate(
        "(input, v) => { input.value = v }", str(size)
    )


def begin(page: Page, files: tuple[Path, Path], *, size: int = 160, steps: int = 20) -> str:
    """Start a painting; returns the address of its page."""
    fill(page, files, size=size, steps=steps)
    page.get_by_role("button", name="Paint", exact=True).click()
    page.wait_for_url(re.compile(r"/pictures/[0-9a-f-]{36}/$"))
    return page.url


def step_of(page: Page) -> int:
    found = re.match(r"Step (\d+)", page.inner_text("#plate-step"))
    return int(found[1]) if found else -1


def wait_for_step(page: Page, step: int) -> None:
    page.wait_for_function(
        "step => Number(/Step (\\d+)/.exec(document.querySelector('#plate-step').textContent)?.[1]"
        " ?? -1) >= step",
        arg=step,
        timeout=PATIENCE,
    )


def wait_for_picture(page: Page) -> None:
    page.wait_for_selector("live-picture[data-painted]", timeout=PATIENCE)


def pixels(page: Page) -> str:
    return str(page.evaluate("document.querySelector('live-picture canvas').toDataURL()"))


def stamp(page: Page, word: str) -> None:
    expect(page.locator("#panel .stamp")).to_have_text(word, timeout=PATIENCE)


def test_from_two_files_to_a_picture(page: Page, files, painter: str, sign_in) -> None:
    sign_in(page, painter, PASSWORD)
    begin(page, files, size=256, steps=60)
    place = page.locator("live-picture").bounding_box()
    wait_for_picture(page)
    steps = [step_of(page)]
    while steps[-1] < 60:
        page.wait_for_timeout(40)
        if (now := step_of(page)) != steps[-1]:
            steps.append(now)
    assert steps == sorted(steps)
    assert len(steps) > 8, steps  # it was watched, not just seen at its end
    stamp(page, "Done")
    assert page.locator("live-picture").bounding_box() == place  # nothing jumped
    assert page.evaluate("document.querySelector('loss-curve').points") == 61
    said = page.locator("loss-curve [role=img]")
    expect(said).to_have_attribute("aria-label", re.compile("J went from .* in 61 steps"))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download PNG").click()
    assert download.value.suggested_filename == "harbour-as-waves.png"
    picture = Image.open(io.BytesIO(download.value.path().read_bytes()))
    assert picture.size == (256, 171)

    page.locator("#cut").fill("40")
    expect(page.locator("#before")).to_be_visible()

    page.locator("#insight").scroll_into_view_if_needed()
    layer = page.locator("#insight details", has_text="relu4_1")
    layer.locator("summary").click(timeout=PATIENCE)
    gram = layer.get_by_alt_text("Gram matrix of this picture at relu4_1")
    expect(gram).to_be_visible()
    assert gram.evaluate("img => img.decode().then(() => img.naturalWidth)") == 128
    assert page.locator("#insight details[open]").count() == 1
    pair = layer.locator(".pairs li").first.get_by_role("link")
    expect(pair).to_have_count(2)
    unit = pair.first.get_attribute("href")
    assert re.fullmatch(r"/see/lite/relu4_1/\d+/", unit)
    assert page.request.get(unit).ok

    page.goto("/pictures/")
    expect(page.get_by_text("Harbour, as Waves")).to_be_visible()
    page.get_by_role("link", name="Harbour, as Waves").click()
    wait_for_picture(page)
    assert page.evaluate("document.querySelector('loss-curve').points") == 61


def test_a_refresh_and_a_second_tab_see_it_at_once(
    page: Page, browser: Browser, stack: Stack, files, painter: str, sign_in
) -> None:
    sign_in(page, painter, PASSWORD)
    url = begin(page, files, size=256, steps=400)
    wait_for_step(page, 5)
    page.reload()
    wait_for_picture(page)
    wait_for_step(page, 5)
    assert page.evaluate("document.querySelector('loss-curve').points") >= 6
    phone = browser.new_context(base_url=stack.url, viewport={"width": 390, "height": 844})
    try:
        late = phone.new_page()
        sign_in(late, painter, PASSWORD)
        late.goto(url)
        wait_for_picture(late)
        wait_for_step(late, 5)
        width = late.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, "the page is wider than the phone"
    finally:
        phone.close()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Cancel").click()
    stamp(page, "Cancelled")
    expect(page.get_by_role("link", name="Download PNG")).to_be_visible()
    reached = step_of(page)
    page.reload()
    wait_for_picture(page)
    assert step_of(page) >= reached
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete").click()
    page.wait_for_url("**/pictures/")
    expect(page.get_by_text("is deleted, with all that belonged to it")).to_be_visible()
    assert page.goto(url).status == 404


def test_pause_and_go_on(page: Page, files, painter: str, sign_in) -> None:
    sign_in(page, painter, PASSWORD)
    begin(page, files, size=192, steps=150)
    wait_for_step(page, 3)
    page.get_by_role("button", name="Pause").click()
    stamp(page, "Paused")
    page.wait_for_timeout(500)  # the last frame still fades in
    paused_at = step_of(page)
    picture = pixels(page)
    page.wait_for_timeout(700)
    assert (step_of(page), pixels(page)) == (paused_at, picture)
    page.reload()
    wait_for_picture(page)
    assert step_of(page) == paused_at
    page.get_by_role("button", name="Go on").click()
    wait_for_step(page, paused_at + 2)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Cancel").click()
    stamp(page, "Cancelled")


def test_what_is_wrong_is_said_and_nothing_is_lost(
    page: Page, files, painter: str, sign_in
) -> None:
    sign_in(page, painter, PASSWORD)
    fill(page, files, size=50, steps=20)
    page.get_by_role("button", name="Paint", exact=True).click()
    summary = page.locator(".error-summary")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("between 128 and 1024")
    expect(page.locator("#size-error")).to_contain_text("between 128 and 1024")
    assert page.evaluate("document.querySelector('#id_content').files[0].name") == "harbour.png"
    page.locator("input[name=size]:checked").evaluate("input => { input.value = 128 }")
    page.get_by_role("button", name="Paint", exact=True).click()
    page.wait_for_url(re.compile(r"/pictures/[0-9a-f-]{36}/$"))
    stamp(page, "Done")
    page.get_by_role("link", name="Paint again").click()
    assert page.input_value("#id_steps") == "20"


def test_another_painter_is_told_that_it_is_not_there(
    page: Page, browser: Browser, stack: Stack, files, painter: str, sign_in
) -> None:
    sign_in(page, painter, PASSWORD)
    url = begin(page, files, size=128, steps=2)
    stack.create_user("otto", "painter", PASSWORD)
    context = browser.new_context(base_url=stack.url)
    try:
        other = context.new_page()
        sign_in(other, "otto", PASSWORD)
        for address in (url, f"{url}result.png", f"{url}content.jpg"):
            assert other.goto(address).status == 404
        other.goto("/pictures/")
        expect(other.get_by_text("The wall is empty")).to_be_visible()
    finally:
        context.close()


def test_a_program_paints_by_the_example_in_the_docs(
    stack: Stack, files, painter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API from start to picture, followed by the very code that docs/websocket.md shows."""
    key = stack.manage("create_api_key", "--user", painter).stdout.strip()
    with httpx.Client(headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
        started = client.post(
            f"{stack.url}/api/v1/style-jobs",
            files={"content": files[0].read_bytes(), "style": files[1].read_bytes()},
            data={"recipe": json.dumps({"size": 128, "steps": 8})},
        )
        assert started.status_code == 202, started.text
        docs = (Path(__file__).parents[2] / "docs" / "websocket.md").read_text()
        (example,) = re.findall(r"```python\n(.*?)```", docs, re.S)
        names: dict[str, Any] = {}
        exec(example, names)
        monkeypatch.chdir(tmp_path)
        final = names["follow"](started.json()["ws"], key)
        assert final["status"] == "done"
        frames = sorted(tmp_path.glob("step-*.jpg"))
        assert frames
        assert Image.open(frames[-1]).size == (128, 85)
        told = client.get(started.json()["url"]).json()
        picture = Image.open(io.BytesIO(client.get(told["result_url"]).content))
        assert picture.size == (128, 85)
        assert picture.format == "PNG"
